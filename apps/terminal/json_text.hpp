#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace levain::terminal {

/// The document over several lines, as programs and people read it, its numbers digit by digit. Characters that a
/// terminal obeys or that hide others are escaped everywhere; on a terminal (`live`) everything beyond ASCII is.
std::string json_text(const nlohmann::ordered_json& document, bool live);

} // namespace levain::terminal
