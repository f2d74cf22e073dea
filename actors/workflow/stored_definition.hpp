#pragma once

#include <string_view>

#include "actors/workflow/parse_definition.hpp"

namespace levain {

/// Reads a definition that was registered, perhaps by an older program: as `parse_definition`, but without the rules
/// that came later and that a call is held to when it is made. A run that was accepted with it goes on.
parsed_definition read_stored_definition(std::string_view body);

} // namespace levain
