#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <limits>
#include <string>

#include "actors/workflow/parse_definition.hpp"

namespace levain {

/// Beyond what any machine has, so that a slip of the finger is caught.
inline constexpr size_t count_max = 1'000'000'000;
inline constexpr size_t threads_max = 1024;
/// No wait of a program is sensibly longer.
inline constexpr duration span_max = std::chrono::hours(24 * 7);

/// The variable for an option: `runs-running-max` is also `LEVAIN_RUNS_RUNNING_MAX`.
std::string environment_name(const std::string& name);

/// The value of a variable of the environment; empty when there is none.
std::string environment_value(const std::string& name);

/// Declares options, each also read from the environment, with their ranges in the help text.
class option_maker {
public:
  /// `variables` begins the names of the variables, after `LEVAIN_`: with `worker-`, `name` is also
  /// `LEVAIN_WORKER_NAME`.
  explicit option_maker(CLI::App& app, std::string variables = {})
    : app_(app)
    , variables_(std::move(variables)) {}

  void group(std::string name) { group_ = std::move(name); }

  CLI::Option* text(const std::string& name, std::string& value, const std::string& meaning) {
    return finish(name, app_.add_option("--" + name, value, meaning));
  }

  template <class Count>
  void
  count(const std::string& name, Count& value, const std::string& meaning, size_t min = 1, size_t max = count_max) {
    finish(name, app_.add_option("--" + name, value, meaning))
      ->check(CLI::Range(min, max).description(""))
      ->type_name(std::to_string(min) + ".." + std::to_string(max))
      ->capture_default_str();
  }

  template <class Span>
  void span(const std::string& name, Span& value, const std::string& meaning) {
    auto take = [&value, name](const std::string& text) {
      const auto read = parse_duration(text);
      if (!read || *read <= duration::zero() || *read > span_max)
        throw CLI::ValidationError(
          "--" + name,
          "must be a span such as 500ms, 30s, 5m or 2h, at most " + format_duration(span_max) + ", not '" + text + "'");
      const auto whole = std::chrono::duration_cast<Span>(*read);
      if (whole == Span::zero())
        throw CLI::ValidationError("--" + name, "must be at least 1ms, not '" + text + "'");
      value = whole;
    };
    finish(name, app_.add_option_function<std::string>("--" + name, take, meaning))
      ->default_str(format_duration(value))
      ->type_name("SPAN");
  }

  void flag(const std::string& name, bool& value, const std::string& meaning) {
    finish(name, app_.add_flag("--" + name, value, meaning));
  }

private:
  CLI::Option* finish(const std::string& name, CLI::Option* option) {
    return option->envname(environment_name(variables_ + name))->group(group_);
  }

  CLI::App& app_;
  std::string variables_;
  std::string group_;
};

} // namespace levain
