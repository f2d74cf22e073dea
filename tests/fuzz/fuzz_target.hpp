#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace levain::test {

/// Something that is fed any bytes at all. It returns when every property holds that it checks; otherwise it calls
/// `broken`, or something ends the process: a sanitizer, an exception that nobody expected.
struct fuzz_target {
  std::string_view name;
  void (*run)(std::string_view input);
};

/// The targets that are linked into this program.
std::vector<fuzz_target>& fuzz_targets();

/// A property does not hold: says which, with what, and ends the process by SIGABRT.
[[noreturn]] void broken(std::string_view property, const std::string& detail = {});

inline void require(bool holds, std::string_view property, const std::string& detail = {}) {
  if (!holds)
    broken(property, detail);
}

/// Requires that what people get to read is one: not empty, UTF-8, and without control characters, so that it fits on a
/// line of a log or a terminal.
void require_line(std::string_view text);

/// Adds a target to the program it is linked into.
struct fuzz_target_entry {
  fuzz_target_entry(std::string_view name, void (*run)(std::string_view)) { fuzz_targets().push_back({name, run}); }
};

#define LEVAIN_FUZZ_TARGET(name)                                                                                       \
  void name(std::string_view input);                                                                                   \
  const fuzz_target_entry name##_entry(#name, name);                                                                   \
  void name(std::string_view input)

} // namespace levain::test
