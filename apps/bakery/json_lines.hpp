#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include <nlohmann/json.hpp>

namespace levain::bakery {

/// A file of JSON values, one a line, that only grows. For one thread at a time.
class json_lines {
public:
  /// Opens or makes the file and gives every value in it to `each`. A last line that a crash cut short is removed; any
  /// other damage throws `std::runtime_error` naming file and line.
  json_lines(std::filesystem::path path, const std::function<void(nlohmann::json)>& each);
  ~json_lines();
  json_lines(const json_lines&) = delete;
  json_lines& operator=(const json_lines&) = delete;

  /// Gathers a line; `write` puts it into the file.
  void add(const nlohmann::json& value);
  /// Writes what was gathered; with `durable` it is on disk on return. Throws `std::system_error` naming the file.
  void write(bool durable);

  const std::filesystem::path& path() const { return path_; }

private:
  void load(const std::function<void(nlohmann::json)>& each);

  std::filesystem::path path_;
  int file_ = -1;
  std::string gathered_;
};

} // namespace levain::bakery
