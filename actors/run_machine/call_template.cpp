#include "actors/run_machine/call_template.hpp"

#include <algorithm>
#include <array>

namespace levain {

namespace {

constexpr std::array<std::string_view, 10> run_fields = {"id",   "number",   "tenant",  "workflow", "version",
                                                         "type", "priority", "attempt", "step",     "triggered_by"};

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_variable_name(std::string_view name) {
  return !name.empty() && !is_digit(name.front()) &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
}

bool is_segment(std::string_view segment) {
  return !segment.empty() && std::all_of(segment.begin(), segment.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '_' || c == '-';
  });
}

std::vector<std::string> split_path(std::string_view text) {
  std::vector<std::string> path;
  for (;;) {
    auto dot = text.find('.');
    path.emplace_back(text.substr(0, dot));
    if (dot == std::string_view::npos)
      return path;
    text.remove_prefix(dot + 1);
  }
}

/// What is wrong with a reference; empty when nothing is.
std::string reference_fault(std::string_view text, const std::vector<std::string>& path) {
  auto quoted = "'{" + std::string(text) + "}'";
  if (!std::all_of(path.begin(), path.end(), is_segment))
    return quoted + " must be names of letters, digits, '_' and '-' with dots between them";
  const auto& root = path.front();
  if (root != "results" && root != "input" && root != "run")
    return quoted + " must begin with 'results.', 'input.' or 'run.'";
  if (root == "results" && path.size() < 2)
    return quoted + " must name a step: '{results.step.field}'";
  if (root == "input" && path.size() < 2)
    return quoted + " must name a field: '{input.field}'";
  if (root == "run" && (path.size() != 2 || !is_run_field(path[1])))
    return quoted + " must be 'run.' and one of id, number, tenant, workflow, version, type, priority, attempt, step, "
                    "triggered_by";
  return {};
}

/// Cuts one text; remembers the first fault.
class cutter {
public:
  explicit cutter(std::string_view text)
    : text_(text) {}

  std::variant<call_template, template_error> cut() {
    while (position_ < text_.size() && error_.message.empty())
      take_next();
    if (!error_.message.empty())
      return std::move(error_);
    return std::move(pieces_);
  }

private:
  bool looking_at(std::string_view what) const { return text_.substr(position_, what.size()) == what; }

  void take_next() {
    if (looking_at("${"))
      take_variable();
    else if (looking_at("{{") || looking_at("}}"))
      take_text(2);
    else if (looking_at("{"))
      take_reference();
    else if (looking_at("}"))
      error_ = {position_, "'}' has no '{' before it; write '}}' for a brace itself"};
    else
      take_text(1);
  }

  void take_text(size_t bytes) {
    if (pieces_.empty() || pieces_.back().kind != template_piece::kind_type::text)
      pieces_.push_back({});
    pieces_.back().text += text_[position_];
    position_ += bytes;
  }

  /// The text between the brackets that open here; moves behind them.
  std::string_view take_inner(size_t opening_bytes) {
    auto begin = position_ + opening_bytes;
    auto end = text_.find('}', begin);
    if (end == std::string_view::npos) {
      error_ = {position_, "'{' has no '}' after it; write '{{' for a brace itself"};
      return {};
    }
    position_ = end + 1;
    return text_.substr(begin, end - begin);
  }

  void take_variable() {
    auto start = position_;
    auto name = take_inner(2);
    if (!error_.message.empty())
      return;
    if (!is_variable_name(name))
      error_ = {
        start, "'${" + std::string(name) + "}' must name a variable: a letter or '_', then letters, digits and '_'"};
    else
      pieces_.push_back({template_piece::kind_type::variable, std::string(name), {}});
  }

  void take_reference() {
    auto start = position_;
    auto inner = take_inner(1);
    if (!error_.message.empty())
      return;
    auto path = split_path(inner);
    if (auto fault = reference_fault(inner, path); !fault.empty())
      error_ = {start, std::move(fault)};
    else
      pieces_.push_back({template_piece::kind_type::reference, std::string(inner), std::move(path)});
  }

  std::string_view text_;
  size_t position_ = 0;
  call_template pieces_;
  template_error error_;
};

} // namespace

bool is_run_field(std::string_view name) {
  return std::find(run_fields.begin(), run_fields.end(), name) != run_fields.end();
}

std::variant<call_template, template_error> parse_template(std::string_view text) {
  return cutter(text).cut();
}

} // namespace levain
