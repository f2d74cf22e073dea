#include <charconv>
#include <fmt/format.h>
#include <map>
#include <sstream>
#include <stdexcept>

#include "actors/workflow/parse_definition.hpp"
#include "tests/simulation/plan_fields.hpp"

namespace levain::simulation {

namespace {

template <class T>
std::string value_text(const T& value) {
  if constexpr (std::is_same_v<T, bool>)
    return value ? "yes" : "no";
  else if constexpr (std::is_same_v<T, std::string>)
    return value;
  else if constexpr (std::is_same_v<T, duration>)
    return value < duration(0) ? "-" + format_duration(-value) : format_duration(value);
  else if constexpr (std::is_enum_v<T>)
    return std::string(names_of<T>.at(static_cast<size_t>(value)));
  else
    return std::to_string(value);
}

template <class T>
bool read_value(std::string_view text, T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    value = text == "yes";
    return text == "yes" || text == "no";
  } else if constexpr (std::is_same_v<T, std::string>) {
    value = text;
    return true;
  } else if constexpr (std::is_same_v<T, duration>) {
    const bool before = text.starts_with('-');
    const auto span = parse_duration(before ? text.substr(1) : text);
    if (span)
      value = before ? -*span : *span;
    return span.has_value();
  } else if constexpr (std::is_enum_v<T>) {
    for (size_t i = 0; i < names_of<T>.size(); ++i)
      if (names_of<T>[i] == text) {
        value = static_cast<T>(i);
        return true;
      }
    return false;
  } else {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size();
  }
}

template <class Item>
std::string line_of(const Item& x) {
  std::string line(Item::verb);
  const Item plain;
  std::map<std::string, std::string> defaults;
  for_each_field(plain, [&](const char* name, const auto& value) { defaults[name] = value_text(value); });
  for_each_field(x, [&](const char* name, const auto& value) {
    if (auto text = value_text(value); text != defaults[name])
      line += fmt::format(" {}={}", name, text);
  });
  return line;
}

/// `name=value` by `name`; a value ends at a blank.
std::map<std::string, std::string> read_words(std::istringstream& words) {
  std::map<std::string, std::string> read;
  for (std::string word; words >> word;) {
    const auto equals = word.find('=');
    if (equals == std::string::npos)
      throw std::invalid_argument(fmt::format("'{}' is not name=value", word));
    read[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return read;
}

template <class Item>
Item read_item(std::istringstream& words) {
  Item x;
  auto read = read_words(words);
  for_each_field(x, [&](const char* name, auto& value) {
    const auto found = read.extract(name);
    if (!found.empty() && !read_value(found.mapped(), value))
      throw std::invalid_argument(fmt::format("{}={}: this is no such value", name, found.mapped()));
  });
  if (!read.empty())
    throw std::invalid_argument(fmt::format("{} has no member '{}'", Item::verb, read.begin()->first));
  return x;
}

template <size_t I = 0>
plan_item read_any(const std::string& verb, std::istringstream& words) {
  if constexpr (I == std::variant_size_v<plan_item>) {
    throw std::invalid_argument(fmt::format("there is no item '{}'", verb));
  } else {
    using item = std::variant_alternative_t<I, plan_item>;
    if (verb == item::verb)
      return read_item<item>(words);
    return read_any<I + 1>(verb, words);
  }
}

} // namespace

bool is_without(const plan& x, int node, lack_kind what, duration booted) {
  const auto applies = [&](const plan_item& each) {
    const auto* lack = std::get_if<lack_item>(&each);
    return lack != nullptr && lack->node == node && lack->what == what && booted < std::min(lack->until, x.shape.calm);
  };
  return std::any_of(x.items.begin(), x.items.end(), applies);
}

void check_plan(const plan& x) {
  if (x.shape.nodes < 1)
    throw std::invalid_argument("nodes=" + std::to_string(x.shape.nodes) + ": must be at least 1");
  if (x.shape.workers < 0)
    throw std::invalid_argument("workers=" + std::to_string(x.shape.workers) + ": must be at least 0");
  for (const auto& each : x.items)
    std::visit(
      [&](const auto& item) {
        for_each_field(item, [&](const std::string_view name, const auto& value) {
          if constexpr (std::is_same_v<std::remove_cvref_t<decltype(value)>, int>) {
            const auto check = [&](const char* what, int min, int count) {
              if (value < min || value >= count)
                throw std::invalid_argument(
                  fmt::format("{}: must be below {}={}: {}", value, what, count, line_of(item)));
            };
            if (name == "node" || name == "other")
              check("nodes", any_node, x.shape.nodes);
            // An offer is always somebody's.
            if (name == "worker")
              check(
                "workers", std::is_same_v<std::remove_cvref_t<decltype(item)>, offer_item> ? 0 : no_worker,
                x.shape.workers);
          }
        });
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(item)>, offer_item>)
          if (item.work.empty() || item.at_once == 0)
            throw std::invalid_argument(
              "an offer must name a kind, and be of one step at once at least: " + line_of(item));
      },
      each);
}

std::string to_text(const plan_item& x) {
  return std::visit([](const auto& item) { return line_of(item); }, x);
}

std::string to_text(const plan& x) {
  auto text = line_of(x.shape) + "\n";
  for (const auto& each : x.items)
    text += to_text(each) + "\n";
  return text;
}

plan parse_plan(std::string_view text) {
  plan read;
  bool has_shape = false;
  size_t number = 0;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    ++number;
    std::istringstream words(line);
    std::string verb;
    if (!(words >> verb) || verb.front() == '#')
      continue;
    try {
      if (verb == world_shape::verb) {
        read.shape = read_item<world_shape>(words);
        has_shape = true;
      } else {
        read.items.push_back(read_any(verb, words));
      }
    } catch (const std::invalid_argument& wrong) {
      throw std::invalid_argument(fmt::format("line {} of the plan: {}", number, wrong.what()));
    }
  }
  if (!has_shape)
    throw std::invalid_argument("the plan has no line 'world'");
  return read;
}

} // namespace levain::simulation
