// How a world comes to its end: faults cease, what is left is given its time, and who is left over is asked why.
#include <algorithm>

#include "tests/simulation/world.hpp"

namespace levain::simulation {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// After the last run has ended, so long somebody might still do what he should not.
constexpr duration aftermath = seconds(12);
/// The answer to `explain` comes within so many messages.
constexpr int explain_steps = 2'000;

} // namespace

timestamp world::end_of_faults() const {
  auto end = ground::world_begin + under_.script.shape.calm;
  end = std::max(end, under_.faults.last_change());
  for (const auto& each : under_.script.items)
    if (const auto* x = std::get_if<pause_item>(&each))
      end = std::max(end, ground::world_begin + x->at + x->span);
  return end;
}

void world::clear_up() {
  faults_over_ = true;
  under_.faults.clear_up();
  links_.calm_down();
  tampering_.clear_up();
  for (int node = 0; node < under_.script.shape.nodes; ++node) {
    if (auto* found = living(node)) {
      found->state()->dies_at = kill_point::never;
      go_on(node);
      complete(node);
    }
  }
  workers_.calm_down();
}

/// Somebody starts a node anew that is without something.
void world::complete(int node) {
  auto* found = living(node);
  if (found == nullptr || !found->state()->lacks)
    return;
  under_.seen.saw(sight::calls_wanting, found->wanting());
  stop_item x;
  x.node = node;
  x.hands_over = under_.luck.happens(500);
  stop(x);
}

bool world::is_paused(const run_id& run) const {
  bool paused = false;
  for (const auto& each : tampering_.whole(run)) {
    if (each.kind == event_kind::run_paused)
      paused = true;
    else if (
      each.kind == event_kind::run_resumed || is_terminal(each.kind) || each.kind == event_kind::cancel_requested ||
      each.kind == event_kind::terminate_requested)
      paused = false;
  }
  return paused;
}

/// It moves no further, and may.
bool world::is_quiet(const run_id& run) const {
  return tampering_.rests(run) || (is_paused(run) && !tampering_.waits_in_vain(run));
}

std::vector<audit_row> world::unfinished() const {
  std::vector<audit_row> left;
  for (auto& row : tampering_.rows()) {
    auto events = tampering_.whole(row.id);
    while (!events.empty() && events.back().kind == event_kind::attention_resolved)
      events.pop_back();
    if (events.empty() || !is_terminal(events.back().kind) || !is_ended(row.status))
      left.push_back(std::move(row));
  }
  return left;
}

bool world::all_live() const {
  return workers_.all_live() &&
         std::all_of(nodes_.begin(), nodes_.end(), [](const auto& each) { return each.current != nullptr; });
}

void world::let_end() {
  const auto bound = under_.now + liveness_bound;
  std::optional<timestamp> quiet_since;
  bool resumed = false;
  timestamp look_at{};
  while (under_.now < bound) {
    step(bound);
    if (under_.now < look_at)
      continue;
    look_at = under_.now + milliseconds(500);
    const auto left = unfinished();
    const bool quiet = callers_.pending() == 0 && tampering_.pending() == 0 && drains_open_ == 0 && all_live() &&
                       booted_at_ < quiet_since.value_or(under_.now) &&
                       std::all_of(left.begin(), left.end(), [&](const audit_row& row) { return is_quiet(row.id); });
    if (!quiet) {
      quiet_since.reset();
      continue;
    }
    if (tampering_.mend_the_rest())
      continue;
    if (!std::exchange(resumed, true)) {
      // Somebody remembers most of what was paused; the rest has to say that it is.
      for (const auto& row : left)
        if (under_.luck.happens(800))
          callers_.insist(wish_kind::resume, row.id, row.tenant);
      see_to_attention();
      continue;
    }
    if (!quiet_since)
      quiet_since = under_.now;
    if (under_.now - *quiet_since >= aftermath)
      return;
  }
}

/// Somebody goes through the list of what needs attention, and sees to most of it.
void world::see_to_attention() {
  for (const auto& row : under_.database->rows())
    if (row.attention && is_ended(row.status) && under_.luck.happens(700))
      callers_.insist(wish_kind::resolve, row.id, row.tenant);
}

std::vector<run_left_over> world::explain_unfinished() {
  std::vector<run_left_over> all;
  for (const auto& row : unfinished()) {
    run_left_over left{row.id, {}};
    const auto owner = under_.owners[shard_of(row.id)];
    auto* node = owner && owner->alive ? living(owner->who.node) : nullptr;
    // Where nodes speak to each other, any of them knows.
    if (under_.script.shape.routers)
      node = living(static_cast<int>(under_.luck.below(nodes_.size())));
    if (node != nullptr) {
      auto told = std::make_shared<std::optional<explain_outcome>>();
      node->entrance()(
        explain_run{row.id, row.tenant, [told](explain_outcome outcome) { *told = std::move(outcome); }});
      for (int i = 0; i < explain_steps && !*told; ++i)
        step(under_.now + seconds(1));
      if (*told)
        if (const auto* said = std::get_if<explanation>(&**told))
          for (const auto& wait : said->waits)
            left.waits.push_back(wait.kind);
    }
    all.push_back(std::move(left));
  }
  return all;
}

} // namespace levain::simulation
