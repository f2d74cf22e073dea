#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace levain {

/// What calls of a node may hold by default: 1 GiB.
inline constexpr uint64_t calls_bytes_default = 1024ULL * 1024 * 1024;

struct call_budget_state;

/// The bytes that one call (or a text that several calls share) holds of its node's `call_budget`. They are free again
/// when this goes. Any thread.
class call_bytes {
public:
  call_bytes(std::shared_ptr<call_budget_state> of, uint64_t number, std::string place, uint64_t count);
  ~call_bytes();
  call_bytes(const call_bytes&) = delete;
  call_bytes& operator=(const call_bytes&) = delete;

  uint64_t count() const;

  /// Takes so many more for the answer that arrives. False when the budget has no room: then `room` is called once, as
  /// soon as another try is worth while, on any thread and under a lock, so it may do no more than wake somebody. One
  /// call at a time has room beyond the budget, so that the calls that are out always come to their ends.
  bool add(uint64_t bytes, const std::function<void()>& room);
  /// Whoever wanted room does not any more: `room` is not called once this has returned.
  void want_no_room();

  /// Holds so many from now on: what a call came to when it was made ready anew. False, and nothing has changed, when
  /// that is more and there is no room for it.
  bool fit(uint64_t bytes);
  /// Gives some of them to another holder. At most `count`.
  std::shared_ptr<call_bytes> split(uint64_t bytes);

private:
  friend struct call_budget_state;

  const std::shared_ptr<call_budget_state> of_;
  const uint64_t number_;
  const std::string place_;
  /// Under the state's lock.
  uint64_t count_;
  /// It was let in although there was no room.
  bool beyond_ = false;
};

using call_bytes_ptr = std::shared_ptr<call_bytes>;

/// The memory that the texts of a node's calls may take: what is sent (URL, headers, body) from when a call is made
/// ready, and answers as they arrive. A call that finds no room waits and fails for nothing but its own
/// `queue_timeout`.
///
/// No place (a service's address, a kind of worker, a function) may hold more than stays free, so one that hangs leaves
/// room for the others: A. K. Choudhury and E. L. Hahne, "Dynamic Queue Length Thresholds for Shared-Memory Packet
/// Switches", IEEE/ACM Transactions on Networking 6(2), 1998. The calls of a place go in their order, places take
/// turns. A call that could never fit is made when its place holds nothing, one such call at a time. So at most
/// `bytes_max`, one call and one answer are held. Any thread.
class call_budget {
public:
  using granted = std::function<void(call_bytes_ptr)>;

  explicit call_budget(uint64_t bytes_max = calls_bytes_default);

  /// A place in line, by number.
  using ticket = uint64_t;
  /// The call's bytes, or its place in line: then `tell` is given the bytes later, on whichever thread freed them.
  std::variant<call_bytes_ptr, ticket> enter(std::string_view place, uint64_t bytes, granted tell);
  /// True when the call stood in line: it is not told any more. False when it was, or is just being told.
  bool leave(ticket which);

  struct figures {
    uint64_t bytes = 0;
    uint64_t bytes_max = 0;
    /// The most that was held at a time.
    uint64_t bytes_peak = 0;
    /// Calls that wait for room, and answers that do.
    uint64_t calls_waiting = 0;
    uint64_t answers_waiting = 0;
  };
  figures read() const;

private:
  const std::shared_ptr<call_budget_state> state_;
};

} // namespace levain
