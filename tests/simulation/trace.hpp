#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/simulation/witness.hpp"

namespace levain::simulation {

/// Writes down everything that is seen, one line each, and passes it on. The lines of two worlds are equal exactly when
/// the same was seen in both.
class trace : public witness {
public:
  explicit trace(witness& next)
    : next_(next) {}

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

  /// Writes this line between the others.
  void note(timestamp at, const std::string& text) { add(at, text); }

  /// A hash (FNV-1a, 64 bits) of all lines so far.
  uint64_t hash() const { return hash_; }
  const std::vector<std::string>& lines() const { return lines_; }
  /// Keep the lines, not only their hash.
  bool keeps_lines = false;

private:
  /// Shards one after the other share a line.
  struct shards_taken_together {
    shard_owned first;
    shard_number last = 0;
  };

  void add(timestamp at, const std::string& text);
  void write(timestamp at, const std::string& text);
  void tell_taken();

  witness& next_;
  uint64_t hash_ = 0xcbf29ce484222325ULL;
  std::vector<std::string> lines_;
  std::optional<shards_taken_together> taken_;
};

} // namespace levain::simulation
