// Random walks over random workflows: whatever happens, in whatever order, the promises hold.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <tuple>

#include <nlohmann/json.hpp>

#include "actors/journal_order.hpp"
#include "actors/run_machine/explain.hpp"
#include "actors/run_machine/prepare_call.hpp"
#include "tests/support/fed_run.hpp"
#include "tests/support/workflow_builder.hpp"

namespace levain::test {

namespace {

constexpr size_t walk_inputs_min = 120'000;

uint64_t seed_of_this_run() {
  if (const char* given = std::getenv("LEVAIN_SEED"))
    return std::strtoull(given, nullptr, 10);
  return std::random_device{}();
}

using call_key = std::tuple<step_index, uint32_t, bool>;

/// One run's random walk, with the world around it: calls in hand, a journal, a shadow that lives from the journal
/// alone.
class walk {
public:
  explicit walk(uint64_t seed)
    : draw_(seed)
    , state_(initial_state(random_workflow()))
    , shadow_(initial_state(state_.workflow)) {
    commit({accept_run(plan_of(*state_.workflow), now_)}, {});
  }

  /// Feeds inputs until the run has ended and nobody wants it retried; answers how many there were.
  size_t go() {
    size_t wild = 5 + below(60);
    for (size_t i = 0; i < wild; ++i)
      feed(random_input());
    get_to_end();
    while (chance(0.4)) {
      if (chance(0.3))
        feed(resolve_asked{"eve", "seen\nto"});
      feed(retry_asked{"dora"});
      get_to_end();
    }
    return inputs_;
  }

private:
  // ---- chance -----------------------------------------------------------------

  uint64_t below(uint64_t bound) { return draw_() % bound; }
  bool chance(double share) { return static_cast<double>(below(1'000'000)) < share * 1'000'000; }

  workflow_ptr random_workflow() {
    workflow_builder builder;
    auto count = 1 + below(8);
    for (uint64_t i = 0; i < count; ++i) {
      builder.step("s" + std::to_string(i)).call(function_call{"work"}).attempts(static_cast<uint32_t>(1 + below(3)));
      for (uint64_t earlier = 0; earlier < i; ++earlier) {
        if (chance(0.25))
          builder.needs({"s" + std::to_string(earlier)});
        else if (chance(0.15))
          builder.after({"s" + std::to_string(earlier)});
      }
      if (chance(0.3))
        builder.proceeds();
      if (chance(0.3))
        builder.effect_none();
      if (chance(0.5))
        builder.compensate(
          {.call = function_call{"undo"},
           .retry = {
             .max_attempts = static_cast<uint32_t>(1 + below(3)),
             .initial_interval = std::chrono::seconds(1),
             .jitter = 0}});
      if (chance(0.3))
        builder.undone_in_doubt();
      if (chance(0.5))
        builder.audit(static_cast<audit_group>(below(audit_group_count)));
      if (i == 0)
        builder.record("forecasts_generated", "/count");
    }
    return builder.run_retries(static_cast<uint32_t>(below(3))).build();
  }

  std::variant<std::string, call_failure> random_result() {
    switch (below(12)) {
    case 10:
      return call_failure{call_failure::kind_type::retryable, "the connection was lost", std::nullopt, true};
    case 11:
      return call_failure{call_failure::kind_type::withdrawn, "nobody was given it", std::nullopt};
    case 0:
      return retryable("HTTP 503\nfrom \xFF nowhere");
    case 1:
      return final_failure();
    case 2:
      return call_failure{call_failure::kind_type::timeout, "no answer in 30s", std::nullopt, true};
    case 3:
      return call_failure{call_failure::kind_type::retryable, "HTTP 429", std::chrono::seconds(below(5000))};
    case 4:
      return std::string("not JSON");
    case 5:
      return std::string(R"({"count": -1, "x": 1e16})");
    default:
      return R"({"count": )" + std::to_string(below(100)) + R"(, "list": [1e17, -0.0, 2.50, "ü\\u0000"]})";
    }
  }

  call_answered random_answer() {
    if (in_hand_.empty() || chance(0.1)) // a late one, a double one, or one that never was
      return {
        static_cast<step_index>(below(state_.steps.size() + 1)), static_cast<uint32_t>(below(4)), chance(0.3),
        random_result()};
    auto chosen = std::next(in_hand_.begin(), static_cast<std::ptrdiff_t>(below(in_hand_.size())));
    auto [step, attempt, undo] = *chosen;
    if (undo) { // nobody takes these back
      auto result = random_result();
      if (auto* failed = std::get_if<call_failure>(&result);
          failed && failed->kind == call_failure::kind_type::withdrawn)
        result = std::string("{}");
      return {step, attempt, undo, std::move(result)};
    }
    if (abandoned_.contains(*chosen) && chance(0.8))
      return {step, attempt, undo, call_failure{call_failure::kind_type::abandoned, "given up", std::nullopt}};
    return {step, attempt, undo, random_result()};
  }

