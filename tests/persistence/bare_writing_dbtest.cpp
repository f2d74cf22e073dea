#include "persistence/bare_writing.hpp"

#include <boost/test/unit_test.hpp>

#include <pqxx/pqxx>

#include "persistence/postgres_journal.hpp"
#include "tests/support/database.hpp"

using namespace levain;
using namespace levain::test;

namespace {

/// Texts that the two ways of sending them quote differently.
constexpr const char* awkward = "a \"quoted\" \\backslash\\, a\ttab, a\nbreak, {braces}, NULL, \\N, Bäckerei 🥖";

timestamp night() {
  return *parse_timestamp("2026-11-23T04:00:00.123456Z");
}

audit_row row_of(const run_id& run, run_status status) {
  audit_row row;
  row.id = run;
  row.run_number = "ORCH-20261123-00000" + std::to_string(shard_of(run));
  row.tenant.value = *uuid::parse("7e000000-0000-4000-8000-000000000001");
  row.status = status;
  row.started_at = row.created_at = row.updated_at = night();
  row.error_message = awkward;
  row.run_metadata = R"({"note": "tab \t, quote \", backslash \\"})";
  row.step(audit_group::production).error = awkward;
  row.triggered_by = "";
  row.workflow = "bread";
  row.workflow_version = 2;
  return row;
}

/// Two runs that begin, and then end.
std::vector<std::vector<run_append>> two_batches() {
  std::vector<std::vector<run_append>> batches(2);
  for (const shard_number shard : {3, 7}) {
    const auto run = make_run_id(night(), {1, 2}, shard);
    run_append begun;
    begun.run = run;
    begun.events = {
      {1, night(), event_kind::run_accepted, "", 0, R"({"input": "line\nbreak \\ \" \u00fc"})"},
      {2, night(), event_kind::run_started, "", 0, ""}};
    begun.insert = row_of(run, run_status::running);
    batches[0].push_back(begun);
    run_append ended;
    ended.run = run;
    ended.events = {{3, night(), event_kind::step_succeeded, awkward, 1, "{}"}};
    ended.update = row_of(run, run_status::completed);
    ended.update->completed_at = night();
    batches[1].push_back(ended);
  }
  return batches;
}

/// All rows of both tables as text.
std::vector<std::string> contents_of(const std::string& url) {
  pqxx::connection connection(url);
  pqxx::work work(connection);
  work.exec("set timezone to 'UTC'");
  std::vector<std::string> contents;
  for (const char* sql :
       {"select run_events::text from run_events order by run_id, seq",
        "select orchestration_runs::text from orchestration_runs order by id"})
    for (const auto& row : work.exec(sql))
      contents.emplace_back(row[0].c_str());
  return contents;
}

} // namespace

BOOST_AUTO_TEST_SUITE(bare_writing_dbtest)

BOOST_AUTO_TEST_CASE(both_methods_leave_what_the_journal_leaves) {
  const fresh_database judge;
  postgres_journal journal({.url = judge.url()});
  for (const auto& batch : two_batches())
    for (const auto& outcome : journal.append(batch).outcomes)
      BOOST_REQUIRE(std::holds_alternative<append_committed>(outcome));
  const auto expected = contents_of(judge.url());
  BOOST_REQUIRE(expected.size() == 8U);

  for (const auto method : {bare_method::copy, bare_method::insert}) {
    const fresh_database database;
    bare_writer writer(database.url());
    for (const auto& batch : two_batches())
      writer.write(bare_batch(batch, method));
    BOOST_TEST_CONTEXT(to_string(method))
    BOOST_TEST(contents_of(database.url()) == expected, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(a_batch_knows_how_much_it_holds) {
  const auto batches = two_batches();
  const bare_batch first(batches[0], bare_method::copy);
  BOOST_TEST(first.runs() == 2U);
  BOOST_TEST(first.events() == 4U);
  BOOST_TEST(bare_batch(batches[1], bare_method::insert).events() == 2U);
}

BOOST_AUTO_TEST_CASE(a_shard_of_another_epoch_is_refused_and_nothing_is_written) {
  for (const auto method : {bare_method::copy, bare_method::insert}) {
    const fresh_database database;
    bare_writer writer(database.url());
    {
      pqxx::connection connection(database.url());
      pqxx::nontransaction(connection).exec("update shards set epoch = 5 where shard = 7");
    }
    BOOST_TEST(bare_writer(database.url()).epochs().at(7) == 5);
    BOOST_CHECK_EXCEPTION(
      writer.write(bare_batch(two_batches()[0], method)), std::runtime_error, [](const std::runtime_error& refused) {
        return std::string(refused.what()) == "shard 7 has the epoch 5 now, not 0: a node has taken it";
      });
    BOOST_TEST(contents_of(database.url()).empty());
  }
}

BOOST_AUTO_TEST_CASE(what_the_database_refuses_is_told_in_its_words) {
  for (const auto method : {bare_method::copy, bare_method::insert}) {
    const fresh_database database;
    auto batches = two_batches();
    batches[0][0].events[0].body = "no json";
    bare_writer writer(database.url());
    BOOST_CHECK_EXCEPTION(
      writer.write(bare_batch(batches[0], method)), std::runtime_error,
      [](const std::runtime_error& refused) { return std::string(refused.what()).find("json") != std::string::npos; });
  }
}

BOOST_AUTO_TEST_CASE(a_database_that_is_not_there_is_unavailable) {
  BOOST_CHECK_THROW(bare_writer("postgresql:///levain?host=/nowhere"), journal_unavailable);
}

BOOST_AUTO_TEST_SUITE_END()
