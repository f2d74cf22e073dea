#include "apps/levain/doctor_text.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace levain {

namespace {

using terminal::ink;

/// The longest name has so many characters.
constexpr size_t name_width = 18;

ink ink_of(finding_level level) {
  switch (level) {
  case finding_level::ok:
    return ink::good;
  case finding_level::notice:
    return ink::strong;
  case finding_level::warning:
    return ink::warning;
  case finding_level::critical:
    return ink::bad;
  }
  return ink::plain;
}

std::string finding_text(const finding& one, const terminal::paint& look) {
  auto text = fmt::format(
    "{}  {}  {}\n", look(ink_of(one.level), terminal::padded(to_string(one.level), 8)),
    terminal::padded(one.name, name_width), terminal::harmless(one.value));
  const auto more = [&](const char* what, const std::string& words) {
    if (!words.empty())
      text += fmt::format(
        "{:10}{}  {}\n", "", look(ink::quiet, terminal::padded(what, name_width)), terminal::harmless(words));
  };
  more("  right would be", one.right);
  more("  what to do", one.advice);
  return text;
}

} // namespace

std::string doctor_text(const std::vector<finding>& findings, const terminal::screen& out) {
  std::string text;
  for (const auto subject : {finding_subject::node, finding_subject::database}) {
    std::vector<finding> about;
    std::copy_if(findings.begin(), findings.end(), std::back_inserter(about), [&](const finding& each) {
      return each.subject == subject;
    });
    std::stable_sort(about.begin(), about.end(), [](const auto& a, const auto& b) { return a.level > b.level; });
    if (!about.empty())
      text += out.look(ink::strong, to_string(subject)) + '\n';
    for (const auto& each : about)
      text += finding_text(each, out.look);
  }
  std::map<finding_level, size_t> counts;
  for (const auto& each : findings)
    ++counts[each.level];
  text += fmt::format(
    "{} critical, {} warnings, {} notices, {} ok\n", counts[finding_level::critical], counts[finding_level::warning],
    counts[finding_level::notice], counts[finding_level::ok]);
  return text;
}

} // namespace levain
