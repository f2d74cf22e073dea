#pragma once

#include <filesystem>
#include <string>

namespace levain::test {

/// A folder in the system's temporary folder, gone with everything in it at the end. Whoever runs a test's PostgreSQL
/// can reach it.
class temporary_folder {
public:
  temporary_folder();
  ~temporary_folder();
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// A name inside.
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

private:
  std::filesystem::path path_;
};

} // namespace levain::test
