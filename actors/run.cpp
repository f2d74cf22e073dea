#include "actors/run.hpp"

#include "persistence/log_quoted.hpp"

#include <algorithm>
#include <caf/send.hpp>
#include <cassert>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace levain {

namespace {

/// After so many rejections without one commit between them the actor gives up: more of the same would change nothing.
constexpr uint32_t rejections_max = 3;
/// Between attempts to read a run back after a rejection.
constexpr duration reload_interval = std::chrono::seconds(1);

} // namespace

run_actor_state::run_actor_state(run_actor::pointer self)
  : self_(self) {}

run_actor_state::~run_actor_state() {
  for (const auto& each : attempts_)
    caf::anon_send_exit(each.actor, caf::exit_reason::kill);
  while (!wanting_.empty())
    forget_wanting(begin_call(wanting_.back().call));
}

// ---- beginning --------------------------------------------------------------

void run_actor_state::begin(run_beginning how) {
  environment_ = std::move(how.environment);
  dispatcher_ = std::move(how.dispatcher);
  epoch_ = how.epoch;
  const auto seed = environment_->entropy();
  chance_ = random_draw(seed.high ^ seed.low);
  memory_ = std::move(how.memory);
  bytes_expected_ = memory_.count();
  if (!how.recovered) {
    begin_new(how);
    return;
  }
  run_ = std::move(*how.recovered);
  count_memory();
  durable_seq_ = strict_seq_ = run_.seq;
  // A row that is older than the journal is brought up to date if the run lives long enough.
  projected_seq_ = how.row_is_current ? run_.seq : run_.seq - 1;
  projected_at_ = steady();
  if (how.mend_row) {
    project();
    return;
  }
  taking_up_ = true;
  for (const auto& call : calls_out(run_))
    begin_attempt(call, true);
  taking_up_ = false;
  begin_grace();
  arm_timer();
}

void run_actor_state::begin_new(run_beginning& how) {
  start_outcome_ = std::move(how.outcome);
  run_ = initial_state(std::move(how.workflow));
  std::vector<event> facts;
  try {
    facts.push_back(accept_run(how.plan, now()));
  } catch (const std::invalid_argument& unusable) {
    run_.plan.run = how.plan.run;
    std::exchange(start_outcome_, nullptr)(
      start_refused{start_refused::reason_type::rejected, unusable.what(), std::nullopt});
    end(run_left::reason_type::not_started);
    return;
  }
  evolve(run_, facts.front());
  std::vector<run_effect> effects;
  has_slot_ = how.admitted;
  if (has_slot_) {
    auto decided = decide(run_, slot_granted{}, {now(), chance_.next()});
    for (const auto& fact : decided.events)
      evolve(run_, fact);
    std::move(decided.events.begin(), decided.events.end(), std::back_inserter(facts));
    effects = std::move(decided.effects);
  }
  strict_seq_ = run_.seq;
  append(facts, std::move(how.key));
  for (const auto& effect : effects)
    held_effects_.push_back({run_.seq, effect});
  count_memory();
}

// ---- deciding and remembering ----------------------------------------------

std::optional<std::string> run_actor_state::feed(run_input input) {
  if (leaving_)
    return std::nullopt;
  if (reloading_) {
    stashed_.push_back(std::move(input));
    return std::nullopt;
  }
  auto decided = decide(run_, input, {now(), chance_.next(), waits_that_came()});
  // What it has no use for may be refused yet, and then the answer is wanted.
  if (auto* answer = std::get_if<call_answered>(&input); answer && decided.events.empty() && run_.seq != durable_seq_)
    unused_answers_.push_back({run_.seq, std::move(*answer)});
  if (decided.refusal)
    return decided.refusal;
  if (!decided.events.empty()) {
    const auto strict_before = strict_seq_;
    for (const auto& fact : decided.events) {
      const bool free_outcome = fact.kind == event_kind::step_succeeded && fact.step &&
                                run_.workflow->steps[*fact.step].effect == call_effect::none;
      if (!free_outcome)
        strict_seq_ = fact.seq;
      evolve(run_, fact);
    }
    remember(decided.events, strict_seq_ == strict_before);
    unsettled_.push_back({run_.seq, std::move(decided.events), std::move(input)});
  }
  for (const auto& effect : decided.effects) {
    if (!catching_up_ && may_go_before_commit(effect))
      perform(effect);
    else
      held_effects_.push_back({run_.seq, effect});
  }
  withdraw_wanting();
  arm_timer();
  count_memory();
  return std::nullopt;
}

