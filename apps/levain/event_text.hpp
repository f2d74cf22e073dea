#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "apps/terminal/paint.hpp"
#include "persistence/event_record.hpp"

namespace levain {

/// An event in one line: number, time, kind, step, attempt and the part of its body that people look for. `event` is
/// JSON as the daemon serves it, here and below.
std::string event_line(const nlohmann::ordered_json& event, const terminal::paint& look);

/// The record that the daemon made the JSON from. Throws `command_failed` for anything else.
event_record event_from(const nlohmann::ordered_json& event);

} // namespace levain
