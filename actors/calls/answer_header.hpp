#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "persistence/timestamp.hpp"

namespace levain {

/// Reads the header of a service's answer line by line. Interim answers (1xx) are passed over, and trailer fields after
/// the body are not part of it. One thread at a time.
class answer_header {
public:
  /// One line, its end included, as it came.
  void take_line(std::string_view line);

  /// Whether the empty line that ends the header of the final answer has come. What was cut before it is no answer.
  bool ended() const { return ended_; }
  /// Whether anything of an answer has come.
  bool begun() const { return begun_; }

  /// Whether it has two lengths that differ: nobody knows then where the body ends (RFC 9112, section 6.3).
  bool is_contradictory() const { return is_contradictory_; }

  /// The words after the status, which a service may leave out.
  const std::string& reason() const { return reason_; }
  const std::string& content_type() const { return content_type_; }
  const std::string& content_encoding() const { return content_encoding_; }
  /// The value of the first `Retry-After`; empty without one.
  const std::string& retry_after() const { return retry_after_; }

private:
  bool begun_ = false;
  bool ended_ = false;
  bool interim_ = false;
  bool is_contradictory_ = false;
  std::string content_length_;
  std::string reason_;
  std::string content_type_;
  std::string content_encoding_;
  std::string retry_after_;
};

/// What a service asks the caller to wait, by the value of its `Retry-After` (RFC 9110, section 10.2.3): digits, which
/// are seconds, or a date in one of the three forms of HTTP. At most `retry_after_max`, however large the number is.
/// Nothing for zero, for the past and for anything else.
std::optional<duration> read_retry_after(std::string_view value, std::chrono::system_clock::time_point now);

} // namespace levain
