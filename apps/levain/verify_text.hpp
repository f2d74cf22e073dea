#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "actors/verification.hpp"
#include "apps/terminal/paint.hpp"

namespace levain {

/// What a verification came to, in one line.
std::string verify_summary(const verify_report& report, const terminal::paint& look);
/// How long it took with how many threads, and how many runs a second that is.
std::string verify_pace(const verify_report& report, size_t jobs, duration took);

std::string difference_text(const verify_difference& difference, const terminal::paint& look);

nlohmann::ordered_json verify_json(const verify_report& report);
nlohmann::ordered_json difference_json(const verify_difference& difference);

} // namespace levain
