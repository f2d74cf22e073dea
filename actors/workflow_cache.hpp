#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>

#include "actors/workflow/definition.hpp"
#include "persistence/definition_store.hpp"

namespace levain {

/// The row of a registered definition cannot be read. what() names the definition, the column and what to do.
class definition_unreadable : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// Parsed definitions by name and version, read from the store when they are first asked for. They are immutable, so
/// they stay. Safe from any thread; a thread that misses waits for the store.
class workflow_cache {
public:
  explicit workflow_cache(std::unique_ptr<definition_store> store);

  /// The definition of exactly this version, for a run that was accepted with it: the body alone counts. Null when
  /// there is none. Throws `journal_unavailable`, and `definition_unreadable` when the body is no definition.
  workflow_ptr find(const std::string& name, int32_t version);

  /// The definition of this version, or of the highest one that the store has now, for new runs; null when there is
  /// none. Throws `journal_unavailable`, and `definition_unreadable` when any column of the row cannot be read.
  workflow_ptr find_registered(const std::string& name, std::optional<int32_t> version);

  /// Puts a definition into the store. Throws `journal_unavailable`, and `std::invalid_argument` when the database
  /// refuses it.
  definition_store::put_result put(const workflow_ptr& workflow, timestamp now);

  /// All that are registered. Throws `journal_unavailable`.
  std::vector<definition_record> list();

private:
  workflow_ptr keep(const definition_record& record);

  std::mutex mutex_;
  std::unique_ptr<definition_store> store_;
  std::map<std::pair<std::string, int32_t>, workflow_ptr> known_;
};

} // namespace levain
