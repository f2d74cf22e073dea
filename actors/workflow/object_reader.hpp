#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "actors/workflow/definition_members.hpp"
#include "actors/workflow/parse_definition.hpp"

namespace levain {

/// Gathers what is wrong; beyond `definition_errors_max` it only counts.
class error_list {
public:
  void add(std::string field, std::string message);
  /// False when a further error would only be counted, so that nobody needs to make its sentence.
  bool has_room() const { return errors_.size() < definition_errors_max; }
  /// An error beyond what is kept.
  void count() { ++beyond_; }
  bool empty() const { return errors_.empty(); }
  /// Everything gathered, with a last line that counts what is beyond the limit.
  std::vector<field_error> take();

private:
  std::vector<field_error> errors_;
  size_t beyond_ = 0;
};

/// Reads the members of one object of a definition into C++ values. A member that is absent leaves its value as it is;
/// one that is wrong is reported and leaves it, too.
class object_reader {
public:
  /// Reports a value that is no object, and every member that `kind` does not know.
  object_reader(const nlohmann::json& value, std::string place, definition_object kind, error_list& errors);

  /// False when the value was no object; nothing can be found in it then.
  bool is_object() const { return object_ != nullptr; }
  const std::string& place() const { return place_; }
  std::string place_of(std::string_view member) const;
  void report(std::string_view member, std::string message);

  /// The member's value, or null when it is absent.
  const nlohmann::json* find(std::string_view member) const;
  /// Like `find`, but reports that it must be there: `is missing, must be <expected>`.
  const nlohmann::json* require(std::string_view member, std::string_view expected);

  void read_whole(std::string_view member, uint32_t& value, uint32_t min, uint32_t max);
  void read_number(std::string_view member, double& value, double min, double max);
  void read_duration(std::string_view member, duration& value, duration min, duration max);
  /// The members `initial_interval` and `max_interval`, which cannot be shorter. Where it is absent, the maximum rises
  /// to the initial interval.
  void read_intervals(duration& initial, duration& max);
  /// A text out of `choices`; answers its place among them, or -1.
  int read_choice(std::string_view member, std::span<const std::string_view> choices);
  /// A text, or null when it is absent or something else.
  const std::string* read_text(std::string_view member, std::string_view expected);

private:
  const nlohmann::json* object_ = nullptr;
  std::string place_;
  error_list& errors_;
};

/// `[a-z][a-z0-9_-]*`, at most `definition_name_bytes_max` long.
bool is_definition_name(std::string_view text);

/// What `is_definition_name` asks for, for people.
inline constexpr std::string_view definition_name_rule =
  "lower-case letters, digits, '_' and '-', a letter first, at most 100 bytes";

} // namespace levain
