#include "apps/levain/event_text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/client/exit_status.hpp"
#include "apps/terminal/run_text.hpp"
#include "persistence/exact_json.hpp"

namespace levain {

namespace {

using nlohmann::ordered_json;
using terminal::ink;

/// Widest body that a line shows.
constexpr size_t body_width_max = 100;

ink ink_of(std::string_view kind) {
  if (kind == "run_completed" || kind == "step_succeeded" || kind == "step_compensated")
    return ink::good;
  if (kind.ends_with("failed") || kind == "run_cancelled")
    return ink::bad;
  if (kind == "run_partially_succeeded" || kind == "step_skipped" || kind == "run_retry_scheduled")
    return ink::warning;
  return ink::plain;
}

/// The sentence in a body if it has one, else the body.
std::string body_text(const ordered_json& body) {
  if (body.is_object()) {
    if (const auto failure = body.find("failure"); failure != body.end() && failure->is_object())
      return failure->value("message", write_exact_json(*failure));
    for (const auto* name : {"message", "reason"})
      if (const auto found = body.find(name); found != body.end() && found->is_string())
        return found->get<std::string>();
  }
  return write_exact_json(body);
}

} // namespace

std::string event_line(const ordered_json& event, const terminal::paint& look) {
  const auto kind = event.value("kind", "");
  auto line = fmt::format(
    "{:>4}  {}  {}", event.value("seq", 0), terminal::moment_of(event.at("at")),
    look(ink_of(kind), terminal::padded(kind, 28)));
  auto where = event.value("step", "");
  if (event.contains("attempt"))
    where += fmt::format(" ({})", event.value("attempt", 0));
  line += "  " + terminal::padded(terminal::harmless(where), 20);
  if (event.contains("body"))
    line += "  " + look(ink::quiet, terminal::cut(terminal::harmless(body_text(event["body"])), body_width_max, look));
  line.erase(line.find_last_not_of(' ') + 1);
  return line + '\n';
}

event_record event_from(const ordered_json& event) {
  const auto kind = parse_event_kind(event.value("kind", ""));
  const auto at = parse_timestamp(event.value("at", ""));
  if (!kind || !at)
    throw command_failed(
      exit_status::failed, "the daemon told of an event that this program does not know: " + write_exact_json(event));
  event_record record{event.value("seq", 0), *at, *kind, event.value("step", ""), event.value("attempt", 0), {}};
  if (event.contains("body"))
    record.body = write_exact_json(event["body"]);
  return record;
}

} // namespace levain
