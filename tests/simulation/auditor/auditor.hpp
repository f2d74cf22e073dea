#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "tests/simulation/auditor/bench_ledger.hpp"
#include "tests/simulation/auditor/call_ledger.hpp"
#include "tests/simulation/auditor/damage_ledger.hpp"
#include "tests/simulation/auditor/desk_ledger.hpp"
#include "tests/simulation/auditor/memory_ledger.hpp"
#include "tests/simulation/auditor/ownership.hpp"
#include "tests/simulation/auditor/row_story.hpp"
#include "tests/simulation/auditor/start_ledger.hpp"
#include "tests/simulation/auditor/stop_ledger.hpp"
#include "tests/simulation/auditor/violation.hpp"
#include "tests/simulation/auditor/wait_ledger.hpp"
#include "tests/simulation/auditor/wish_ledger.hpp"
#include "tests/simulation/witness.hpp"

namespace levain::simulation {

/// Judges what a world lets be seen by rules of its own: it shares no code with the engine's logic. Keeps a ledger of
/// every call made and every answer given, and folds every journal for itself. One thread.
class auditor : public witness {
public:
  auditor();
  auditor(const auditor&) = delete;
  auditor& operator=(const auditor&) = delete;

  void saw(const workflow_known& x) override;
  void saw(const start_asked& x) override;
  void saw(const start_told& x) override;
  void saw(const wish_asked& x) override;
  void saw(const wish_told& x) override;
  void saw(const question_asked& x) override;
  void saw(const question_told& x) override;
  void saw(const call_made& x) override;
  void saw(const call_told& x) override;
  void saw(const run_written& x) override;
  void saw(const run_refused& x) override;
  void saw(const journal_tampered& x) override;
  void saw(const row_tampered& x) override;
  void saw(const stop_noted& x) override;
  void saw(const shard_owned& x) override;
  void saw(const shard_freed& x) override;
  void saw(const lease_renewed& x) override;
  void saw(const node_marked& x) override;
  void saw(const process_changed& x) override;
  void saw(const worker_changed& x) override;
  void saw(const link_changed& x) override;
  void saw(const word_passed& x) override;
  void saw(const work_begun& x) override;
  void saw(const work_cancelled& x) override;
  void saw(const work_ended& x) override;
  void saw(const call_let_go& x) override;
  void saw(const at_rest& x) override;
  void saw(const budgets_known& x) override;
  void saw_complaint(timestamp at, const place& who, const std::string& text) override;
  void finish(timestamp at, const std::vector<run_left_over>& unfinished) override;

  /// In the order in which they were found; empty when the engine kept every rule.
  const std::vector<violation>& violations() const { return violations_; }

private:
  /// The rows that a run may have: what its journal folded to after each event that its row may not show yet.
  using possible_rows = std::deque<audit_row>;

  void accuse(rule broken, const std::optional<run_id>& run, std::string text);
  run_story* story_of(const run_id& run);
  run_story* accept(const run_written& x, const event_record& first);
  void follow(const run_written& x, const event_record& event, run_story& story);
  void judge_row(const run_written& x, const run_story& story);
  void judge_left_over(const run_story& story, const run_left_over* said);

  std::vector<violation> violations_;
  timestamp now_{};
  ownership owners_;
  std::map<std::pair<std::string, int32_t>, workflow_known> workflows_;
  std::map<run_id, run_story> stories_;
  std::map<run_id, possible_rows> rows_;
  call_ledger calls_;
  desk_ledger desks_;
  bench_ledger benches_;
  start_ledger starts_;
  wish_ledger wishes_;
  stop_ledger stops_;
  wait_ledger waits_;
  memory_ledger memory_;
  damage_ledger damage_;
};

} // namespace levain::simulation
