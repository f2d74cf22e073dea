#include "actors/cluster/worker_checks.hpp"

#include <algorithm>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "actors/cluster/wire_kind.hpp"
#include "actors/cluster/wire_limits.hpp"
#include "persistence/utf8.hpp"

namespace levain {

namespace {

using fault = std::optional<std::string>;

constexpr size_t excerpt_bytes_max = 100;

bool is_visible(char c) {
  return c > ' ' && c < 0x7f;
}

/// Faults go to logs: bytes that are none of a name are not repeated there.
std::string shown(std::string_view text) {
  std::string excerpt(text.substr(0, excerpt_bytes_max));
  std::replace_if(
    excerpt.begin(), excerpt.end(), [](char c) { return !is_visible(c) && c != ' '; }, '?');
  return excerpt;
}

/// A text for people: one line of UTF-8.
fault fault_in_line(std::string_view what, std::string_view text, size_t bytes_max) {
  if (text.size() > bytes_max)
    return fmt::format("the {} has {} bytes, at most {} are allowed", what, text.size(), bytes_max);
  if (!is_utf8(text))
    return fmt::format("the {} '{}' is not UTF-8", what, shown(text));
  if (std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
    return fmt::format("the {} '{}' has control characters", what, shown(text));
  return std::nullopt;
}

/// A text for programs: no blanks, nothing but ASCII.
fault fault_in_word(std::string_view what, std::string_view text, size_t bytes_max) {
  if (text.empty())
    return fmt::format("the {} is empty", what);
  if (text.size() > bytes_max)
    return fmt::format("the {} has {} bytes, at most {} are allowed", what, text.size(), bytes_max);
  if (!std::all_of(text.begin(), text.end(), is_visible))
    return fmt::format("the {} '{}' must be of visible ASCII characters", what, shown(text));
  return std::nullopt;
}

fault fault_in_kind(std::string_view kind) {
  if (!is_kind(kind))
    return fmt::format("the kind '{}' must be {}", shown(kind), kind_rule);
  return std::nullopt;
}

fault fault_in_number(uint64_t number) {
  if (number == 0)
    return "the call's number is 0, they count from 1";
  return std::nullopt;
}

fault fault_in_held(const std::vector<held_call>& held) {
  if (held.size() > held_calls_max)
    return fmt::format("it holds {} calls, at most {} are allowed", held.size(), held_calls_max);
  for (const auto& each : held) {
    if (auto found = fault_in_word("key of a call that it holds", each.key, wire_key_bytes_max))
      return found;
    if (each.attempt == 0)
      return fmt::format("it holds attempt 0 of '{}', they count from 1", each.key);
  }
  return std::nullopt;
}

fault fault_in_offers(const std::vector<wire_offer>& offers) {
  if (offers.empty() || offers.size() > worker_kinds_max)
    return fmt::format("it offers {} kinds, 1 to {} are allowed", offers.size(), worker_kinds_max);
  std::set<std::string_view> kinds;
  for (const auto& each : offers) {
    if (auto found = fault_in_kind(each.kind))
      return found;
    if (each.at_once == 0 || each.at_once > worker_slots_max)
      return fmt::format(
        "it offers {} calls of kind '{}' at once, 1 to {} are allowed", each.at_once, each.kind, worker_slots_max);
    if (!kinds.insert(each.kind).second)
      return fmt::format("it offers the kind '{}' twice", each.kind);
  }
  return std::nullopt;
}

} // namespace

fault fault_in(const worker_hello& x) {
  if (x.worker == uuid())
    return "its id is all zeros";
  if (x.name.empty())
    return "the worker's name is empty";
  if (auto found = fault_in_line("worker's name", x.name, wire_name_bytes_max))
    return found;
  if (auto found = fault_in_line("worker's host", x.host, wire_host_bytes_max))
    return found;
  if (auto found = fault_in_line("worker's version", x.version, wire_version_bytes_max))
    return found;
  if (x.protocol_min == 0 || x.protocol_min > x.protocol_max)
    return fmt::format("it speaks the protocols {} to {}, which is no range", x.protocol_min, x.protocol_max);
  if (auto found = fault_in_offers(x.offers))
    return found;
  return fault_in_held(x.held);
}

fault fault_in(const call_begun& x) {
  return fault_in_number(x.number);
}

fault fault_in(const call_declined& x) {
  return fault_in_number(x.number);
}

fault fault_in(const room_made& x) {
  if (auto found = fault_in_kind(x.kind))
    return found;
  if (x.free > worker_slots_max)
    return fmt::format(
      "it has room for {} calls of kind '{}', at most {} are allowed", x.free, x.kind, worker_slots_max);
  return std::nullopt;
}

fault fault_in(const call_heartbeat& x) {
  if (x.progress.size() > wire_progress_bytes_max)
    return fmt::format(
      "the progress of call {} has {} bytes, at most {} are allowed", x.number, x.progress.size(),
      wire_progress_bytes_max);
  return fault_in_number(x.number);
}

fault fault_in(const call_ended& x) {
  if (auto found = fault_in_number(x.number))
    return found;
  if (auto found = fault_in_word("key", x.key, wire_key_bytes_max))
    return found;
  if (x.result.size() > wire_result_bytes_max)
    return fmt::format(
      "the result of call {} has {} bytes, at most {} are allowed", x.number, x.result.size(), wire_result_bytes_max);
  if (x.retry_after < 0 || x.retry_after > worker_retry_after_max.count())
    return fmt::format(
      "call {} is to be tried again after {} ms, 0 to {} are allowed", x.number, x.retry_after,
      worker_retry_after_max.count());
  return std::nullopt;
}

fault fault_in(const calls_held& x) {
  return fault_in_held(x.held);
}

fault fault_in(const worker_leaving& /*nothing in it*/) {
  return std::nullopt;
}

} // namespace levain
