#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "actors/workflow/definition.hpp"
#include "persistence/definition_store.hpp"

namespace levain {

/// Parsed definitions by name and version, read from the store when they are first asked for. They are immutable, so
/// they stay. Safe from any thread; a thread that misses waits for the store.
class workflow_cache {
public:
  explicit workflow_cache(std::unique_ptr<definition_store> store);

  /// The definition of exactly this version; null when there is none. Throws `journal_unavailable`.
  workflow_ptr find(const std::string& name, int32_t version);

  /// The highest version there is now, by the store. Throws `journal_unavailable`.
  workflow_ptr find_newest(const std::string& name);

  /// Puts a definition into the store. Throws `journal_unavailable`.
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
