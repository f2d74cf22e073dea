#include "persistence/child_environment.hpp"

#include <unistd.h>

namespace levain {

std::vector<std::string> child_environment(
  const std::map<std::string, std::string>& added, const std::function<bool(std::string_view name)>& leaves_out) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto name = text.substr(0, text.find('='));
    if (!added.contains(std::string(name)) && !leaves_out(name))
      all.emplace_back(text);
  }
  for (const auto& [name, value] : added)
    all.push_back(name + '=' + value);
  return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (auto& text : texts)
    pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

} // namespace levain
