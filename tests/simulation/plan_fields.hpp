#pragma once

#include <array>
#include <string_view>

#include "tests/simulation/plan.hpp"

// The members of every plan item, in one list each: what prints, reads and shrinks items goes by it.

namespace levain::simulation {

/// The words of an enumeration, in its order.
template <class Enum>
inline constexpr std::array<std::string_view, 0> names_of{};
template <>
inline constexpr std::array<std::string_view, 3> names_of<schedule_kind>{"any", "in_order", "uneven"};
template <>
inline constexpr std::array<std::string_view, 6> names_of<wish_kind>{"cancel", "pause",     "resume",
                                                                     "retry",  "terminate", "resolve"};
template <>
inline constexpr std::array<std::string_view, 18> names_of<fate_kind>{
  "good",     "retryable", "retry_after", "final",    "hang",           "late",
  "twice",    "cut",       "deadly",      "not_json", "too_deep",       "has_nul",
  "not_utf8", "too_large", "misfit",      "poison",   "poison_failure", "throws"};
template <>
inline constexpr std::array<std::string_view, 5> names_of<commit_fault>{
  "transient", "serialization", "lost_before", "lost_after", "taken_for_lost"};
template <>
inline constexpr std::array<std::string_view, 5> names_of<outage_kind>{
  "everything", "writes", "reads", "leases", "lease_answers"};
template <>
inline constexpr std::array<std::string_view, 3> names_of<connection_kind>{"writer", "recovery", "leases"};
template <>
inline constexpr std::array<std::string_view, 7> names_of<held_actor>{
  "writer", "recovery", "leases", "dispatcher", "timekeeper", "definitions", "router"};
template <>
inline constexpr std::array<std::string_view, 2> names_of<lack_kind>{"variable", "gate"};
template <>
inline constexpr std::array<std::string_view, 3> names_of<cut_kind>{"closed", "silent", "answers"};
template <>
inline constexpr std::array<std::string_view, 4> names_of<damage_kind>{
  "not_json", "lacks_member", "unknown_kind", "missing"};
template <>
inline constexpr std::array<std::string_view, 2> names_of<row_change>{"status", "deleted"};
template <>
inline constexpr std::array<std::string_view, 6> names_of<kill_point>{"never",        "message",      "before_commit",
                                                                      "after_commit", "before_lease", "after_lease"};

/// Calls `f(name, member)` for each member of the item.
template <class Item, class F>
void for_each_field(Item& x, F&& f) {
  using item = std::remove_const_t<Item>;
  if constexpr (std::is_same_v<item, world_shape>) {
    f("seed", x.seed), f("nodes", x.nodes), f("sole", x.sole), f("schedule", x.schedule), f("lag", x.lag);
    f("calm", x.calm), f("writers", x.writers), f("running_max", x.running_max),
      f("tenant_running_max", x.tenant_running_max);
    f("waiting_max", x.waiting_max), f("unsettled_max", x.unsettled_max), f("batch_runs_max", x.batch_runs_max);
    f("page_runs_max", x.page_runs_max), f("shards_at_a_time", x.shards_at_a_time);
    f("numbers_block", x.numbers_block), f("projection", x.projection);
    f("calls_bytes_max", x.calls_bytes_max), f("runs_bytes_max", x.runs_bytes_max);
    f("routers", x.routers), f("route_time_max", x.route_time_max), f("imbalance_max", x.imbalance_max);
    f("routed_max", x.routed_max), f("workers", x.workers);
  } else if constexpr (std::is_same_v<item, workflow_item>) {
    f("at", x.at), f("node", x.node), f("body", x.body);
  } else if constexpr (std::is_same_v<item, start_item>) {
    f("id", x.id), f("at", x.at), f("node", x.node), f("tenant", x.tenant), f("workflow", x.workflow);
    f("version", x.version), f("priority", x.priority), f("key", x.key), f("input", x.input), f("tries", x.tries);
    f("poison", x.poison);
  } else if constexpr (std::is_same_v<item, wish_item>) {
    f("id", x.id), f("at", x.at), f("kind", x.kind), f("start", x.start), f("node", x.node);
    f("stranger", x.stranger), f("tries", x.tries), f("poison", x.poison);
  } else if constexpr (std::is_same_v<item, fate_item>) {
    f("input", x.input), f("step", x.step), f("attempt", x.attempt), f("undo", x.undo), f("kind", x.kind);
    f("after", x.after), f("deaf", x.deaf), f("beats", x.beats);
  } else if constexpr (std::is_same_v<item, commit_item>) {
    f("at", x.at), f("node", x.node), f("fault", x.fault), f("count", x.count);
  } else if constexpr (std::is_same_v<item, outage_item>) {
    f("at", x.at), f("span", x.span), f("node", x.node), f("kind", x.kind);
  } else if constexpr (std::is_same_v<item, slow_item>) {
    f("at", x.at), f("span", x.span), f("node", x.node), f("connection", x.connection), f("delay", x.delay);
  } else if constexpr (std::is_same_v<item, hold_item>) {
    f("at", x.at), f("span", x.span), f("node", x.node), f("actor", x.actor);
  } else if constexpr (std::is_same_v<item, kill_item>) {
    f("at", x.at), f("node", x.node), f("point", x.point), f("messages", x.messages), f("down", x.down);
    f("worker", x.worker);
  } else if constexpr (std::is_same_v<item, pause_item>) {
    f("at", x.at), f("span", x.span), f("node", x.node), f("worker", x.worker);
  } else if constexpr (std::is_same_v<item, stop_item>) {
    f("at", x.at), f("node", x.node), f("down", x.down), f("hands_over", x.hands_over);
    f("worker", x.worker);
  } else if constexpr (std::is_same_v<item, question_item>) {
    f("at", x.at), f("start", x.start), f("node", x.node), f("stranger", x.stranger);
  } else if constexpr (std::is_same_v<item, cut_item>) {
    f("at", x.at), f("span", x.span), f("node", x.node), f("other", x.other), f("kind", x.kind);
    f("worker", x.worker);
  } else if constexpr (std::is_same_v<item, drain_item>) {
    f("at", x.at), f("span", x.span), f("node", x.node);
  } else if constexpr (std::is_same_v<item, offer_item>) {
    f("worker", x.worker), f("work", x.work), f("at_once", x.at_once);
  } else if constexpr (std::is_same_v<item, lack_item>) {
    f("node", x.node), f("what", x.what), f("until", x.until);
  } else if constexpr (std::is_same_v<item, damage_item>) {
    f("at", x.at), f("span", x.span), f("start", x.start), f("event", x.event), f("kind", x.kind);
  } else if constexpr (std::is_same_v<item, row_item>) {
    f("at", x.at), f("start", x.start), f("change", x.change);
  } else {
    static_assert(std::is_same_v<item, skew_item>);
    f("at", x.at), f("node", x.node), f("offset", x.offset);
  }
}

} // namespace levain::simulation
