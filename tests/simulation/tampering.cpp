#include "tests/simulation/tampering.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace levain::simulation {

namespace {

/// Who finds nothing to change looks again after so long.
constexpr duration look_again = std::chrono::milliseconds(100);
constexpr auto broken_body = "{\"output\":";

/// The body without a member that an event of its kind needs; one that is no JSON where there is none.
std::string without_a_member(const std::string& body) {
  auto value = nlohmann::json::parse(body, nullptr, false);
  if (value.is_object())
    for (const auto* name : {"output", "due_at", "workflow", "message", "reason"})
      if (value.contains(name) && (std::string(name) != "reason" || value.size() == 1)) {
        value.erase(name);
        return value.dump();
      }
  return broken_body;
}

void do_damage(std::vector<event_record>& events, std::vector<event_record>::iterator which, damage_kind kind) {
  switch (kind) {
  case damage_kind::not_json:
    which->body = broken_body;
    break;
  case damage_kind::lacks_member:
    which->body = without_a_member(which->body);
    break;
  case damage_kind::unknown_kind:
    which->kind = static_cast<event_kind>(event_kind_count + 7);
    break;
  case damage_kind::missing:
    events.erase(which);
    break;
  }
}

std::string what_is_done(damage_kind kind, int32_t seq) {
  static constexpr std::array<const char*, 4> words{
    "the body of event {} is no JSON", "the body of event {} lacks a member", "event {} is of an unknown kind",
    "event {} is missing"};
  return fmt::format(fmt::runtime(words.at(static_cast<size_t>(kind))), seq);
}

/// Puts the event where its number belongs, in place of what has it now.
void put_back(std::vector<event_record>& events, const event_record& was) {
  const auto place = std::ranges::lower_bound(events, was.seq, {}, &event_record::seq);
  if (place != events.end() && place->seq == was.seq)
    *place = was;
  else
    events.insert(place, was);
}

} // namespace

tampering::tampering(ground& under, std::function<std::optional<run_id>(int)> run_of)
  : under_(under)
  , run_of_(std::move(run_of)) {}

void tampering::begin() {
  for (const auto& each : under_.script.items)
    if (const auto* damage = std::get_if<damage_item>(&each)) {
      ++pending_;
      under_.coming.at(under_.now + damage->at, [this, x = *damage] { try_damage(x); });
    } else if (const auto* row = std::get_if<row_item>(&each)) {
      ++pending_;
      under_.coming.at(under_.now + row->at, [this, x = *row] { try_row(x); });
    }
}

// ---- looking ----------------------------------------------------------------

std::vector<event_record> tampering::whole(const run_id& run) const {
  auto events = under_.database->events(run);
  if (const auto found = damages_.find(run); found != damages_.end())
    put_back(events, found->second.was);
  return events;
}

std::vector<audit_row> tampering::rows() const {
  auto all = under_.database->rows();
  for (const auto& [run, row] : rows_before_)
    if (!under_.database->row(run))
      all.push_back(row);
  std::sort(all.begin(), all.end(), [](const audit_row& a, const audit_row& b) { return a.id < b.id; });
  return all;
}

bool tampering::rests(const run_id& run) const {
  const auto found = damages_.find(run);
  const auto stop = under_.database->stop(run);
  return found != damages_.end() && found->second.lasts && stop && stop->kind == stop_kind::journal_damaged;
}

bool tampering::waits_in_vain(const run_id& run) const {
  return !is_damaged(run) && under_.database->stop(run).has_value();
}

std::optional<run_id> tampering::found_going_on(int start, size_t events_min) const {
  const auto run = run_of_(start);
  // One change at a time, so that what follows from each can be told apart.
  if (!run || is_damaged(*run) || !under_.database->row(*run))
    return std::nullopt;
  const auto events = under_.database->events(*run);
  if (events.size() < events_min || is_terminal(events.back().kind))
    return std::nullopt;
  if (const auto before = rows_before_.find(*run); before != rows_before_.end())
    return std::nullopt;
  return events.back().kind == event_kind::attention_resolved ? std::nullopt : run;
}

// ---- doing ------------------------------------------------------------------

void tampering::try_damage(const damage_item& x) {
  const auto run = found_going_on(x.start, 2);
  if (!run) {
    if (over_)
      --pending_;
    else
      under_.coming.at(under_.now + look_again, [this, x] { try_damage(x); });
    return;
  }
  const bool lasts = x.span == duration(0);
  int32_t seq = 0;
  under_.database->tamper_with_events(*run, [&](std::vector<event_record>& events) {
    const auto which = events.begin() + static_cast<std::ptrdiff_t>(x.event % (events.size() - 1));
    seq = which->seq;
    damages_[*run] = {*which, lasts};
    do_damage(events, which, x.kind);
  });
  under_.seen.saw(sight::journals_damaged);
  under_.audience.saw(journal_tampered{under_.now, *run, true, what_is_done(x.kind, seq)});
  if (lasts)
    --pending_;
  else
    under_.coming.at(under_.now + x.span, [this, run = *run] {
      --pending_;
      mend(run);
    });
}

void tampering::mend(const run_id& run) {
  const auto found = damages_.find(run);
  if (found == damages_.end())
    return;
  under_.database->tamper_with_events(
    run, [&](std::vector<event_record>& events) { put_back(events, found->second.was); });
  const auto seq = found->second.was.seq;
  damages_.erase(found);
  under_.seen.saw(sight::journals_mended);
  under_.audience.saw(journal_tampered{under_.now, run, false, fmt::format("event {} is as it was", seq)});
}

bool tampering::mend_the_rest() {
  std::vector<run_id> all;
  for (const auto& [run, each] : damages_)
    if (each.lasts)
      all.push_back(run);
  for (const auto& run : all)
    mend(run);
  return !all.empty();
}

void tampering::try_row(const row_item& x) {
  const auto run = found_going_on(x.start, 1);
  if (!run) {
    if (over_)
      --pending_;
    else
      under_.coming.at(under_.now + look_again, [this, x] { try_row(x); });
    return;
  }
  --pending_;
  rows_before_[*run] = under_.database->row(*run).value();
  switch (x.change) {
  case row_change::status:
    under_.database->tamper_with_row(*run, [](audit_row& row) { row.status = run_status::cancelled; });
    under_.seen.saw(sight::rows_changed);
    under_.audience.saw(row_tampered{under_.now, *run, "it says that the run was cancelled"});
    break;
  case row_change::deleted:
    under_.database->delete_row(*run);
    under_.seen.saw(sight::rows_deleted);
    under_.audience.saw(row_tampered{under_.now, *run, "it is deleted"});
    break;
  }
}

} // namespace levain::simulation
