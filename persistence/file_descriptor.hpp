#pragma once

#include <utility>

namespace levain {

/// A file descriptor that closes itself.
class file_descriptor {
public:
  file_descriptor() = default;
  explicit file_descriptor(int number)
    : number_(number) {}
  file_descriptor(file_descriptor&& other) noexcept
    : number_(std::exchange(other.number_, -1)) {}
  file_descriptor& operator=(file_descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~file_descriptor() { close(); }

  int number() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }
  void close();
  /// Gives the number away, for the caller to close.
  int release() { return std::exchange(number_, -1); }

private:
  int number_ = -1;
};

/// Both ends of a pipe, closed on exec.
struct pipe_ends {
  file_descriptor read;
  file_descriptor write;
};
/// Throws `std::system_error` when there are no descriptors left.
pipe_ends open_pipe();

} // namespace levain
