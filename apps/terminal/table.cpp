#include "apps/terminal/table.hpp"

#include <algorithm>

namespace levain::terminal {

namespace {

constexpr std::string_view gap = "  ";

void end_line(std::string& text) {
  text.erase(text.find_last_not_of(' ') + 1);
  text += '\n';
}

} // namespace

table::table(std::vector<std::string> headings)
  : headings_(std::move(headings)) {}

void table::add(std::vector<cell> row) {
  row.resize(headings_.size());
  for (auto& each : row)
    each.text = harmless(each.text);
  rows_.push_back(std::move(row));
}

std::string table::text(const paint& look) const {
  if (rows_.empty())
    return {};
  std::vector<size_t> widths;
  for (size_t i = 0; i < headings_.size(); ++i) {
    widths.push_back(width_of(headings_[i]));
    for (const auto& row : rows_)
      widths[i] = std::max(widths[i], width_of(row[i].text));
  }
  std::string text;
  for (size_t i = 0; i < headings_.size(); ++i)
    text += look(ink::quiet, padded(headings_[i], widths[i], rows_.front()[i].right)) + std::string(gap);
  end_line(text);
  for (const auto& row : rows_) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i)
      line += look(row[i].kind, padded(row[i].text, widths[i], row[i].right)) + std::string(gap);
    end_line(line);
    text += line;
  }
  return text;
}

} // namespace levain::terminal
