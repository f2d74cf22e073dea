#include "tests/fuzz/fuzz_target.hpp"

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "persistence/utf8.hpp"

namespace levain::test {

std::vector<fuzz_target>& fuzz_targets() {
  static std::vector<fuzz_target> targets;
  return targets;
}

void broken(std::string_view property, const std::string& detail) {
  std::cerr << "broken: " << property;
  if (!detail.empty())
    std::cerr << ": " << detail;
  std::cerr << std::endl;
  std::abort();
}

void require_line(std::string_view text) {
  require(!text.empty(), "a message says something");
  require(is_utf8(text), "a message is UTF-8", std::string(text));
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  require(std::ranges::none_of(text, is_control), "a message is one line", std::string(text));
}

} // namespace levain::test
