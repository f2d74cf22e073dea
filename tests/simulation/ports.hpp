#pragma once

#include <memory>
#include <optional>

#include "persistence/journal_survey.hpp"
#include "persistence/model_journal.hpp"
#include "persistence/model_leases.hpp"
#include "tests/simulation/ground.hpp"

namespace levain::simulation {

/// The journal as one actor of one life has it: the model with the weather of the plan. Tells the audience what
/// reaches the disk when it does; what a dead process still wants to write never does.
class simulated_journal : public journal, public journal_survey {
public:
  simulated_journal(ground& under, life_ptr of, connection_kind connection);

  append_answer append(const std::vector<run_append>& batch) override;
  resolution resolve(const std::vector<run_append>& batch) override;
  std::vector<run_id> list_unfinished(const std::vector<shard_number>& shards) override;
  std::vector<unfinished_run> read_unfinished(const std::vector<run_id>& runs) override;
  std::vector<event_record> read(const run_id& run) override;
  std::optional<row_outline> find_row(const run_id& run) override;
  std::vector<run_id>
  open_rows(const std::vector<shard_lease>& shards, const std::optional<run_id>& after, size_t limit) override;
  void write_stops(const std::vector<stop_change>& changes) override;
  page survey(const std::vector<shard_lease>& shards, const std::optional<run_id>& before, size_t events_max) override;
  std::vector<run_id> contradicted(const std::vector<run_id>& runs) override;
  std::vector<uint64_t> sizes(const std::vector<run_id>& runs, uint64_t bytes_max) override;

private:
  bool is_contradicted(const run_id& run) const;
  append_answer commit(const std::vector<run_append>& batch);
  void choose_fault();
  bool is_fenced(const std::vector<run_append>& batch) const;
  void expect_readable() const;
  template <class Read>
  auto read_slowly(Read read);

  ground& under_;
  life_ptr of_;
  connection_kind connection_;
  std::shared_ptr<model_manners> manners_ = std::make_shared<model_manners>();
  model_fault fault_ = model_fault::none;
  /// The commit in doubt is going to be taken for one that never was.
  bool taken_for_lost_ = false;
  /// It was, and its batch is being written again.
  bool written_again_ = false;
  model_journal inner_;
};

/// The leases as one life has them, with the weather of the plan. Tells the audience who owns what.
class simulated_leases : public leases {
public:
  simulated_leases(ground& under, life_ptr of);

  void join(const node_record& node, std::chrono::milliseconds lease, const std::optional<uuid>& follows) override;
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
  template <class Ask>
  auto ask(const uuid& node, Ask what);
  void tell_changes(const uuid& node, const std::vector<shard_lease>& had);

  ground& under_;
  life_ptr of_;
  std::chrono::milliseconds lease_{};
  model_leases inner_;
};

} // namespace levain::simulation
