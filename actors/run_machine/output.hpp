#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/run_machine/state.hpp"

namespace levain {

/// A step's answer, and the input of a run, may be this long as they arrive, in bytes.
inline constexpr size_t output_bytes_max = 1024 * 1024;
/// The results of all steps of a run together may be this long, in bytes of their canonical form.
inline constexpr size_t results_bytes_max = 64 * 1024 * 1024;
/// Arrays and objects inside one another in an answer or an input.
inline constexpr size_t output_depth_max = 64;

/// True when arrays and objects of the JSON text stand inside one another more than `depth_max` deep. Whoever walks a
/// value goes down into it by recursion, so it is asked before.
bool is_deeper_than(std::string_view text, size_t depth_max);

/// Why a text cannot be taken: a sentence about "the answer", "the input" or whatever `what` named.
struct unusable_json {
  /// Any text; it becomes a plain line.
  explicit unusable_json(std::string_view sentence);
  std::string message;
};

/// A JSON text in the form in which events carry it: sorted keys, no blanks, and each number digit by digit in its
/// one form (`canonical_number`), so that a state folded from the journal equals the one that was in memory. Refuses
/// what is not JSON, is nested deeper than `output_depth_max`, or holds the character U+0000, which the database cannot
/// keep.
std::variant<std::string, unusable_json> canonical_json(std::string_view text, std::string_view what);

/// An answer that its step can use.
struct usable_output {
  /// In canonical form.
  std::string text;
  /// What the step's `record` takes out of it.
  std::vector<recorded_value> recorded;
};

/// Checks an answer against its limits and against the columns that the step's `record` fills.
std::variant<usable_output, unusable_json>
check_output(const step_definition& step, std::string_view text, size_t bytes_max = output_bytes_max);

} // namespace levain
