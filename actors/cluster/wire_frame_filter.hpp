#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "actors/cluster/wire_frame_limits.hpp"

namespace levain {

/// Whose frames a filter looks at: each side begins with a handshake of its own.
enum class frame_origin : uint8_t {
  /// The side that made the connection.
  connecting,
  /// The side that the connection was made to.
  accepting,
};

/// What came of some bytes.
struct frames_fed {
  /// Bytes that were looked at; fewer than were given when a frame waits for `allow`.
  size_t taken = 0;
  /// What is wrong, in a sentence without a name; nothing more passes from then on.
  std::optional<std::string> fault;
};

/// Reads one direction of a connection between two programs that speak BASP, and passes what CAF 0.17.6 can be trusted
/// with: each frame's operation in its order, fields and length, handshakes, and the programs that a frame names. The
/// bytes that pass are those that came, in their order. What is inside a message is not looked at: payloads of messages
/// pass as they come, and everything else passes a whole frame at a time. Knows no socket and no clock. One thread.
class frame_filter {
public:
  /// `receiver`, when it is not empty, is the name of the program that the frames are for: frames that name another one
  /// are faults.
  explicit frame_filter(frame_origin origin, std::string receiver = {});

  /// Looks at `bytes`, and appends what passes to `passed`: at most `bytes` and a frame of `frame_control_bytes_max`.
  frames_fed feed(std::string_view bytes, std::string& passed);

  /// The payload of a frame that waits to be allowed, because it is larger than `frame_uncounted_bytes`; 0 when none
  /// does.
  size_t waits_to_be_allowed() const { return waiting_; }
  void allow();

  /// The origin's handshake has passed, all of it that comes before other frames.
  bool open() const { return stage_ == stage::open; }
  /// The origin's first frame has passed: its name is known.
  bool introduced() const { return !sender_.empty(); }
  /// The origin began with TLS where a frame was wanted.
  bool met_tls() const { return met_tls_; }
  /// The origin's name, `frame_name_bytes` long; empty until it is introduced.
  const std::string& sender() const { return sender_; }
  /// The first frame, as it came; empty until it has passed.
  const std::string& introduction() const { return introduction_; }

  /// A frame has begun that has not ended.
  bool in_frame() const { return payload_left_ > 0 || !held_.empty(); }
  /// The payload of that frame, as far as known.
  size_t frame_payload() const { return payload_; }
  /// Frames that have passed.
  uint64_t frames() const { return frames_; }

private:
  enum class stage : uint8_t { first, second, open };
  struct header;

  std::optional<std::string> check(const header& x) const;
  std::optional<std::string> check_order(const header& x) const;
  std::optional<std::string> check_fields(const header& x) const;
  std::optional<std::string> check_payload(const header& x, std::string_view payload);
  std::optional<std::string> check_names(std::string_view payload) const;
  std::optional<std::string> check_server_handshake(std::string_view payload);
  std::optional<std::string> take_header(std::string& passed);
  std::optional<std::string> take_payload(std::string& passed);
  void end_frame();

  frame_origin origin_;
  std::string receiver_;
  stage stage_ = stage::first;
  /// Of the current frame: its header, and its payload when it passes whole.
  std::string held_;
  bool whole_ = false;
  size_t payload_ = 0;
  /// Of a payload that passes as it comes.
  size_t payload_left_ = 0;
  size_t waiting_ = 0;
  uint64_t frames_ = 0;
  std::string sender_;
  std::string introduction_;
  std::optional<std::string> fault_;
  bool met_tls_ = false;
};

/// The first frame of a program of this name that makes a connection.
std::string connecting_introduction(const std::string& name);

/// A program's name as CAF writes it for people, such as `9C…04#4711`; "unknown" when it is no name.
std::string shown_program(std::string_view name);

} // namespace levain
