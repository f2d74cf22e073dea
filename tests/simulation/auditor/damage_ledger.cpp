#include "tests/simulation/auditor/damage_ledger.hpp"

#include <algorithm>

#include "tests/simulation/auditor/ownership.hpp"

namespace levain::simulation {

namespace {

/// What was read while a journal was damaged is answered within this time after it was mended, however slow the
/// database is.
constexpr duration answer_patience = std::chrono::seconds(30);

/// A mended run is taken up by itself long before this, whatever befalls its node meanwhile. Later it was taken up
/// because somebody asked.
constexpr duration take_up_patience = std::chrono::minutes(10);

constexpr auto damaged_kind = "journal_damaged";

} // namespace

void damage_ledger::changed(const journal_tampered& x) {
  auto& journal = journals_[x.run];
  journal.damaged = x.damaged;
  if (x.damaged) {
    journal.since = ++moment_;
    journal.what = x.what;
  } else {
    journal.mended = x.at;
  }
}

void damage_ledger::noted(const stop_noted& x, const run_story* story) {
  if (x.kind.empty()) {
    const auto journal = journals_.find(x.run);
    const auto stop = stops_.find(x.run);
    if (
      stop != stops_.end() && !stop->second.of_ended && journal != journals_.end() && journal->second.mended &&
      x.at - *journal->second.mended > take_up_patience)
      accuse_(rule::mended_goes_on, x.run, "the run stood among the stopped ones until long after it was mended");
    stops_.erase(x.run);
    return;
  }
  const bool ended = story != nullptr && story->stage == run_story::stage_type::ended;
  const auto [place, fresh] = stops_.try_emplace(x.run);
  place->second = {x.epoch, ++moment_, x.kind, ended};
  if (x.kind == damaged_kind && !journals_.contains(x.run))
    accuse_(rule::damaged_is_stopped, x.run, to_string(x.by) + " stops it, and nobody ever damaged its journal");
}

// ---- who acts ---------------------------------------------------------------

std::string damage_ledger::why_not(const run_id& run, epoch_number epoch) const {
  const auto journal = journals_.find(run);
  if (journal == journals_.end() || !journal->second.damaged || epoch != owners_.epoch(shard_of(run)))
    return {};
  const auto owned = owned_.find(shard_of(run));
  if (owned != owned_.end() && owned->second > journal->second.since)
    return "its shard was taken over since " + journal->second.what;
  const auto stop = stops_.find(run);
  if (stop != stops_.end() && stop->second.epoch == epoch && stop->second.since > journal->second.since)
    return "it was stopped since " + journal->second.what;
  return {};
}

void damage_ledger::made(const call_made& x) const {
  const auto shard = shard_of(x.run);
  // Who owned the shard before may have old hands beside the new ones.
  if (!owners_.is_owner(x.from, shard) || owners_.ownerships(x.from, shard, timestamp::min()) > 1)
    return;
  if (const auto why = why_not(x.run, owners_.epoch(shard)); !why.empty())
    accuse_(
      rule::damaged_is_left_alone, x.run,
      to_string(x.from) + " calls " + to_string(attempt_name{x.step, x.attempt, x.undo}) + ", and " + why);
}

void damage_ledger::written(const run_written& x) const {
  if (const auto why = why_not(x.run, x.epoch); !why.empty())
    accuse_(rule::damaged_is_left_alone, x.run, to_string(x.by) + " writes of it, and " + why);
}

// ---- what is asked of it ----------------------------------------------------

bool damage_ledger::is_damaged(const run_id& run) const {
  const auto found = journals_.find(run);
  return found != journals_.end() && found->second.damaged;
}

bool damage_ledger::is_damaged(const run_id& run, timestamp asked) const {
  const auto found = journals_.find(run);
  return found != journals_.end() &&
         (found->second.damaged || (found->second.mended && asked <= *found->second.mended + answer_patience));
}

bool damage_ledger::explains(const std::string& complaint) const {
  const auto about = [&](const char* head, const char* kind) {
    return [&complaint, head, kind](const auto& each) {
      return complaint.starts_with(head + levain::to_string(each.first) + kind);
    };
  };
  // A run that its row tells nothing of is found by its journal, which the watchdog calls a fault.
  return std::any_of(journals_.begin(), journals_.end(), about("run_stopped run=", " kind=journal_damaged ")) ||
         std::any_of(rows_.begin(), rows_.end(), about("liveness_violation run=", " kind=orphaned "));
}

// ---- the end ----------------------------------------------------------------

void damage_ledger::finish(const run_story& story) const {
  const auto journal = journals_.find(story.run);
  const auto stop = stops_.find(story.run);
  const bool listed = stop != stops_.end() && stop->second.kind == damaged_kind;
  if (journal == journals_.end())
    return;
  const bool ended = story.stage == run_story::stage_type::ended;
  if (journal->second.damaged && !ended && !story.paused && !listed)
    accuse_(
      rule::damaged_is_stopped, story.run,
      "the run neither ends nor stands among the stopped ones, and " + journal->second.what);
  if (!journal->second.damaged && listed && !stop->second.of_ended)
    accuse_(rule::mended_goes_on, story.run, "the run still stands among the stopped ones long after it was mended");
}

} // namespace levain::simulation
