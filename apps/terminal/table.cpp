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

std::vector<size_t> table::widths() const {
  std::vector<size_t> found;
  for (size_t i = 0; i < headings_.size(); ++i) {
    found.push_back(width_of(headings_[i]));
    for (const auto& row : rows_)
      found[i] = std::max(found[i], width_of(row[i].text));
  }
  return found;
}

void table::drop(size_t column) {
  const auto at = static_cast<std::ptrdiff_t>(column);
  headings_.erase(headings_.begin() + at);
  for (auto& row : rows_)
    row.erase(row.begin() + at);
}

std::vector<std::string>
table::fit(size_t width, const std::vector<std::string>& droppable, const std::string& cuttable, const paint& look) {
  std::vector<std::string> dropped;
  const auto place_of = [this](const std::string& heading) {
    return static_cast<size_t>(std::ranges::find(headings_, heading) - headings_.begin());
  };
  /// What the table takes beside the column that can be cut.
  const auto fixed = [&](size_t cut_column) {
    const auto all = widths();
    size_t total = all.empty() ? 0 : (all.size() - 1) * gap.size();
    for (size_t i = 0; i < all.size(); ++i)
      total += i == cut_column ? std::min(all[i], cut_column_min) : all[i];
    return total;
  };
  if (width == 0)
    return dropped;
  for (const auto& heading : droppable) {
    if (fixed(place_of(cuttable)) <= width)
      break;
    if (const auto column = place_of(heading); column < headings_.size()) {
      drop(column);
      dropped.push_back(heading);
    }
  }
  const auto column = place_of(cuttable);
  if (column == headings_.size())
    return dropped;
  const auto all = widths();
  const auto least = std::min(all[column], cut_column_min);
  const auto others = fixed(column) - least;
  const auto room = std::max(least, width > others ? width - others : 0);
  for (auto& row : rows_)
    row[column].text = cut(row[column].text, room, look);
  return dropped;
}

std::string table::text(const paint& look) const {
  if (rows_.empty())
    return {};
  const auto widths = this->widths();
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
