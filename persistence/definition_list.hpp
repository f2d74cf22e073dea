#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "persistence/timestamp.hpp"

namespace levain {

/// A registered version of a workflow without its body.
struct listed_definition {
  std::string name;
  int32_t version = 0;
  std::string content_hash;
  /// Absent where the row holds a time that no calendar has, which only a hand could have put there.
  std::optional<timestamp> registered_at;
};

/// The place of a version in the list of all, by name and version.
struct definition_place {
  std::string name;
  int32_t version = 0;
};

} // namespace levain
