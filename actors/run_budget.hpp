#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "actors/workflow/definition.hpp"

namespace levain {

/// The memory that the texts of a node's live runs take: inputs, metadata, outputs, and what of them is on its way to
/// the database. Starts are refused beyond `bytes_max`. What was accepted is never refused, so a run counts from its
/// start with what it is expected to come to, and with more when it comes to more. Any thread.
class run_budget {
public:
  explicit run_budget(uint64_t bytes_max)
    : bytes_max_(bytes_max) {}

  uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  uint64_t bytes_max() const { return bytes_max_; }
  uint64_t bytes_peak() const { return peak_.load(std::memory_order_relaxed); }
  uint64_t free_bytes() const {
    const auto held = bytes();
    return held < bytes_max_ ? bytes_max_ - held : 0;
  }
  /// Whether another run with so many bytes may start. One that is alone always may.
  bool has_room(uint64_t more) const { return bytes() == 0 || more <= free_bytes(); }

  void change(uint64_t from, uint64_t to) {
    // Unsigned arithmetic is modular: a smaller `to` takes away.
    const auto now = bytes_.fetch_add(to - from, std::memory_order_relaxed) + (to - from);
    auto most = peak_.load(std::memory_order_relaxed);
    while (now > most && !peak_.compare_exchange_weak(most, now, std::memory_order_relaxed))
      ;
  }

  /// What a run of the workflow comes to at its largest, by the runs that ended here: its own texts, and what came
  /// beside them. Before one has ended each answer is taken to be as large as what was sent.
  uint64_t expected(const workflow_definition& workflow, uint64_t plan_bytes) const;
  /// A run of the workflow had so much beside its own texts when it was largest.
  void learn(const workflow_definition& workflow, uint64_t growth);

private:
  using workflow_key = std::pair<std::string, int32_t>;

  const uint64_t bytes_max_;
  mutable std::mutex mutex_;
  std::map<workflow_key, uint64_t> growths_;
  std::atomic<uint64_t> bytes_{0};
  std::atomic<uint64_t> peak_{0};
};

/// What one run holds of it; nothing any more when this goes. One thread at a time.
class run_bytes {
public:
  run_bytes() = default;
  /// `of` may be null: nothing is counted then.
  run_bytes(std::shared_ptr<run_budget> of, uint64_t count)
    : of_(std::move(of)) {
    set(count);
  }
  run_bytes(run_bytes&& other) noexcept
    : of_(std::move(other.of_))
    , count_(std::exchange(other.count_, 0)) {}
  run_bytes& operator=(run_bytes&& other) noexcept {
    if (this != &other) {
      set(0);
      of_ = std::move(other.of_);
      count_ = std::exchange(other.count_, 0);
    }
    return *this;
  }
  run_bytes(const run_bytes&) = delete;
  run_bytes& operator=(const run_bytes&) = delete;
  ~run_bytes() { set(0); }

  void set(uint64_t count) {
    if (of_ && count != count_)
      of_->change(std::exchange(count_, count), count);
  }
  uint64_t count() const { return count_; }

private:
  std::shared_ptr<run_budget> of_;
  uint64_t count_ = 0;
};

} // namespace levain
