#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "actors/worker/kept_results.hpp"
#include "actors/worker/workbench.hpp"

namespace levain {

/// Calls that are not whole yet: their bodies come in parts, or are being read aside from the worker's own thread.
/// Knows no wire and no clock. One thread.
class call_arrivals {
public:
  /// What a part makes of its call.
  using outcome = std::variant<std::monostate, call_given, std::string>;

  /// A call whose body of so many bytes is on its way. Answers what is wrong when no node of ours would send this.
  std::optional<std::string> announce(gate_number gate, call_given head, uint64_t body_bytes, worker_moment now);
  /// Nothing yet, the whole call with the time that is left of it, or what is wrong with the part. A part of a call
  /// that is not awaited is nothing.
  outcome take(gate_number gate, call_part part, worker_moment now);
  /// The call's body is there whole, and is being read.
  void read(gate_number gate, const call_given& call);
  /// It has been read. False when nobody waits for it any more.
  bool end(gate_number gate, uint64_t number) { return arriving_.erase({gate, number}) > 0; }
  /// Nobody waits for it any more. Answers what is known of it, without its body; nothing when it is not arriving.
  std::optional<call_given> drop(gate_number gate, uint64_t number);
  void lose(gate_number gate);
  bool contains(gate_number gate, uint64_t number) const { return arriving_.contains({gate, number}); }

private:
  struct arriving {
    /// Its body is empty.
    call_given head;
    std::string body;
    uint64_t body_bytes = 0;
    worker_moment at{};
  };

  std::map<std::pair<gate_number, uint64_t>, arriving> arriving_;
};

} // namespace levain
