#include "actors/cluster/peer_checks.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>

#include <fmt/format.h>

#include "actors/cluster/wire_address.hpp"
#include "actors/cluster/wire_limits.hpp"
#include "actors/gateway/api_start_request.hpp"
#include "actors/gateway/api_words.hpp"
#include "actors/messages.hpp"
#include "actors/node_options.hpp"
#include "actors/workflow/parse_definition.hpp"
#include "persistence/utf8.hpp"

namespace levain {

namespace {

constexpr size_t excerpt_bytes_max = 100;
/// The year 9999.
constexpr int64_t micros_max = 253'402'300'799'000'000;

/// Gathers the first fault.
class fault_finder {
public:
  std::optional<std::string> take() { return std::move(fault_); }

  void say(std::string fault) {
    if (!fault_)
      fault_ = std::move(fault);
  }
  void text(const char* name, std::string_view value, size_t bytes_max, size_t bytes_min = 0) {
    if (value.size() < bytes_min || value.size() > bytes_max)
      say(fmt::format("{}: must be {} to {} bytes long, not {}", name, bytes_min, bytes_max, value.size()));
    else if (!is_utf8(value) || value.find('\0') != std::string_view::npos)
      say(fmt::format("{}: must be UTF-8 without NUL", name));
  }
  void characters(const char* name, std::string_view value, size_t max) {
    // A character has at most four bytes.
    text(name, value, max * 4);
    if (!fault_ && count_characters(value) > max)
      say(fmt::format("{}: must be at most {} characters long, not {}", name, max, count_characters(value)));
  }
  template <size_t Count>
  void word(const char* name, const std::string& value, const std::array<std::string_view, Count>& words) {
    if (std::find(words.begin(), words.end(), value) == words.end())
      say(fmt::format("{}: '{}' is no such word", name, value.substr(0, excerpt_bytes_max)));
  }
  void number(const char* name, int64_t value, int64_t min, int64_t max) {
    if (value < min || value > max)
      say(fmt::format("{}: must be {} to {}, not {}", name, min, max, value));
  }

private:
  std::optional<std::string> fault_;
};

void check_wish_refusal(fault_finder& find, uint8_t refusal) {
  find.number("refusal", refusal, 0, static_cast<int64_t>(wish_refused::reason_type::elsewhere));
}

} // namespace

std::optional<std::string> fault_in(const node_hello& x) {
  fault_finder find;
  find.text("name", x.name, node_name_bytes_max, 1);
  find.text("cluster_address", x.cluster_address, wire_address_bytes_max);
  if (!parse_wire_address(x.cluster_address))
    find.say(
      fmt::format("cluster_address: must be HOST:PORT, not '{}'", x.cluster_address.substr(0, wire_address_bytes_max)));
  if (x.protocol_min > x.protocol_max)
    find.say(fmt::format("protocol_min: must be at most protocol_max ({}), not {}", x.protocol_max, x.protocol_min));
  if (!x.gate)
    find.say("gate: is missing");
  return find.take();
}

std::optional<std::string> fault_in(const node_welcome& x) {
  fault_finder find;
  find.text("name", x.name, node_name_bytes_max, 1);
  find.number("protocol", x.protocol, wire_protocol_min, wire_protocol_max);
  return find.take();
}

std::optional<std::string> fault_in(const wire_change& x) {
  fault_finder find;
  find.number("asked", static_cast<int64_t>(x.asked), 0, static_cast<int64_t>(wire_wish::resolve));
  find.characters("by", x.by, wish_by_characters_max);
  if (x.by.empty())
    find.say("by: must not be empty");
  find.characters("reason", x.reason, wish_reason_characters_max);
  return find.take();
}

std::optional<std::string> fault_in(const wire_changed& x) {
  fault_finder find;
  check_wish_refusal(find, x.refusal);
  find.text("message", x.message, wire_sentence_bytes_max);
  return find.take();
}

std::optional<std::string> fault_in(const wire_explain& /*any run and tenant may be asked for*/) {
  return std::nullopt;
}

std::optional<std::string> fault_in(const wire_explained& x) {
  fault_finder find;
  check_wish_refusal(find, x.refusal);
  find.text("message", x.message, wire_sentence_bytes_max);
  find.number("waits", static_cast<int64_t>(x.waits.size()), 0, wire_waits_max);
  for (const auto& each : x.waits) {
    find.text("kind", each.kind, wire_wait_kind_bytes_max, 1);
    find.text("step", each.step, definition_name_bytes_max);
    find.text("text", each.text, wire_sentence_bytes_max);
    find.text("place", each.place, wire_sentence_bytes_max);
    find.text("progress", each.progress, wire_progress_bytes_max);
    find.number("since", each.since, 0, micros_max);
    find.number("until", each.until, 0, micros_max);
  }
  return find.take();
}

std::optional<std::string> fault_in(const wire_start& x) {
  fault_finder find;
  find.text("workflow", x.workflow, definition_name_bytes_max, 1);
  constexpr int64_t version_max = std::numeric_limits<int32_t>::max();
  find.number("version", x.version, x.version < 0 ? -version_max : 1, version_max);
  find.word("run_type", x.run_type, std::array<std::string_view, 3>{"scheduled", "manual", "test"});
  find.word("priority", x.priority, std::array<std::string_view, 3>{"normal", "high", "critical"});
  find.characters("triggered_by", x.triggered_by, triggered_by_characters_max);
  find.text("input", x.input, input_bytes_max, 1);
  find.text("metadata", x.metadata, input_bytes_max);
  find.text("idempotency_key", x.idempotency_key, idempotency_key_bytes_max);
  return find.take();
}

std::optional<std::string> fault_in(const wire_started& x) {
  fault_finder find;
  find.text("run_number", x.run_number, wire_run_number_bytes_max);
  find.number("refusal", x.refusal, 0, static_cast<int64_t>(start_refused::reason_type::rejected));
  find.text("message", x.message, wire_sentence_bytes_max);
  find.number("retry_after", x.retry_after, 0, wire_retry_after_max.count());
  return find.take();
}

std::optional<uint32_t> protocol_of_both(uint32_t their_min, uint32_t their_max) {
  const auto both = std::min(their_max, wire_protocol_max);
  return both >= std::max(their_min, wire_protocol_min) ? std::optional(both) : std::nullopt;
}

} // namespace levain
