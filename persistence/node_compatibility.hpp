#pragma once

#include <optional>
#include <string>
#include <vector>

#include "persistence/leases.hpp"

namespace levain {

/// Which versions of the wire's protocol a node speaks.
struct spoken_protocol {
  /// Of the node, for people.
  std::string name;
  /// Of its program.
  std::string version;
  /// Both 0: it has no gate and speaks with nobody.
  uint32_t min = 0;
  uint32_t max = 0;
};

spoken_protocol protocol_of(const node_record& node);

/// Why a node cannot join these living ones: a sentence that names the ranges of both sides, and what could join.
/// Nothing when it can: whoever has no gate gets on with everybody.
std::optional<std::string> why_not_join(const spoken_protocol& node, const std::vector<spoken_protocol>& living);

} // namespace levain
