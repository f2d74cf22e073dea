#pragma once

#include <list>
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

/// Parsed definitions by name and version, read from the store when they are asked for. They are immutable, so those
/// that were used lately stay, up to a number of bytes; runs hold the ones they need. Safe from any thread; a thread
/// that misses waits for the store, and other threads go on.
class workflow_cache {
public:
  /// What is kept takes about `bytes_max` bytes; the newest one is kept however large it is.
  explicit workflow_cache(std::unique_ptr<definition_store> store, size_t bytes_max = 64 * 1024 * 1024);

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

  /// How many definitions are kept, and how many bytes they are taken to have.
  size_t kept_count() const;
  size_t kept_bytes() const;

private:
  using name_and_version = std::pair<std::string, int32_t>;
  struct kept_workflow {
    workflow_ptr workflow;
    /// Its place in `by_use_`.
    std::list<name_and_version>::iterator use;
  };

  workflow_ptr known(const name_and_version& which);
  workflow_ptr keep(const definition_record& record);
  void add(workflow_ptr workflow);

  const size_t bytes_max_;
  /// Held while the store is asked.
  std::mutex store_mutex_;
  std::unique_ptr<definition_store> store_;
  /// Of what follows; never held while the store is asked.
  mutable std::mutex mutex_;
  std::map<name_and_version, kept_workflow> known_;
  /// The one used last stands first.
  std::list<name_and_version> by_use_;
  size_t bytes_ = 0;
};

} // namespace levain
