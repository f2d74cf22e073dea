#pragma once

#include <cstddef>
#include <filesystem>

namespace levain::test {

/// A file system of a few megabytes in memory, mounted on a folder. Only this process and what it starts from now on
/// see it; it is gone at the end of its scope, and with the process at the latest. From the main thread.
class small_filesystem {
public:
  /// True when this process may mount.
  static bool possible();

  /// Hides what is in `folder`, whose owner and mode it keeps. Throws `std::system_error`.
  small_filesystem(std::filesystem::path folder, size_t bytes);
  ~small_filesystem();
  small_filesystem(const small_filesystem&) = delete;
  small_filesystem& operator=(const small_filesystem&) = delete;

  /// Leaves not a byte free.
  void fill();
  /// Gives back what `fill` took.
  void make_room();

private:
  std::filesystem::path folder_;
};

} // namespace levain::test
