#include <boost/test/unit_test.hpp>

#include <future>

#include "persistence/journal.hpp"
#include "persistence/reader.hpp"
#include "tests/support/database.hpp"

using namespace levain;
using levain::test::fresh_database;

namespace {

reader_options options_for(const std::string& url) {
  reader_options options;
  options.queries.url = url;
  options.connections = 1;
  options.reads_waiting_max = 2;
  return options;
}

/// Occupies the only connection of a reader until it is let go.
struct occupied {
  explicit occupied(reader& reads) {
    std::promise<void> begun;
    auto beginning = begun.get_future();
    reads.async([&begun, gate = gate.get_future().share()](queries&) {
      begun.set_value();
      gate.wait();
    });
    beginning.wait();
  }
  void let_go() { gate.set_value(); }
  std::promise<void> gate;
};

} // namespace

BOOST_AUTO_TEST_SUITE(reader_dbtest)

BOOST_AUTO_TEST_CASE(a_read_runs_on_a_thread_of_the_reader) {
  const fresh_database database;
  reader reads(options_for(database.url()));
  std::promise<std::thread::id> answer;
  reads.async([&](queries& ask) {
    ask.ping();
    answer.set_value(std::this_thread::get_id());
  });
  BOOST_TEST((answer.get_future().get() != std::this_thread::get_id()));
}

BOOST_AUTO_TEST_CASE(more_reads_than_may_wait_are_refused) {
  const fresh_database database;
  reader reads(options_for(database.url()));
  occupied connection(reads);
  reads.async([](queries&) {});
  reads.async([](queries&) {});
  BOOST_CHECK_EXCEPTION(reads.async([](queries&) {}), journal_unavailable, [](const journal_unavailable& error) {
    return std::string(error.what()) == "2 reads are waiting already (reads_waiting_max); try again later";
  });
  connection.let_go();
}

BOOST_AUTO_TEST_CASE(a_reader_that_ends_refuses_those_that_wait_in_their_turn) {
  const fresh_database database;
  auto reads = std::make_unique<reader>(options_for(database.url()));
  auto& same_reads = *reads;
  occupied connection(same_reads);
  std::promise<bool> refused;
  auto was_refused = refused.get_future();
  same_reads.async([&refused](queries& ask) {
    try {
      ask.ping();
      refused.set_value(false);
    } catch (const journal_unavailable&) {
      refused.set_value(true);
    }
  });
  const auto ending = std::async(std::launch::async, [&] { reads.reset(); });
  // The reader waits for the occupied connection, and says that it is ending as soon as it is.
  for (bool is_ending = false; !is_ending;) {
    try {
      same_reads.async([](queries&) {});
    } catch (const journal_unavailable& error) {
      is_ending = std::string(error.what()).find("ending") != std::string::npos;
    }
  }
  connection.let_go();
  BOOST_TEST(was_refused.get());
}

BOOST_AUTO_TEST_CASE(what_leaves_a_read_does_not_end_the_reader) {
  const fresh_database database;
  reader reads(options_for(database.url()));
  reads.async([](queries&) { throw std::runtime_error("nobody handles this"); });
  std::promise<void> answer;
  reads.async([&](queries& ask) {
    ask.ping();
    answer.set_value();
  });
  BOOST_CHECK_NO_THROW(answer.get_future().get());
}

BOOST_AUTO_TEST_CASE(options_out_of_range_are_refused_by_name) {
  auto options = options_for("postgresql:///x");
  options.connections = 0;
  BOOST_CHECK_THROW(reader{options}, std::invalid_argument);
  options.connections = 65;
  BOOST_CHECK_THROW(reader{options}, std::invalid_argument);
  options.connections = 1;
  options.reads_waiting_max = 0;
  BOOST_CHECK_THROW(reader{options}, std::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
