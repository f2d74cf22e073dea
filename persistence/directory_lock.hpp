#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "persistence/file_descriptor.hpp"

namespace levain {

/// The right of one program to a directory: a lock on the file `levain.lock` in it, which the kernel takes back when
/// the program ends in whatever way. The file stays behind and marks the directory as ours.
class directory_lock {
public:
  static constexpr const char* file_name = "levain.lock";

  /// Nothing when another holder (also one in this very program) has it. Throws `std::system_error` when the file
  /// cannot be opened.
  static std::optional<directory_lock> acquire(const std::filesystem::path& directory);

  /// True while some program holds the directory. Takes nothing.
  static bool held(const std::filesystem::path& directory);

  /// Who holds it, for people: `process 4711 (levaind)`.
  static std::string holder(const std::filesystem::path& directory);

private:
  explicit directory_lock(file_descriptor file)
    : file_(std::move(file)) {}

  file_descriptor file_;
};

} // namespace levain
