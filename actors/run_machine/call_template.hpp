#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace levain {

/// A part of a text that may hold `${variable}` and `{reference.to.a.value}`.
struct template_piece {
  enum class kind_type : uint8_t {
    /// Stands for itself.
    text,
    /// `${name}`: a setting of the node.
    variable,
    /// `{results.step.field}`, `{input.field}`, `{run.id}`: a value of the run.
    reference,
  };
  kind_type kind = kind_type::text;
  /// The literal text, the variable's name, or the reference without its braces (`results.production.schedule_id`).
  std::string text;
  /// Only of references, never empty: the text's segments (`results`, `production`, `schedule_id`). The first is
  /// `results` (then the second is a step's name), `input` or `run` (then there is exactly one more, see
  /// `is_run_field`).
  std::vector<std::string> path;

  bool operator==(const template_piece&) const = default;
};

/// A text cut into its pieces, in order; without any for the empty text.
using call_template = std::vector<template_piece>;

/// Why a text is not a template.
struct template_error {
  /// The byte at fault, from 0.
  size_t position = 0;
  /// What is wrong there and what would have been right, without the position: `'{foo}' must begin with ...`.
  std::string message;

  bool operator==(const template_error&) const = default;
};

/// Cuts a text into pieces. `{{` and `}}` stand for a brace itself; a `$` that no `{` follows stands for itself. A
/// variable's name is a letter or `_`, then letters, digits and `_`; a segment of a reference is made of letters,
/// digits, `_` and `-`. Whether a step or a variable of that name exists is for the caller to check.
std::variant<call_template, template_error> parse_template(std::string_view text);

/// True for what may follow `run.`: `id`, `number`, `tenant`, `workflow`, `version`, `type`, `priority`, `attempt`,
/// `step` and `triggered_by`.
bool is_run_field(std::string_view name);

} // namespace levain