  run_input random_input() {
    now_ += std::chrono::milliseconds(below(3000));
    auto roll = below(100);
    if (roll < 60)
      return random_answer();
    if (roll < 75)
      return clock_reached{};
    if (roll < 82)
      return slot_granted{};
    if (roll < 86)
      return pause_asked{"ann"};
    if (roll < 93)
      return resume_asked{"bob"};
    if (roll < 95)
      return cancel_asked{"cleo", "no\nflour"};
    if (roll < 96)
      return cancel_grace_over{std::chrono::seconds(30)};
    if (roll < 97)
      return delivery_was_lost{
        static_cast<step_index>(below(state_.steps.size() + 1)), static_cast<uint32_t>(below(4)), chance(0.3), "oven"};
    if (roll < 98)
      return resolve_asked{"eve", "seen to"};
    if (chance(0.2))
      return terminate_asked{"fay", "fire"};
    return retry_asked{"dora"};
  }

  /// What lets a run get on.
  run_input helpful_input() {
    if (state_.phase == run_phase::pending)
      return slot_granted{};
    if (state_.paused)
      return resume_asked{"bob"};
    if (!in_hand_.empty())
      return random_answer();
    auto due = next_due(state_);
    BOOST_REQUIRE_MESSAGE(due, "a run with nothing in hand must wait for a time; it is " << to_string(state_.phase));
    now_ = std::max(now_, *due);
    return clock_reached{};
  }

  void get_to_end() {
    for (size_t i = 0; state_.phase != run_phase::ended; ++i) {
      BOOST_REQUIRE_MESSAGE(i < 1000, "a run that gets answers and time must end; it is " << to_string(state_.phase));
      feed(helpful_input());
    }
    check_end();
  }

  // ---- the world ----------------------------------------------------------------

  void feed(const run_input& input) {
    ++inputs_;
    auto decided = decide(state_, input, {now_, static_cast<double>(below(1000)) / 1000});
    if (decided.refusal) {
      BOOST_REQUIRE(decided.events.empty() && decided.effects.empty());
      BOOST_REQUIRE(!decided.refusal->empty());
      return;
    }
    auto before = state_;
    for (int refusals = 0; !decided.events.empty() && chance(0.02); ++refusals) {
      BOOST_REQUIRE_MESSAGE(refusals < 4, "refused events must not go on for ever");
      decided = decide(state_, events_refused{decided.events, "numeric field overflow"}, {now_, 0.5});
      if (decided.refusal) // even the last resort was refused; the world then lets it through
        return resubmit();
      last_resort_ = decided;
    }
    BOOST_REQUIRE(state_ == before);
    // What was taken back is in nobody's hand when it begins again.
    for (const auto& fact : decided.events)
      if (fact.kind == event_kind::attempt_withdrawn)
        in_hand_.erase({*fact.step, fact.attempt, false});
    commit(decided.events, decided.effects);
    check();
    if (chance(0.02))
      crash();
  }

  void resubmit() {
    commit(last_resort_.events, last_resort_.effects);
    check();
  }

  void commit(const std::vector<event>& events, const std::vector<run_effect>& effects) {
    for (const auto& fact : events) {
      BOOST_REQUIRE(fact.seq == state_.seq + 1);
      check_event(fact);
      evolve(state_, fact);
      records_.push_back(encode_event(fact, *state_.workflow));
      auto decoded = decode_event(records_.back(), *state_.workflow);
      BOOST_REQUIRE(decoded == fact);
      evolve(shadow_, std::move(decoded));
    }
    for (const auto& effect : effects)
      perform(effect);
    // What is not out any more is out of hand: its answer was taken, or the run has ended.
    std::set<call_key> out;
    for (const auto& call : calls_out(state_))
      out.insert({call.step, call.attempt, call.undo});
    for (auto i = in_hand_.begin(); i != in_hand_.end();)
      i = out.contains(*i) ? std::next(i) : in_hand_.erase(i);
    BOOST_REQUIRE(in_hand_ == out);
  }

  void perform(const run_effect& effect) {
    if (const auto* call = std::get_if<begin_call>(&effect)) {
      BOOST_REQUIRE(!state_.paused);
      auto [place, is_new] = in_hand_.insert({call->step, call->attempt, call->undo});
      BOOST_REQUIRE_MESSAGE(is_new, "a call begins once");
      BOOST_REQUIRE(state_.phase == (call->undo ? run_phase::compensating : run_phase::running));
      if (!call->undo)
        for (auto need : state_.workflow->steps[call->step].needs)
          BOOST_REQUIRE(state_.steps[need].phase == step_phase::succeeded);
      check_results(*call);
    } else if (const auto* call = std::get_if<abandon_call>(&effect)) {
      BOOST_REQUIRE(state_.workflow->steps[call->step].effect == call_effect::none);
      BOOST_REQUIRE(in_hand_.contains({call->step, call->attempt, false}));
      abandoned_.insert({call->step, call->attempt, false});
    } else if (const auto* call = std::get_if<withdraw_call>(&effect)) {
      BOOST_REQUIRE(in_hand_.contains({call->step, call->attempt, false}));
      BOOST_REQUIRE(call->cancel == (state_.cancelling && !state_.paused));
    }
  }

