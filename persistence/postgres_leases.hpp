#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "persistence/leases.hpp"

namespace levain {

/// How leases on PostgreSQL behave.
struct postgres_leases_options {
  /// A libpq connection URL.
  std::string url;
  /// What `pg_stat_activity` shows.
  std::string application_name = "levain leases";
  /// How long connecting may take; at least 2 s.
  std::chrono::seconds connect_timeout{5};
  /// A statement that takes longer is cancelled. Taking shards waits for the batches under way on them.
  std::chrono::milliseconds statement_timeout{10'000};
};

/// The tables `nodes`, `shards` and `run_numbers` on PostgreSQL, over one connection that it opens when needed and
/// again after a loss. One thread at a time. A call that throws `journal_unavailable` may have been done: `owned`
/// tells.
class postgres_leases : public leases {
public:
  explicit postgres_leases(postgres_leases_options options);
  ~postgres_leases() override;

  void join(const node_record& node, std::chrono::milliseconds lease) override;
  bool heartbeat(const uuid& node) override;
  std::vector<shard_lease> take(const uuid& node, size_t shards_max, bool sole) override;
  std::vector<shard_lease> owned(const uuid& node) override;
  void leave(const uuid& node) override;
  int64_t reserve_run_numbers(int64_t count) override;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace levain
