#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace levain {

/// The order in which the large bodies of calls go to one worker, in parts. So many bytes may be on their way at a time
/// as `call_parts_window_bytes` allows, until the worker has confirmed them: what is small passes between the parts,
/// and no connection holds more than that in memory. Several bodies take turns. Knows no texts and no wire; not safe
/// from several threads.
class call_feed {
public:
  /// A piece of a body that may be sent now.
  struct part {
    uint64_t number = 0;
    uint64_t offset = 0;
    uint64_t bytes = 0;
    bool operator==(const part&) const = default;
  };

  /// A body of so many bytes is to be sent for this call.
  void begin(uint64_t number, uint64_t bytes);
  /// The call's body is wanted no more.
  void drop(uint64_t number);
  /// The worker has confirmed a part of so many bytes. False when so much was not on its way.
  bool confirm(uint64_t bytes);
  /// The next part; nothing when all is sent, or as much is on its way as may be.
  std::optional<part> next();

  uint64_t bytes_on_the_way() const { return on_the_way_; }

private:
  struct body {
    uint64_t number = 0;
    uint64_t bytes = 0;
    uint64_t sent = 0;
  };

  std::deque<body> bodies_;
  uint64_t on_the_way_ = 0;
};

} // namespace levain
