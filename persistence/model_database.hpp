#pragma once

#include <array>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "persistence/definition_store.hpp"
#include "persistence/journal.hpp"
#include "persistence/leases.hpp"

namespace levain {

/// The database's tables in memory, for simulation and tests: what `model_journal`, `model_leases` and
/// `model_definition_store` share as many processes share a server. Safe to use by many threads.
class model_database {
public:
  /// `clock` is the only clock that counts for leases, as the database's is.
  explicit model_database(std::function<timestamp()> clock = now_utc);

  /// The run's row, if there is one.
  std::optional<audit_row> row(const run_id& run) const;
  /// All rows, in the order of their ids.
  std::vector<audit_row> rows() const;
  /// The run's events in order.
  std::vector<event_record> events(const run_id& run) const;
  /// The keys of starts and the runs that they started, in their order.
  std::vector<std::pair<start_key, run_id>> starts() const;
  /// The epoch of a shard.
  epoch_number epoch(shard_number shard) const;
  /// Gives the shard another epoch, as a takeover by somebody else does.
  void set_epoch(shard_number shard, epoch_number epoch);
  /// Why nobody acts for the run, if that is so.
  std::optional<run_stop> stop(const run_id& run) const;

  /// As somebody does by hand in SQL: changes a run's events (none left: the journal is gone) or its row. An event
  /// whose kind is none stands for one that the program does not know.
  void tamper_with_events(const run_id& run, const std::function<void(std::vector<event_record>&)>& change);
  void tamper_with_row(const run_id& run, const std::function<void(audit_row&)>& change);
  void delete_row(const run_id& run);
  /// A row that Levain did not write.
  void add_row(const audit_row& row);
  /// Takes a definition out of its table.
  void remove_definition(const std::string& name, int32_t version);

private:
  friend class model_journal;
  friend class model_leases;
  friend class model_definition_store;

  struct start_entry {
    run_id run;
    std::string fingerprint;
  };
  struct shard_entry {
    std::optional<uuid> node;
    epoch_number epoch = 0;
  };
  struct node_entry {
    node_record record;
    std::chrono::milliseconds lease{};
    timestamp started_at{};
    timestamp heartbeat_at{};
    node_figures figures;
  };

  mutable std::mutex mutex_;
  std::function<timestamp()> clock_;
  std::map<run_id, audit_row> rows_;
  std::map<std::string, run_id> run_numbers_;
  std::map<run_id, std::vector<event_record>> events_;
  std::map<std::pair<tenant_id, std::string>, start_entry> starts_;
  std::array<shard_entry, shard_count> shards_;
  std::map<uuid, node_entry> nodes_;
  std::map<std::pair<std::string, int32_t>, definition_record> definitions_;
  std::map<run_id, run_stop> stops_;
  int64_t next_run_number_ = 1;
};

} // namespace levain
