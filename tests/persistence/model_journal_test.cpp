#include <boost/test/unit_test.hpp>

#include "tests/persistence/journal_conformance.hpp"
#include "tests/persistence/journal_doubt_conformance.hpp"
#include "tests/persistence/model_bench.hpp"
#include "tests/persistence/stops_conformance.hpp"

using namespace levain;
using namespace levain::test;

BOOST_AUTO_TEST_SUITE(model_journal_test)

#define LEVAIN_RULE(name)                                                                                              \
  BOOST_FIXTURE_TEST_CASE(name, model_bench) {                                                                         \
    conformance::name(*this);                                                                                          \
  }
LEVAIN_JOURNAL_RULES(LEVAIN_RULE)
LEVAIN_JOURNAL_DOUBT_RULES(LEVAIN_RULE)
LEVAIN_STOP_RULES(LEVAIN_RULE)

BOOST_FIXTURE_TEST_CASE(a_row_is_refused_on_demand, model_bench) {
  manners_->on_row = [](const run_append& append) -> std::optional<std::string> {
    if (append.run == bench_run(2))
      return "the model does not like it";
    return std::nullopt;
  };
  const auto answer = subject().append({bench_start(bench_run(1)), bench_start(bench_run(2))});
  BOOST_REQUIRE(is_done(answer, 2));
  BOOST_TEST(is_committed(answer.outcomes[0]));
  BOOST_TEST(reason_of(answer.outcomes[1]) == "the model does not like it");
}

BOOST_FIXTURE_TEST_CASE(damage_is_told_by_run, model_bench) {
  for (int i = 1; i <= 3; ++i)
    must_commit(subject(), bench_start(bench_run(i)));
  tamper(bench_run(1), [](auto& events) { events.clear(); });
  tamper(bench_run(2), [](auto& events) { events[0].kind = static_cast<event_kind>(200); });
  const auto open = read_all_unfinished(subject(), {3});
  BOOST_REQUIRE(open.size() == 3u);
  BOOST_TEST(open[0].events.empty());
  BOOST_TEST(open[1].damage == "event 1: column kind: '200' is unknown to this program");
  BOOST_TEST(open[2].events.size() == 1u);
  BOOST_CHECK_THROW(subject().read(bench_run(2)), journal_unreadable);
}

BOOST_AUTO_TEST_SUITE_END()