  /// Every attempt at a step is told the same results, and whoever undoes it is told them again, and its own.
  void check_results(const begin_call& call) {
    const auto prepared = prepare_call(state_, call.step, call.undo, {});
    BOOST_REQUIRE(std::holds_alternative<call_request>(prepared));
    const auto results = nlohmann::json::parse(std::get<call_request>(prepared).body).at("results");
    const auto& step = state_.steps[call.step];
    if (!call.undo) {
      if (step.attempts_in_round == 1)
        told_[call.step] = results;
      BOOST_REQUIRE(results == told_[call.step]);
      return;
    }
    auto wanted = told_.at(call.step);
    if (step.phase == step_phase::succeeded)
      wanted[state_.workflow->steps[call.step].name] = nlohmann::json::parse(step.output);
    BOOST_REQUIRE(results == wanted);
  }

  /// The process dies and what was in memory with it.
  void crash() {
    state_ = shadow_;
    in_hand_.clear();
    abandoned_.clear();
    for (const auto& call : calls_out(state_))
      in_hand_.insert({call.step, call.attempt, call.undo});
  }

  // ---- the promises ---------------------------------------------------------------

  void check_event(const event& fact) {
    if (fact.kind == event_kind::run_retried)
      ends_ = 0;
    if (is_terminal(fact.kind))
      ++ends_;
    BOOST_REQUIRE_MESSAGE(ends_ <= 1, "a run ends once");
    if (fact.kind != event_kind::step_compensated)
      return;
    // Whatever succeeded later and can be undone has been seen to before.
    for (step_index i = 0; i < state_.steps.size(); ++i)
      if (state_.steps[i].success_order > state_.steps[*fact.step].success_order)
        BOOST_REQUIRE(!state_.workflow->steps[i].compensate || state_.steps[i].undo > undo_phase::backing_off);
  }

  void check() {
    BOOST_REQUIRE(state_ == shadow_);
    BOOST_REQUIRE(audit_of(state_) == audit_of(shadow_));
    BOOST_REQUIRE(!explain(state_, {now_}).summary.empty());
    if (state_.phase == run_phase::ended) {
      BOOST_REQUIRE(ends_ == 1 && !state_.paused && !next_due(state_) && calls_out(state_).empty());
      return;
    }
    BOOST_REQUIRE(ends_ == 0);
    if (!state_.paused && state_.phase != run_phase::pending)
      BOOST_REQUIRE_MESSAGE(
        !in_hand_.empty() || next_due(state_),
        "a run that has not ended waits for something; " << to_string(state_.phase));
  }

  void check_end() {
    const auto faults = order_faults(records_, *state_.workflow);
    BOOST_TEST_REQUIRE(faults.empty(), (faults.empty() ? "" : faults.front().message));
    auto row = audit_of(state_);
    BOOST_REQUIRE(row.status == *state_.ended_as);
    bool undone_as_it_should = state_.ended_as == run_status::failed || state_.ended_as == run_status::cancelled;
    for (step_index i = 0; i < state_.steps.size(); ++i) {
      const auto& step = state_.steps[i];
      const auto& definition = state_.workflow->steps[i];
      bool in_doubt = step.phase == step_phase::failed && step.unknown &&
                      definition.compensate_when == compensation_condition::attempted;
      bool undoable = (step.phase == step_phase::succeeded || in_doubt) && definition.compensate;
      bool settled = step.undo == undo_phase::compensated || step.undo == undo_phase::failed;
      BOOST_REQUIRE(settled == (undoable && undone_as_it_should));
    }
    const bool completed = state_.ended_as == run_status::completed;
    const bool needs = std::any_of(state_.steps.begin(), state_.steps.end(), [&](const auto& step) {
      const bool unknown = step.unknown && step.phase != step_phase::succeeded && step.undo != undo_phase::compensated;
      return step.undo == undo_phase::failed || (step.left_behind && !completed) || unknown ||
             !step.unknown_keys.empty();
    });
    BOOST_REQUIRE(row.attention.has_value() == (needs && !state_.attention_resolved));
  }

  std::mt19937_64 draw_;
  timestamp now_ = night();
  run_state state_;
  run_state shadow_;
  std::vector<event_record> records_;
  std::set<call_key> in_hand_;
  std::set<call_key> abandoned_;
  /// The results that each step's call was told, since the step began.
  std::map<step_index, nlohmann::json> told_;
  decision last_resort_;
  size_t inputs_ = 0;
  int ends_ = 0;
};

} // namespace

BOOST_AUTO_TEST_SUITE(run_machine_walk_test)

BOOST_AUTO_TEST_CASE(every_walk_keeps_the_promises) {
  auto seed = seed_of_this_run();
  BOOST_TEST_MESSAGE("LEVAIN_SEED=" << seed);
  size_t inputs = 0;
  for (uint64_t n = 0; inputs < walk_inputs_min; ++n) {
    BOOST_TEST_CONTEXT("LEVAIN_SEED=" << seed << ", walk " << n) {
      inputs += walk(seed * 1'000'003 + n).go();
    }
  }
  BOOST_TEST(inputs >= walk_inputs_min);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace levain::test