void run_actor_state::take_slot() {
  has_slot_ = true;
  // A start that is not settled may turn out to be none: an event written then would begin a journal in its middle.
  if (!start_outcome_)
    feed(slot_granted{});
}

bool run_actor_state::may_go_before_commit(const run_effect& effect) const {
  // What an abandoned call stops for may yet be refused, and then the call is wanted.
  if (!std::holds_alternative<begin_call>(effect))
    return false;
  const auto& call = std::get<begin_call>(effect);
  return !call.undo && run_.workflow->steps[call.step].effect == call_effect::none && strict_seq_ <= durable_seq_;
}

void run_actor_state::settled(const append_answered& x) {
  if (leaving_)
    return;
  assert(appends_out_ > 0);
  // What followed a rejected append is dropped and never answered.
  appends_out_ = std::holds_alternative<append_rejected>(x.outcome) ? 0 : appends_out_ - 1;
  if (start_outcome_) {
    start_settled(x.outcome);
    if (leaving_)
      return;
  }
  if (std::holds_alternative<append_committed>(x.outcome)) {
    became_durable(x.seq);
    if (has_slot_ && run_.phase == run_phase::pending)
      feed(slot_granted{});
  } else if (const auto* bad = std::get_if<append_rejected>(&x.outcome)) {
    rejected(x.seq, bad->reason);
  } else {
    refuse_held_wishes("the run's shard has another owner now; ask again");
    end(run_left::reason_type::fenced);
  }
  append_held_back();
  leave_if_settled();
}

void run_actor_state::start_settled(const append_outcome& outcome) {
  const auto tell = std::exchange(start_outcome_, nullptr);
  if (std::holds_alternative<append_committed>(outcome)) {
    tell(start_acknowledged{run_.plan.run, run_.plan.run_number, false});
    return;
  }
  if (const auto* twin = std::get_if<append_duplicate>(&outcome)) {
    if (twin->same_content)
      tell(start_acknowledged{twin->existing, {}, true});
    else
      tell(start_refused{
        start_refused::reason_type::key_conflict,
        fmt::format("the idempotency key was used for run {} with another content", to_string(twin->existing)),
        std::nullopt});
  } else if (const auto* bad = std::get_if<append_rejected>(&outcome)) {
    tell(start_refused{start_refused::reason_type::rejected, bad->reason, std::nullopt});
  } else {
    tell(start_refused{
      start_refused::reason_type::not_ready, "the shard this run was to live in has another owner now; ask again",
      std::nullopt});
  }
  end(
    std::holds_alternative<append_fenced>(outcome) ? run_left::reason_type::fenced
                                                   : run_left::reason_type::not_started);
}

void run_actor_state::became_durable(int32_t seq) {
  durable_seq_ = std::max(durable_seq_, seq);
  rejections_ = 0;
  std::erase_if(unsettled_, [&](const unsettled_input& x) { return x.seq <= durable_seq_; });
  std::erase_if(unused_answers_, [&](const unused_answer& x) { return x.seq <= durable_seq_; });
  count_memory();
  if (durable_seq_ == run_.seq) {
    unsettled_since_.reset();
    one_by_one_ = false;
  }
  std::erase_if(held_wishes_, [&](held_wish& x) {
    if (x.seq > durable_seq_)
      return false;
    x.outcome(std::move(x.answer));
    return true;
  });
  // Performing may feed and so hold more: what is released now is taken out first.
  std::vector<run_effect> released;
  std::erase_if(held_effects_, [&](held_effect& x) {
    if (x.seq > durable_seq_)
      return false;
    released.push_back(x.effect);
    return true;
  });
  for (const auto& effect : released)
    perform(effect);
  if (run_.phase == run_phase::ended && durable_seq_ == run_.seq) {
    if (seq > 0 && !run_.attention_resolved)
      tell_ending(); // Not where a run that had ended was resolved, or only its row was mended.
    end(run_left::reason_type::ended);
    return;
  }
  arm_timer();
}

// ---- a rejection ------------------------------------------------------------

