#pragma once

#include <string>
#include <vector>

#include "actors/workflow/definition.hpp"
#include "actors/workflow/parse_definition.hpp"

namespace levain {

/// Secrets that a definition seems to hold itself: the values of `Authorization`, `Cookie` and `Proxy-Authorization`,
/// and the user of a URL, where no part of them is a `${variable}` or a value of the run. Everybody may read
/// definitions, and they are kept for ever. A sentence for each, with its place.
std::vector<field_error> literal_secrets(const workflow_definition& workflow);

} // namespace levain
