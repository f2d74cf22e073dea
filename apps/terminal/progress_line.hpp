#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "persistence/timestamp.hpp"

namespace levain::terminal {

/// How far something is: `12000 of about 40000 runs, 5200 a second, about 5 s left`. `total` is an estimate, 0 when it
/// is not known; the rest is left out when more is done already.
std::string progress_text(uint64_t done, uint64_t total, duration elapsed, const std::string& what);

/// A line on standard error that is written over while something goes on, where a person looks at it: nothing is
/// written when standard error is no terminal. One thread.
class progress_line {
public:
  /// `what` is counted: `runs`.
  explicit progress_line(std::string what);
  /// Clears the line.
  ~progress_line();
  progress_line(const progress_line&) = delete;
  progress_line& operator=(const progress_line&) = delete;

  /// At most a few times a second; `more` is said at the end.
  void show(uint64_t done, uint64_t total, const std::string& more);
  /// Makes room for other output.
  void clear();

  /// Since the line was made.
  duration elapsed() const;

private:
  const std::string what_;
  const bool live_;
  const std::chrono::steady_clock::time_point began_;
  std::chrono::steady_clock::time_point shown_at_;
  bool shown_ = false;
};

} // namespace levain::terminal
