#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

namespace levain::test {

/// An input read piece by piece. At its end there is only emptiness: no lines, and bytes that are 0.
class fuzz_input {
public:
  explicit fuzz_input(std::string_view text)
    : rest_(text) {}

  bool at_end() const { return rest_.empty(); }

  /// Up to the next line's end, which is taken as well.
  std::string_view line() {
    const auto end = std::min(rest_.find('\n'), rest_.size());
    const auto taken = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return taken;
  }

  /// Everything that is left.
  std::string_view rest() { return std::exchange(rest_, {}); }

  uint8_t byte() {
    if (rest_.empty())
      return 0;
    const auto taken = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return taken;
  }

  /// A choice of 0 to `bound` - 1.
  size_t below(size_t bound) { return byte() % bound; }

private:
  std::string_view rest_;
};

/// The text before the next `separator`, which is taken off `rest` as well.
inline std::string_view take_until(std::string_view& rest, char separator) {
  const auto end = std::min(rest.find(separator), rest.size());
  const auto taken = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return taken;
}

} // namespace levain::test
