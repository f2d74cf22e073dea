#include "apps/levain/program_words.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

namespace levain {

namespace {

/// The flag is the last one.
constexpr std::array<std::string_view, 5> shared{"--url", "--tenant", "--database", "--embedded", "--json"};
constexpr std::string_view shared_flag = shared.back();
constexpr auto shared_with_value = std::span(shared).first<shared.size() - 1>();
/// Stays before the command.
constexpr std::string_view of_the_program = "--log-level";

bool has_value_in_it(const std::string& word) {
  return std::any_of(shared_with_value.begin(), shared_with_value.end(), [&word](auto each) {
    return word.size() > each.size() && word.starts_with(each) && word[each.size()] == '=';
  });
}

} // namespace

std::span<const std::string_view> shared_options() {
  return shared;
}

bool is_shared_with_value(std::string_view word) {
  return std::find(shared_with_value.begin(), shared_with_value.end(), word) != shared_with_value.end();
}

std::vector<std::string> program_words(std::vector<std::string> given) {
  std::vector<std::string> before;
  std::vector<std::string> moved;
  auto at = given.begin();
  while (at != given.end() && at->starts_with('-')) {
    const bool takes_next = is_shared_with_value(*at);
    auto& to = takes_next || *at == shared_flag || has_value_in_it(*at) ? moved : before;
    const bool pair = (takes_next || *at == of_the_program) && at + 1 != given.end();
    to.push_back(*at++);
    if (pair)
      to.push_back(*at++);
  }
  // Without a command all stays as it was, for the parser to say what is wrong.
  if (at == given.end())
    return given;
  auto words = std::move(before);
  if (*at == help_word) {
    words.insert(words.end(), at + 1, given.end());
    words.emplace_back("--help");
    return words;
  }
  if (*at == version_word && at + 1 == given.end())
    return {"--version"};
  words.insert(words.end(), at, given.end());
  words.insert(words.end(), moved.begin(), moved.end());
  return words;
}

} // namespace levain
