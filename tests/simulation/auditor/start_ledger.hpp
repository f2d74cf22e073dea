#pragma once

#include <map>
#include <set>
#include <string>

#include "tests/simulation/auditor/blame.hpp"
#include "tests/simulation/auditor/ownership.hpp"
#include "tests/simulation/auditor/run_story.hpp"

namespace levain::simulation {

/// Who asked for runs and what they were told.
class start_ledger {
public:
  using stories = std::map<run_id, run_story>;

  start_ledger(const ownership& owners, const stories& all, blame accuse)
    : owners_(owners)
    , stories_(all)
    , accuse_(std::move(accuse)) {}

  void asked(const start_asked& x);
  void told(const start_told& x);
  /// The transaction that accepted `story` remembered its key.
  void remembered(const run_story& story, const std::string& key);
  /// A transaction accepted `story`.
  void accepted(const run_story& story);
  void refused(const run_refused& x);
  void finish() const;

private:
  struct request {
    start_asked what;
    bool told = false;
    /// Told that it made no run, and never will.
    bool refused = false;
    /// The run that it made, if its runs are told apart from those of others.
    std::optional<run_id> made;
  };

  void judge_acknowledged(const request& asked, const start_told& told);
  void judge_refused(const start_asked& x, const start_told& told) const;
  bool same_content(const start_asked& x, const run_story& story) const;

  const ownership& owners_;
  const stories& stories_;
  blame accuse_;
  std::map<uint64_t, request> requests_;
  /// By what their runs say that they are triggered by.
  std::map<std::string, uint64_t> by_;
  std::map<std::pair<tenant_id, std::string>, run_id> keys_;
  /// Runs that a start was told of as its own.
  std::set<run_id> own_;
  /// Refused before anything of them was on disk.
  std::set<run_id> never_accepted_;
};

} // namespace levain::simulation
