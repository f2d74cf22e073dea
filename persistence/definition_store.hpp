#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "persistence/timestamp.hpp"

namespace levain {

/// A registered version of a workflow: immutable.
struct definition_record {
  std::string name;
  int32_t version = 0;
  /// SHA-256 of the canonical body in hex.
  std::string content_hash;
  /// JSON text.
  std::string body;
  timestamp registered_at{};
  /// Why the row cannot be read, one line with the column; empty when it can.
  std::string damage = {};
};

/// The database refuses a definition's row, in its words. One line.
struct definition_refused {
  std::string reason;
};

/// PERSISTENCE PORT. The table `workflow_definitions`. Throws `journal_unavailable` when the database cannot be asked.
class definition_store {
public:
  virtual ~definition_store() = default;

  enum class put_result : uint8_t {
    registered,
    /// The same content was there already.
    unchanged,
    /// Another content has this name and version; nothing was written.
    conflict,
  };
  /// Throws `std::invalid_argument` with the database's words when it refuses the definition.
  virtual put_result put(const definition_record& definition) = 0;

  virtual std::optional<definition_record> find(const std::string& name, int32_t version) = 0;
  /// The highest version of `name`.
  virtual std::optional<definition_record> find_newest(const std::string& name) = 0;
  /// All, by name and version.
  virtual std::vector<definition_record> list() = 0;
};

/// What became of a registration; a sentence when the database could not be asked.
using register_outcome = std::variant<definition_store::put_result, definition_refused, std::string>;

} // namespace levain