void run_actor_state::rejected(int32_t seq, const std::string& reason) {
  const auto together =
    std::count_if(unsettled_.begin(), unsettled_.end(), [&](const unsettled_input& x) { return x.seq <= seq; });
  // What several inputs led to went in one append: it is decided again and goes one by one, so that the one that is at
  // fault is found.
  one_by_one_ = together > 1;
  if (!one_by_one_ && ++rejections_ > rejections_max) {
    give_up(stop_kind::events_refused, reason);
    return;
  }
  reloading_ = true;
  for (const auto& each : held_effects_)
    if (const auto* call = std::get_if<begin_call>(&each.effect))
      never_begun_.push_back(*call);
  held_effects_.clear();
  held_back_.clear();
  refused_ = {{}, reason};
  for (auto& each : unsettled_) {
    if (each.seq == seq && !one_by_one_)
      refused_.events = std::move(each.events);
    else if (std::holds_alternative<call_answered>(each.input))
      stashed_.push_back(std::move(each.input)); // An answer is not asked for twice.
  }
  unsettled_.clear();
  for (auto& each : std::exchange(unused_answers_, {}))
    stashed_.push_back(std::move(each.answer));
  refuse_held_wishes(fmt::format("the database refused what the run was to remember: {}", reason));
  read_back();
}

void run_actor_state::read_back() {
  // One at a time: what an earlier question brings late is older than what was written since.
  if (!std::exchange(load_out_, true))
    self_->send(environment_->recovery, load_run{run_.plan.run});
}

void run_actor_state::give_up(stop_kind kind, const std::string& reason) {
  // Not even its end can be written: a person has to look at it. The node goes on without the run.
  refuse_held_wishes(reason);
  end(run_left::reason_type::given_up, run_stop{kind, reason, now()});
}

void run_actor_state::reloaded(const run_loaded& x) {
  load_out_ = false;
  if (!reloading_ || leaving_)
    return;
  if (!x.state && x.failure.empty()) {
    give_up(stop_kind::journal_damaged, x.damage.empty() ? "the journal has no events any more" : x.damage);
    return;
  }
  if (!x.state) {
    spdlog::warn("run_reload_failed run={} reason={}", to_string(run_.plan.run), log_quoted(x.failure));
    armed_ = steady() + reload_interval;
    self_->send(environment_->timekeeper, wake_at{*armed_});
    return;
  }
  reloading_ = false;
  after_rejection_ = true;
  run_ = std::move(*x.state);
  durable_seq_ = strict_seq_ = run_.seq;
  unsettled_since_.reset();
  const auto out = calls_out(run_);
  const bool had_events = !refused_.events.empty();
  catching_up_ = true;
  if (!one_by_one_) {
    if (const auto hopeless = feed(std::move(refused_))) {
      give_up(stop_kind::events_refused, *hopeless);
      return;
    }
  }
  // Only what a person wished was refused: the run itself goes on as ever, however often that happens.
  if (had_events && run_.seq == durable_seq_)
    rejections_ = 0;
  auto waiting = std::exchange(stashed_, {});
  for (auto& input : waiting)
    feed(std::move(input));
  // A slot is not given twice, whatever the run made of it when it had the wish that was refused.
  if (run_.phase == run_phase::pending && has_slot_)
    feed(slot_granted{});
  catching_up_ = false;
  perform_what_may_go();
  // What the journal says is out and nobody makes (it was held when the rejection came) is made now. What begins with
  // events that are on their way is held like any other.
  const auto still_out = calls_out(run_);
  const auto never_begun = std::exchange(never_begun_, {});
  for (const auto& call : out)
    if (std::find(still_out.begin(), still_out.end(), call) == still_out.end())
      continue;
    else if (std::find(never_begun.begin(), never_begun.end(), call) != never_begun.end())
      perform(call);
    else
      begin_attempt(call, true);
  for (auto& each : std::exchange(parked_memory_, {}))
    take_memory(each);
  begin_grace();
  if (run_.seq != durable_seq_)
    return;
  if (run_.phase == run_phase::ended)
    end(run_left::reason_type::ended);
  else if (hand_over_by_)
    leave_if_settled();
  else if (attempts_.empty() && wanting_.empty() && !next_due(run_) && !run_.paused && run_.phase != run_phase::pending)
    give_up(
      stop_kind::events_refused, "the database refuses whatever the run would do next"); // Nothing would ever wake it.
}

// ---- effects ----------------------------------------------------------------

void run_actor_state::perform_what_may_go() {
  for (const auto& each : std::exchange(held_effects_, {}))
    if (may_go_before_commit(each.effect))
      perform(each.effect);
    else
      held_effects_.push_back(each);
}

void run_actor_state::perform(const run_effect& effect) {
  if (const auto* call = std::get_if<begin_call>(&effect)) {
    if (!is_out(*call))
      return;
    if (is_withdrawn_by_now(*call))
      self_->send(
        run_actor(self_), attempt_ended{
                            call->step, call->attempt, call->undo,
                            call_failure{call_failure::kind_type::withdrawn, "it was not begun", std::nullopt}});
    else
      begin_attempt(*call);
  } else if (const auto* back = std::get_if<withdraw_call>(&effect)) {
    withdraw_attempt_of(*back);
  } else {
    abandon_attempt_of(std::get<abandon_call>(effect).step);
  }
}

