#pragma once

#include <string>
#include <vector>

#include "apps/terminal/paint.hpp"

namespace levain::terminal {

/// One field of a table.
struct cell {
  std::string text;
  ink kind = ink::plain;
  /// True for numbers.
  bool right = false;
};

/// Rows under headings, each column as wide as its widest field. Fields are made harmless; headings are not shown over
/// an empty table.
class table {
public:
  explicit table(std::vector<std::string> headings);
  void add(std::vector<cell> row);
  bool empty() const { return rows_.empty(); }
  /// With a line break at the end of every line.
  std::string text(const paint& look) const;

private:
  std::vector<std::string> headings_;
  std::vector<std::vector<cell>> rows_;
};

} // namespace levain::terminal
