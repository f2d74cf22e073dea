#include "actors/run_machine/json_element.hpp"

#include <algorithm>
#include <string>

namespace levain {

const nlohmann::json* element_of(const nlohmann::json& list, std::string_view name) {
  // No answer has as many elements as more digits could count.
  constexpr size_t digits_max = 9;
  const bool digits = !name.empty() && name.size() <= digits_max && (name == "0" || name.front() != '0') &&
                      std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!list.is_array() || !digits)
    return nullptr;
  const auto index = static_cast<size_t>(std::stoul(std::string(name)));
  return index < list.size() ? &list[index] : nullptr;
}

} // namespace levain