bool run_actor_state::is_out(const begin_call& call) const {
  const auto& step = run_.steps[call.step];
  return call.undo ? step.undo == undo_phase::calling && step.undo_attempt == call.attempt
                   : step.phase == step_phase::calling && step.attempt == call.attempt;
}

void run_actor_state::abandon_attempt_of(step_index step) {
  for (const auto& each : attempts_)
    if (each.call.step == step && !each.call.undo)
      self_->send(each.actor, abandon_attempt{});
}

void run_actor_state::attempt_is_over(attempt_ended& x) {
  const begin_call call{x.step, x.attempt, x.undo};
  forget_wanting(call);
  bool made_before = false;
  call_answered answer{x.step, x.attempt, x.undo, std::move(x.result)};
  // Until the run counts the answer among its own texts.
  call_bytes_ptr memory;
  const auto known = std::erase_if(attempts_, [&](attempt_out& each) {
    if (each.call != call)
      return false;
    made_before = made_before || each.made_before;
    memory = std::move(each.memory);
    answer.worker = each.worker;
    answer.queued = each.queued + (each.waits ? steady() - each.moved_at : duration(0));
    return true;
  });
  if (hand_over_by_ && known == 0)
    return; // It was let go.
  // Nobody was given it here; what an earlier owner did with it is not known.
  if (auto* failed = std::get_if<call_failure>(&answer.result);
      failed != nullptr && failed->kind == call_failure::kind_type::withdrawn && made_before)
    *failed = call_failure{
      call_failure::kind_type::abandoned, "it may have begun before the run was taken up, and its run has stopped",
      std::nullopt, true};
  feed(std::move(answer));
  leave_if_settled();
}

// ---- people -----------------------------------------------------------------

void run_actor_state::take_wish(wish_asked& x) {
  if (leaving_) {
    // The dispatcher will read the run back from the journal.
    self_->send(dispatcher_, change_run{run_.plan.run, run_.plan.tenant, std::move(x.asked), std::move(x.outcome)});
    return;
  }
  if (reloading_ || start_outcome_) {
    x.outcome(wish_refused{wish_refused::reason_type::unavailable, "the run is being read back; ask again"});
    return;
  }
  auto refusal = feed(std::visit([](auto& asked) -> run_input { return std::move(asked); }, x.asked));
  if (refusal)
    answer_when_durable(std::move(x.outcome), wish_refused{wish_refused::reason_type::conflict, std::move(*refusal)});
  else
    answer_when_durable(std::move(x.outcome), wish_granted{});
  // A run that was read back for this wish alone, and stays as it was, goes again.
  if (run_.phase == run_phase::ended && durable_seq_ == run_.seq)
    end(run_left::reason_type::ended);
}

void run_actor_state::answer_when_durable(receiver<wish_outcome> outcome, wish_outcome answer) {
  // A rejection rests on events as an acceptance does: what is not durable yet may never have been.
  if (durable_seq_ == run_.seq)
    outcome(std::move(answer));
  else
    held_wishes_.push_back({run_.seq, std::move(outcome), std::move(answer)});
}

void run_actor_state::refuse_held_wishes(const std::string& why) {
  for (auto& each : std::exchange(held_wishes_, {}))
    each.outcome(wish_refused{wish_refused::reason_type::unavailable, why});
}

run_actor::behavior_type run(run_actor::stateful_pointer<run_actor_state> self, run_beginning how) {
  self->state.begin(std::move(how));
  return {
    [self](const begin_run&) { self->state.take_slot(); },
    [self](const append_answered& x) { self->state.settled(x); },
    [self](attempt_ended& x) { self->state.attempt_is_over(x); },
    [self](const attempt_moved& x) { self->state.attempt_has_moved(x); },
    [self](memory_granted& x) { self->state.take_memory(x); },
    [self](const wake&) { self->state.woken(); },
    [self](wish_asked& x) { self->state.take_wish(x); },
    [self](const explanation_asked& x) { self->state.explain_yourself(x); },
    [self](const run_loaded& x) { self->state.reloaded(x); },
    [self](const hand_over_run& x) { self->state.hand_over(x); },
    [self](const liveness_asked& x) { self->state.say_what_moves_it(x); },
    [self](const leave_run&) { self->state.leave(); },
  };
}

} // namespace levain
