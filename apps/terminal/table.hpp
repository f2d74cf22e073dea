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
  /// Makes the table at most `width` wide, as far as that can be done: the column under `cuttable` is cut, though not
  /// below `cut_column_min`, and those of `droppable` go where that is not enough, the first one first. Returns the
  /// headings that went. A width of 0 changes nothing.
  std::vector<std::string>
  fit(size_t width, const std::vector<std::string>& droppable, const std::string& cuttable, const paint& look);
  /// With a line break at the end of every line.
  std::string text(const paint& look) const;

  static constexpr size_t cut_column_min = 20;

private:
  std::vector<size_t> widths() const;
  void drop(size_t column);

  std::vector<std::string> headings_;
  std::vector<std::vector<cell>> rows_;
};

} // namespace levain::terminal
