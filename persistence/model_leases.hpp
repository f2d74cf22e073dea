#pragma once

#include <functional>
#include <memory>

#include "persistence/leases.hpp"
#include "persistence/model_database.hpp"

namespace levain {

/// The tables `nodes` and `shards` in memory. The database's clock is the only one that counts.
class model_leases : public leases {
public:
  /// `reachable` answers whether the database can be asked; empty means always.
  explicit model_leases(std::shared_ptr<model_database> database, std::function<bool()> reachable = nullptr);

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
  void expect_reachable() const;
  bool lives(const uuid& node) const;
  bool is_free(shard_number shard) const;
  std::vector<uuid> oldest_first() const;

  std::shared_ptr<model_database> database_;
  std::function<bool()> reachable_;
};

} // namespace levain
