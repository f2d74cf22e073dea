#pragma once

#include <vector>

#include "tests/simulation/auditor/violation.hpp"
#include "tests/simulation/witness.hpp"

namespace levain::simulation {

/// Judges what a world lets be seen by rules of its own: it shares no code with the engine's logic. Keeps a ledger of
/// every call made and every answer given. One thread.
class auditor : public witness {
public:
  void saw(const workflow_known& x) override;
  void saw(const start_asked& x) override;
  void saw(const start_told& x) override;
  void saw(const wish_asked& x) override;
  void saw(const wish_told& x) override;
  void saw(const call_made& x) override;
  void saw(const call_told& x) override;
  void saw(const run_written& x) override;
  void saw(const run_refused& x) override;
  void saw(const shard_owned& x) override;
  void saw(const shard_freed& x) override;
  void saw(const lease_renewed& x) override;
  void saw(const process_changed& x) override;
  void saw_complaint(timestamp at, const place& who, const std::string& text) override;
  void finish(timestamp at, const std::vector<run_left_over>& unfinished) override;

  /// In the order in which they were found; empty when the engine kept every rule.
  const std::vector<violation>& violations() const { return violations_; }

private:
  void blame(rule broken, timestamp at, std::optional<run_id> run, std::string text);

  std::vector<violation> violations_;
};

} // namespace levain::simulation
