#pragma once

#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "tests/simulation/ground.hpp"

namespace levain::simulation {

/// What becomes of each attempt, whoever does it: by the plan, or soon and well.
class fate_book {
public:
  explicit fate_book(const plan& script);

  fate_item of(int input, const std::string& step, uint32_t attempt, bool undo) const;

private:
  uint64_t seed_;
  /// By input, step, attempt and whether it is to undo.
  std::map<std::tuple<int, std::string, uint32_t, bool>, fate_item> fates_;
};

/// What does a step answers when it has worked, JSON text: no two are equal. `misfit`: a value that the audit row has
/// no room for.
std::string
good_output(uint64_t call, const std::string& step, int input, timestamp now, bool misfit, std::string_view note);

/// What a call's body says is the run's input.
int input_of(const std::string& body);

/// Deeper than any answer may be.
inline constexpr size_t depth_beyond = 80;
/// Longer than any answer may be, in bytes.
inline constexpr size_t size_beyond = 1024 * 1024 + 100;

} // namespace levain::simulation
