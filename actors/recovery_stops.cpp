// What recovery does for runs that nobody acts for, and for the watchdog.
#include <algorithm>
#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include "actors/recovery.hpp"

#include "persistence/log_quoted.hpp"

namespace levain {

void recovery_state::note(const note_stops& x) {
  for (const auto& change : x.changes)
    stops_.insert_or_assign(change.run, change);
  if (!writing_stops_)
    write_stops();
}

void recovery_state::write_stops() {
  writing_stops_ = false;
  std::vector<stop_change> changes;
  for (const auto& [run, change] : stops_)
    changes.push_back(change);
  try {
    with_.store->write_stops(changes);
  } catch (const journal_unavailable& failure) {
    spdlog::warn("stops_wait reason={}", log_quoted(failure.what()));
    writing_stops_ = true;
    self_->delayed_send(self_, with_.options.retry_interval, write_stops_again{});
    return;
  }
  stops_.clear();
}

void recovery_state::survey_journal(const std::vector<shard_lease>& shards, open_rows_page& found) {
  // What is to be taken up first has the database for itself.
  if (survey_ == nullptr || shards.empty() || !portions_.empty())
    return;
  auto page = survey_->survey(shards, surveyed_down_to_, survey_events_max);
  surveyed_down_to_ = page.next;
  for (const auto& run : page.contradicted)
    if (
      contradicted_.size() < survey_runs_max &&
      std::find(contradicted_.begin(), contradicted_.end(), run) == contradicted_.end())
      contradicted_.push_back(run);
  if (contradicted_.empty())
    return;
  contradicted_ = survey_->contradicted(contradicted_);
  found.missing.insert(found.missing.end(), contradicted_.begin(), contradicted_.end());
}

void recovery_state::list(const list_open_rows& x, const caf::strong_actor_ptr& from) {
  open_rows_listed answer{{}, x.asked.page};
  try {
    if (!x.shards.empty())
      answer.found.missing = with_.store->open_rows(x.shards, x.asked.after, x.asked.limit);
    answer.found.read = true;
    if (answer.found.missing.size() == x.asked.limit)
      answer.found.last = answer.found.missing.back();
    survey_journal(x.shards, answer.found);
  } catch (const journal_unavailable& failure) {
    spdlog::debug("open_rows_unread reason={}", log_quoted(failure.what()));
  }
  if (from != nullptr)
    caf::anon_send(caf::actor_cast<caf::actor>(from), std::move(answer));
}

} // namespace levain
