#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "apps/levain/command_line.hpp"
#include "apps/terminal/timeline.hpp"

namespace levain {

/// A run as the daemon has it, looked at as often as one likes.
class watched_run {
public:
  /// `run` is an id or a run number.
  watched_run(const command_line& line, std::string run);

  /// Asks the daemon anew. Throws `command_failed`.
  void look();

  /// The audit row with `steps` and `progress`.
  const nlohmann::ordered_json& view() const { return view_; }
  const nlohmann::ordered_json& events() const { return events_; }
  bool ended() const;
  /// `failed` for a run that ended as failed or cancelled.
  exit_status verdict() const;

  /// The steps over time; nothing for a run without a journal.
  std::optional<terminal::timeline> times();
  /// Headline, timeline and what went wrong.
  std::string text();

private:
  void look_for_progress(const std::string& path);

  const command_line& line_;
  std::string run_;
  api_client client_;
  nlohmann::ordered_json view_;
  nlohmann::ordered_json events_;
  workflow_ptr workflow_;
  /// What the run waits for, while a call is out that may wait itself; else empty.
  nlohmann::ordered_json waits_;
};

/// Shows a run until it has ended: drawn over and over on a terminal, else a line for each event; with `--json` its
/// view at the end. A daemon that is away for less than `patience` is waited for.
exit_status watch_until_ended(
  const command_line& line, const std::string& run, std::chrono::milliseconds interval,
  std::chrono::milliseconds patience);

inline constexpr std::chrono::milliseconds watch_interval_default{250};
inline constexpr std::chrono::milliseconds watch_interval_min{20};
inline constexpr std::chrono::milliseconds watch_interval_max{60'000};
inline constexpr std::chrono::milliseconds watch_patience_default{60'000};
inline constexpr std::chrono::milliseconds watch_patience_max = std::chrono::hours(24);

} // namespace levain
