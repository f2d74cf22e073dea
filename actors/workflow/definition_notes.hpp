#pragma once

#include "actors/workflow/object_reader.hpp"

// Words in a definition that are for people and programs around Levain. They are kept, shown with the definition and
// mean nothing to a run.

namespace levain {

/// Characters of a description.
inline constexpr size_t description_characters_max = 2'000;
/// Labels of a definition or of a step.
inline constexpr size_t labels_max = 32;
/// Characters of a label's value.
inline constexpr size_t label_characters_max = 256;

/// Checks the members `description` and `labels`.
void check_notes(object_reader& reader, error_list& errors);

/// Checks the member `$schema`, by which editors find the rules of a document.
void check_schema_name(object_reader& reader);

} // namespace levain
