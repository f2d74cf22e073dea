#include "actors/watchdog.hpp"

#include <algorithm>
#include <caf/send.hpp>
#include <fmt/format.h>

namespace levain {

namespace {

/// Between two pages of one look, so that many runs are not asked all at once.
constexpr duration page_pause = std::chrono::milliseconds(250);
/// Whoever has not answered for so long is silent; the look goes on without.
constexpr duration answer_wait = std::chrono::seconds(5);
/// A run that was healed and not heard of for so long is forgotten.
constexpr duration healing_memory = std::chrono::hours(1);

} // namespace

watchdog_state::watchdog_state(watchdog_actor::pointer self)
  : self_(self) {}

void watchdog_state::begin(watchdog_beginning how) {
  with_ = std::move(how);
  database_since_ = steady();
  wake_in(with_.options.look_interval);
}

void watchdog_state::wake_in(duration wait) {
  self_->delayed_send(self_, wait, look_around{++turn_});
}

void watchdog_state::woken(const look_around& x) {
  if (x.turn != turn_)
    return;
  switch (phase_) {
  case phase_type::resting:
    begin_look();
    break;
  case phase_type::asking:
    for (const auto& run : std::exchange(unanswered_, {}))
      judge(
        suspects_, look_,
        {run, 0, liveness_kind::silent, fmt::format("its actor has not answered since {}", to_rfc3339(asked_at_))});
    page_done();
    break;
  case phase_type::pausing:
    ask_page();
    break;
  case phase_type::reading:
    // Recovery waits for the database or has much to read; the rows have time until the next look.
    end_look();
    break;
  }
}

std::optional<timestamp> watchdog_state::database_since() {
  if (with_.writers && with_.writers->outage.going_on())
    database_since_.reset();
  else if (!database_since_)
    database_since_ = steady();
  return database_since_;
}

// ---- one look ---------------------------------------------------------------

void watchdog_state::begin_look() {
  ++look_;
  healed_this_look_ = 0;
  cursor_ = 0;
  self_->send(with_.dispatcher, look_at_stopped{with_.options.stopped_runs_max});
  ask_page();
}

void watchdog_state::ask_page() {
  phase_ = phase_type::asking;
  asked_at_ = now();
  const auto to = watchdog_actor(self_);
  self_->send(
    with_.dispatcher, look_at_live{
                        cursor_, with_.options.page_runs_max, with_.options.overdue_grace, database_since(),
                        [to](live_page x) { caf::anon_send(to, std::move(x)); },
                        [to](run_liveness x) { caf::anon_send(to, std::move(x)); }});
  wake_in(answer_wait);
}

void watchdog_state::paged(const live_page& page) {
  if (phase_ != phase_type::asking)
    return; // It came too late.
  // The page is sent before its runs are asked, so no answer is here yet.
  unanswered_.insert(page.asked.begin(), page.asked.end());
  for (const auto& run : page.served)
    with_.log->note({now(), run, liveness_kind::unserved, "it stood in line although a slot was free"});
  cursor_ = page.next;
  if (unanswered_.empty())
    page_done();
}

void watchdog_state::told(const run_liveness& x) {
  judge(suspects_, look_, x);
  if (unanswered_.erase(x.run) > 0 && unanswered_.empty() && phase_ == phase_type::asking)
    page_done();
}

void watchdog_state::page_done() {
  if (cursor_ != 0) {
    phase_ = phase_type::pausing;
    wake_in(page_pause);
    return;
  }
  phase_ = phase_type::reading;
  const auto to = watchdog_actor(self_);
  self_->send(with_.dispatcher, look_at_rows{rows_after_, with_.options.listed_rows_max, [to](open_rows_page x) {
                                               caf::anon_send(to, std::move(x));
                                             }});
  wake_in(with_.options.look_interval);
}

void watchdog_state::listed(const open_rows_page& page) {
  for (const auto& run : page.missing)
    judge(
      missing_, round_,
      {run, 0, liveness_kind::orphaned, "its row or its journal says that it goes on, and no actor has it"});
  if (page.read) {
    rows_after_ = page.last;
    if (!rows_after_) {
      // What was not missing in this round is no suspect any more.
      std::erase_if(missing_, [&](const auto& each) { return each.second.look != round_; });
      ++round_;
    }
  }
  if (phase_ == phase_type::reading)
    end_look();
}

void watchdog_state::end_look() {
  std::erase_if(suspects_, [&](const auto& each) { return each.second.look != look_; });
  std::erase_if(healed_, [&](const auto& each) { return steady() - each.second.at > healing_memory; });
  with_.log->looked(now());
  phase_ = phase_type::resting;
  wake_in(with_.options.look_interval);
}

// ---- judgement --------------------------------------------------------------

void watchdog_state::judge(std::unordered_map<run_id, suspicion>& suspects, uint64_t look, const run_liveness& x) {
  if (x.fault == liveness_kind::overdue && with_.writers && with_.writers->held_up.contains(x.run)) {
    // It waits for a lock that others hold: taken up anew it would wait for the same.
    suspects.erase(x.run);
    return;
  }
  if (!x.fault) {
    suspects.erase(x.run);
    if (const auto healed = healed_.find(x.run); healed != healed_.end() && x.seq > healed->second.seq)
      healed_.erase(healed);
    return;
  }
  const auto [place, fresh] = suspects.try_emplace(x.run, suspicion{*x.fault, x.seq, look});
  auto& known = place->second;
  // Only what is found the same on two looks in a row is no run in motion.
  const bool confirmed = !fresh && known.kind == *x.fault && known.seq == x.seq && known.look + 1 == look;
  known = {*x.fault, x.seq, look};
  if (!confirmed || healed_this_look_ == with_.options.heals_per_look_max)
    return;
  ++healed_this_look_;
  suspects.erase(place);
  heal(x);
}

void watchdog_state::heal(const run_liveness& x) {
  with_.log->note({now(), x.run, *x.fault, x.detail});
  auto& healed = healed_[x.run];
  ++healed.times;
  healed.seq = x.seq;
  healed.at = steady();
  const bool give_up = healed.times > with_.options.heals_max;
  auto detail = x.detail;
  if (give_up) {
    with_.log->note_given_up();
    healed_.erase(x.run);
    detail =
      fmt::format("it came to a halt again after it was taken up anew {} times: {}", with_.options.heals_max, detail);
  }
  self_->send(with_.dispatcher, heal_run{x.run, give_up, std::move(detail)});
}

watchdog_actor::behavior_type watchdog(watchdog_actor::stateful_pointer<watchdog_state> self, watchdog_beginning how) {
  self->state.begin(std::move(how));
  return {
    [self](const look_around& x) { self->state.woken(x); },
    [self](const live_page& x) { self->state.paged(x); },
    [self](const run_liveness& x) { self->state.told(x); },
    [self](const open_rows_page& x) { self->state.listed(x); },
  };
}

} // namespace levain
