#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace levain {

/// How much a finding matters, the worst last.
enum class finding_level : uint8_t {
  /// As it should be.
  ok,
  /// Worth knowing; nothing has to be done now.
  notice,
  /// Will hurt if nothing is done.
  warning,
  /// A promise is broken or at risk, or work stands still.
  critical,
};

std::string_view to_string(finding_level level);

/// What a finding is about.
enum class finding_subject : uint8_t { node, database };

std::string_view to_string(finding_subject subject);

/// One line of a page on health.
struct finding {
  finding_level level = finding_level::ok;
  finding_subject subject = finding_subject::database;
  /// What was looked at, stable: `partitions_ahead`.
  std::string name;
  /// What is there.
  std::string value;
  /// What would be right; empty when it is.
  std::string right = {};
  /// What to do; empty when there is nothing.
  std::string advice = {};

  bool operator==(const finding&) const = default;
};

/// The worst level among them; `ok` when there are none.
finding_level worst_of(const std::vector<finding>& findings);

/// The name of the finding that something could not be asked at all.
inline constexpr std::string_view unreachable_name = "unreachable";

/// Critical: what it is about could not be asked, for this reason.
finding unreachable_finding(finding_subject subject, const std::string& reason);

/// `{"level", "about", "name", "value", "right", "advice"}`; the last two null where they are empty.
nlohmann::ordered_json finding_json(const finding& one);

/// Reads what `finding_json` wrote. Throws `std::invalid_argument` naming what is missing or unknown.
finding parse_finding(const nlohmann::ordered_json& json);

} // namespace levain
