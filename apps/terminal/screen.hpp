#pragma once

#include <cstdio>
#include <string>

#include "apps/terminal/paint.hpp"

namespace levain::terminal {

/// Where output for people goes.
struct screen {
  paint look;
  /// Columns; `width_default` where there is no terminal that knows.
  size_t width = 0;
  /// Whether standard output is a terminal, on which lines can be written over.
  bool live = false;

  static constexpr size_t width_default = 144;

  static screen standard_output();
};

/// Writes to standard output at once. Throws `std::system_error` when that fails, but for a reader that has left.
void print(const std::string& text);

} // namespace levain::terminal
