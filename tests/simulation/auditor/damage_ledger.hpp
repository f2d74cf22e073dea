#pragma once

#include <map>
#include <optional>
#include <string>

#include "tests/simulation/auditor/blame.hpp"
#include "tests/simulation/auditor/run_story.hpp"
#include "tests/simulation/witness.hpp"

namespace levain::simulation {

class ownership;

/// What people change in the tables by hand, and what the engine makes of it. A run that is live while its journal is
/// damaged may go on by what its node knows; whoever owns its shard since later had to read the journal, and so has
/// whoever wrote down that nobody acts for it.
class damage_ledger {
public:
  damage_ledger(const ownership& owners, blame accuse)
    : owners_(owners)
    , accuse_(std::move(accuse)) {}

  void changed(const journal_tampered& x);
  void changed(const row_tampered& x) { rows_[x.run]; }
  void noted(const stop_noted& x, const run_story* story);
  void owned(const shard_owned& x) { owned_[x.shard] = ++moment_; }
  void made(const call_made& x) const;
  void written(const run_written& x) const;

  /// Its journal is damaged, or was when whoever asked at this time was still being answered.
  bool is_damaged(const run_id& run, timestamp asked) const;
  /// Its journal is damaged, and so nobody has to end it.
  bool is_damaged(const run_id& run) const;
  /// Its journal is or was damaged.
  bool was_damaged(const run_id& run) const { return journals_.contains(run); }
  /// What the engine says of itself is no fault of its own.
  bool explains(const std::string& complaint) const;

  /// What is so at the end of a run.
  void finish(const run_story& story) const;

private:
  struct journal {
    bool damaged = false;
    /// When it was damaged last, in the order of what is seen here.
    uint64_t since = 0;
    /// When it was mended last.
    std::optional<timestamp> mended;
    std::string what;
  };
  struct stop {
    epoch_number epoch = 0;
    uint64_t since = 0;
    std::string kind;
    /// It had ended by then: it is stopped for who wants something of it, and nobody has to take it up.
    bool of_ended = false;
  };

  /// Why nobody may act for the run under this epoch; empty when somebody may.
  std::string why_not(const run_id& run, epoch_number epoch) const;

  const ownership& owners_;
  blame accuse_;
  uint64_t moment_ = 0;
  std::map<shard_number, uint64_t> owned_;
  std::map<run_id, journal> journals_;
  std::map<run_id, stop> stops_;
  std::map<run_id, bool> rows_;
};

} // namespace levain::simulation
