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
  /// A statement that takes longer is cancelled. About as long as a lease: whoever asks beats no heart meanwhile.
  std::chrono::milliseconds statement_timeout{5'000};
  /// An answer that takes so much longer does not come: the connection is given up.
  std::chrono::milliseconds answer_margin{5'000};
  /// How long `take` waits for the batches under way on shards that it may take; what is still locked then is left for
  /// the next call. Shorter than what is between two heartbeats.
  std::chrono::milliseconds take_lock_timeout{1'000};
  /// The server ends a session that stays idle inside a transaction for longer. About as long as a lease: a node that
  /// freezes in the middle of a takeover holds shards locked, and nobody can take them before.
  std::chrono::milliseconds idle_in_transaction_timeout{5'000};
};

/// The tables `nodes`, `shards` and `run_numbers` on PostgreSQL, over one connection that it opens when needed and
/// again after a loss. One thread at a time. A call that throws `journal_unavailable` may have been done: `owned`
/// tells.
class postgres_leases : public leases {
public:
  explicit postgres_leases(postgres_leases_options options);
  ~postgres_leases() override;

  void join(const node_record& node, std::chrono::milliseconds lease, const std::optional<uuid>& follows = std::nullopt)
    override;
  bool heartbeat(const uuid& node, const node_figures& figures) override;
  shard_share share(const uuid& node) override;
  cluster_view view() override;
  bool set_draining(const uuid& node, bool draining) override;
  std::vector<shard_lease> take(const uuid& node, size_t shards_max, bool sole) override;
  std::vector<shard_lease> owned(const uuid& node) override;
  size_t release(const uuid& node, const std::vector<shard_lease>& shards) override;
  size_t forget_expired(std::chrono::milliseconds age) override;
  void leave(const uuid& node) override;
  std::vector<workflow_version> unfinished_workflows() override;
  int64_t reserve_run_numbers(int64_t count) override;
  bool give_back_run_numbers(int64_t first, int64_t end) override;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace levain
