#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace levain {

/// The environment of a child, `NAME=VALUE` each: ours without the names for which `leaves_out` holds, and with `added`
/// in place of what has the same name.
std::vector<std::string> child_environment(
  const std::map<std::string, std::string>& added,
  const std::function<bool(std::string_view name)>& leaves_out = [](std::string_view) { return false; });

/// As `execve` wants texts; good as long as they are.
std::vector<char*> pointers_to(std::vector<std::string>& texts);

} // namespace levain
