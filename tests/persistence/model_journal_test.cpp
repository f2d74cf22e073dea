#include <boost/test/unit_test.hpp>

#include "persistence/model_journal.hpp"
#include "tests/persistence/journal_conformance.hpp"
#include "tests/persistence/stops_conformance.hpp"

using namespace levain;
using namespace levain::test;

namespace {

class model_bench : public journal_bench {
public:
  model_bench() {
    manners_->on_append = [this](const std::vector<run_append>&) {
      return away_ ? model_fault::transient : std::exchange(next_fault_, model_fault::none);
    };
    manners_->can_resolve = manners_->can_read = [this] { return !away_; };
    for (shard_number shard = 0; shard < shard_count; ++shard)
      set_epoch(shard, bench_epoch);
  }

  journal& subject() override { return journal_; }
  std::unique_ptr<journal> another() override { return std::make_unique<model_journal>(database_); }
  void set_epoch(shard_number shard, epoch_number epoch) override { database_->set_epoch(shard, epoch); }
  std::optional<audit_row> row(const run_id& run) override { return database_->row(run); }
  void lose_next_commit() override { next_fault_ = model_fault::in_doubt_before_commit; }
  void lose_next_answer() override { next_fault_ = model_fault::in_doubt_after_commit; }
  void goes_away() override { away_ = true; }
  void comes_back() override { away_ = false; }

  void tamper(const run_id& run, const std::function<void(std::vector<event_record>&)>& change) {
    database_->tamper_with_events(run, change);
  }

  std::shared_ptr<model_manners> manners_ = std::make_shared<model_manners>();

private:
  std::shared_ptr<model_database> database_ = std::make_shared<model_database>();
  model_fault next_fault_ = model_fault::none;
  bool away_ = false;
  model_journal journal_{database_, manners_};
};

} // namespace

BOOST_AUTO_TEST_SUITE(model_journal_test)

#define LEVAIN_RULE(name)                                                                                              \
  BOOST_FIXTURE_TEST_CASE(name, model_bench) {                                                                         \
    conformance::name(*this);                                                                                          \
  }
LEVAIN_JOURNAL_RULES(LEVAIN_RULE)
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

BOOST_FIXTURE_TEST_CASE(a_hole_in_the_numbers_is_found, model_bench) {
  must_commit(subject(), bench_start(bench_run(1)));
  const auto answer = subject().append({bench_events(bench_run(1), {bench_event(3)})});
  BOOST_TEST(reason_of(answer.outcomes.at(0)).find("sequence conflict") == 0u);
}

BOOST_FIXTURE_TEST_CASE(damage_is_told_by_run, model_bench) {
  for (int i = 1; i <= 3; ++i)
    must_commit(subject(), bench_start(bench_run(i)));
  tamper(bench_run(1), [](auto& events) { events.clear(); });
  tamper(bench_run(2), [](auto& events) { events[0].kind = static_cast<event_kind>(200); });
  const auto open = subject().unfinished({3}, std::nullopt, 10);
  BOOST_REQUIRE(open.size() == 3u);
  BOOST_TEST(open[0].events.empty());
  BOOST_TEST(open[1].damage == "event 1: column kind: '200' is unknown to this program");
  BOOST_TEST(open[2].events.size() == 1u);
  BOOST_CHECK_THROW(subject().read(bench_run(2)), journal_unreadable);
}

BOOST_AUTO_TEST_SUITE_END()
