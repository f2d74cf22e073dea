#include "tests/simulation/auditor/wish_ledger.hpp"

#include <array>

namespace levain::simulation {

namespace {

constexpr std::array<const char*, 6> wish_names = {"cancel", "pause", "resume", "retry", "terminate", "resolve"};
constexpr std::array<event_kind, 6> wish_events = {event_kind::cancel_requested,    event_kind::run_paused,
                                                   event_kind::run_resumed,         event_kind::run_retried,
                                                   event_kind::terminate_requested, event_kind::attention_resolved};

std::string shown(const wish_asked& x) {
  return "the wish of " + x.by + " to " + wish_names.at(static_cast<size_t>(x.kind));
}

} // namespace

void wish_ledger::asked(const wish_asked& x) {
  auto& wish = wishes_[x.request] = {x};
  by_[x.by] = x.request;
  if (const auto story = stories_.find(x.run); story != stories_.end())
    wish.rejectable = is_rejectable(x.kind, story->second);
  open_[x.run].insert(x.request);
}

bool wish_ledger::is_rejectable(wish_kind kind, const run_story& story) {
  using stage = run_story::stage_type;
  const bool ended = story.stage == stage::ended;
  switch (kind) {
  case wish_kind::cancel:
    return ended || story.cancelling || story.stage == stage::stopping || story.stage == stage::compensating;
  case wish_kind::pause:
    return ended || story.paused;
  case wish_kind::resume:
    return ended || !story.paused;
  case wish_kind::retry:
    return ended ? story.ended_as != run_status::failed && story.ended_as != run_status::partial_success
                 : story.stage != stage::waiting_for_retry;
  case wish_kind::terminate:
    return ended;
  case wish_kind::resolve:
    return !ended || story.resolved || (story.ended_as != run_status::failed && !story.needs_attention());
  }
  return false;
}

/// Who retries a run that nobody acts for gets just that: no event, and somebody acts for it.
bool wish_ledger::is_taken_up(const wish_asked& x, const run_story& story) const {
  return x.kind == wish_kind::retry && story.stage != run_story::stage_type::ended && damage_.was_damaged(x.run);
}

void wish_ledger::followed(const run_story& story) {
  const auto open = open_.find(story.run);
  if (open == open_.end())
    return;
  for (const auto request : open->second) {
    auto& wish = wishes_.at(request);
    wish.rejectable = wish.rejectable || is_rejectable(wish.what.kind, story);
  }
}

void wish_ledger::told(const wish_told& x) {
  const auto found = wishes_.find(x.request);
  if (found == wishes_.end()) {
    accuse_(rule::told_once, std::nullopt, "wish " + std::to_string(x.request) + " is answered and nobody asked");
    return;
  }
  auto& wish = found->second;
  const auto& asked = wish.what;
  open_[asked.run].erase(x.request);
  if (std::exchange(wish.told, true))
    accuse_(rule::told_once, asked.run, shown(asked) + " is answered twice");
  if (!owners_.lives(asked.to))
    accuse_(rule::dead_are_silent, asked.run, shown(asked) + " is answered by a process that was killed");
  const auto story = stories_.find(asked.run);
  const bool theirs = story != stories_.end() && story->second.tenant == asked.tenant;
  if (x.granted && !theirs)
    accuse_(rule::tenants_apart, asked.run, shown(asked) + " is granted and the run is not theirs");
  else if (x.granted && !wish.written && !is_taken_up(asked, story->second))
    accuse_(rule::wish_durable, asked.run, shown(asked) + " is granted and its event is not on disk");
  if (x.granted)
    return;
  if (!theirs && x.refusal != "not_found" && x.refusal != "unavailable" && x.refusal != "elsewhere")
    accuse_(
      rule::tenants_apart, asked.run, shown(asked) + " is refused with " + x.refusal + ", which tells that the run is");
  if (theirs && x.refusal == "conflict" && !wish.rejectable && !damage_.is_damaged(asked.run, asked.at))
    accuse_(rule::rejection_durable, asked.run, shown(asked) + " is rejected for what is not on disk");
  // Who is told `unavailable` may have been heard all the same, and is to ask again.
  wish.refused = x.refusal != "unavailable";
  if (wish.refused && wish.written)
    accuse_(rule::wish_refused_clean, asked.run, shown(asked) + " is refused and its event is on disk");
}

void wish_ledger::told(const question_told& x) {
  auto& [asked, told] = questions_.at(x.request);
  const auto what = "question " + std::to_string(x.request);
  if (std::exchange(told, true))
    accuse_(rule::told_once, asked.run, what + " is answered twice");
  if (!owners_.lives(asked.to))
    accuse_(rule::dead_are_silent, asked.run, what + " is answered by a process that was killed");
  const auto story = stories_.find(asked.run);
  const bool theirs = story != stories_.end() && story->second.tenant == asked.tenant;
  if (x.explained != theirs && (x.explained || x.refusal != "unavailable"))
    accuse_(
      rule::tenants_apart, asked.run,
      what + (x.explained ? " is answered and the run is not theirs"
                          : " is refused with " + x.refusal + ", and the run is theirs"));
}

void wish_ledger::written(const run_story& story, const event_record& event, const event_told& told) {
  if (told.by.empty())
    return;
  const auto found = by_.find(told.by);
  if (found == by_.end()) {
    accuse_(
      rule::wish_refused_clean, story.run,
      std::string(levain::to_string(event.kind)) + " by " + told.by + ", and nobody of that name wished anything");
    return;
  }
  auto& wish = wishes_.at(found->second);
  if (wish.what.tenant != story.tenant || wish.what.run != story.run)
    accuse_(rule::tenants_apart, story.run, shown(wish.what) + " changed a run that it was not about");
  else if (event.kind != wish_events.at(static_cast<size_t>(wish.what.kind)))
    accuse_(
      rule::wish_refused_clean, story.run, shown(wish.what) + " became " + std::string(levain::to_string(event.kind)));
  else if (wish.refused)
    accuse_(rule::wish_refused_clean, story.run, shown(wish.what) + " was refused and its event comes to the disk");
  wish.written = true;
}

void wish_ledger::finish() const {
  for (const auto& [id, wish] : wishes_)
    if (!wish.told && owners_.lives(wish.what.to))
      accuse_(rule::told_once, wish.what.run, shown(wish.what) + " was never answered by " + to_string(wish.what.to));
  for (const auto& [id, each] : questions_)
    if (!each.second && owners_.lives(each.first.to))
      accuse_(rule::told_once, each.first.run, "question " + std::to_string(id) + " was never answered");
}

} // namespace levain::simulation
