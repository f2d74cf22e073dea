#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

namespace levain {

/// A number of bytes that many holders share. Any thread.
class byte_budget {
public:
  explicit byte_budget(size_t bytes_max)
    : bytes_max_(bytes_max) {}

  /// Takes all of `bytes`, or none and returns false when they are not there.
  bool take(size_t bytes) {
    auto taken = taken_.load();
    do {
      if (bytes > bytes_max_ - taken)
        return false;
    } while (!taken_.compare_exchange_weak(taken, taken + bytes));
    return true;
  }

  /// Returns what was taken.
  void give(size_t bytes) { taken_ -= bytes; }

  size_t bytes_max() const { return bytes_max_; }
  size_t bytes_taken() const { return taken_; }

private:
  const size_t bytes_max_;
  std::atomic<size_t> taken_{0};
};

/// What one holder has taken from a budget; returned when the share ends. One thread at a time.
class byte_share {
public:
  /// Has nothing, and gets nothing.
  byte_share() = default;
  explicit byte_share(std::shared_ptr<byte_budget> budget)
    : budget_(std::move(budget)) {}
  byte_share(byte_share&& other) noexcept
    : budget_(std::move(other.budget_))
    , bytes_(std::exchange(other.bytes_, 0)) {}
  byte_share& operator=(byte_share&& other) noexcept {
    if (this != &other) {
      release();
      budget_ = std::move(other.budget_);
      bytes_ = std::exchange(other.bytes_, 0);
    }
    return *this;
  }
  ~byte_share() { release(); }

  /// Holds `bytes` in all, at least what it holds already; false, and as before, when the budget has not so many.
  bool grow_to(size_t bytes) {
    if (bytes <= bytes_)
      return true;
    if (!budget_ || !budget_->take(bytes - bytes_))
      return false;
    bytes_ = bytes;
    return true;
  }

  void release() {
    if (budget_)
      budget_->give(std::exchange(bytes_, 0));
  }

  size_t bytes() const { return bytes_; }

private:
  std::shared_ptr<byte_budget> budget_;
  size_t bytes_ = 0;
};

} // namespace levain
