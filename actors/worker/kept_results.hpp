#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/cluster/wire_messages.hpp"
#include "actors/worker/work_result.hpp"

namespace levain {

/// Counts a worker's connections with gates; a gate that is connected again has another number.
using gate_number = uint64_t;

/// When something happens, by a clock that is never set.
using worker_moment = std::chrono::steady_clock::time_point;

/// How many results are kept, and for how long.
struct kept_results_limits {
  size_t results_max = 0;
  /// Of keys and results together.
  size_t bytes_max = 0;
  std::chrono::milliseconds age_max{};
};

/// Results of calls by their keys: those that no node is there to take, or that a node may have taken into its grave.
/// Beyond its limits the oldest goes first. One thread.
class kept_results {
public:
  explicit kept_results(kept_results_limits limits)
    : limits_(limits) {}

  /// One result, and the gate that it was sent to (0: none).
  struct kept {
    std::string key;
    uint32_t attempt = 0;
    gate_number gate = 0;
    work_result result;
    worker_moment at;
  };

  /// Keeps a result in place of an older one with the same key.
  void keep(kept one);
  /// What this attempt came to. It stays.
  std::optional<work_result> find(const std::string& key, uint32_t attempt, worker_moment now);
  void forget(const std::string& key);
  /// Takes out what was sent to this gate.
  std::vector<kept> take_from(gate_number gate, worker_moment now);
  /// Of all of them, the oldest first.
  std::vector<held_call> held(worker_moment now);

  size_t size() const { return order_.size(); }
  size_t bytes() const { return bytes_; }

private:
  using place = std::list<kept>::iterator;
  static size_t bytes_of(const kept& one) { return one.key.size() + one.result.text.size(); }
  void erase(place at);
  void forget_old(worker_moment now);

  kept_results_limits limits_;
  /// The oldest first.
  std::list<kept> order_;
  std::unordered_map<std::string, place> places_;
  size_t bytes_ = 0;
};

} // namespace levain
