#pragma once

#include <map>
#include <set>
#include <string>

#include "tests/simulation/auditor/blame.hpp"
#include "tests/simulation/auditor/damage_ledger.hpp"
#include "tests/simulation/auditor/ownership.hpp"
#include "tests/simulation/auditor/run_story.hpp"

namespace levain::simulation {

/// What people wished and what became of it.
class wish_ledger {
public:
  using stories = std::map<run_id, run_story>;

  wish_ledger(const ownership& owners, const stories& all, const damage_ledger& damage, blame accuse)
    : owners_(owners)
    , stories_(all)
    , damage_(damage)
    , accuse_(std::move(accuse)) {}

  void asked(const wish_asked& x);
  void told(const wish_told& x);
  void asked(const question_asked& x) { questions_[x.request] = {x, false}; }
  void told(const question_told& x);
  /// The run's journal on disk has come to this; after each of its events.
  void followed(const run_story& story);
  /// An event reached the disk, whoever wished it.
  void written(const run_story& story, const event_record& event, const event_told& told);
  void finish() const;

private:
  struct wish {
    wish_asked what;
    bool told = false;
    /// Told and refused for good: neither granted nor in doubt.
    bool refused = false;
    bool written = false;
    /// Since it was asked, the disk has held a reason to reject it.
    bool rejectable = false;
  };

  bool is_taken_up(const wish_asked& x, const run_story& story) const;
  static bool is_rejectable(wish_kind kind, const run_story& story);

  const ownership& owners_;
  const stories& stories_;
  const damage_ledger& damage_;
  blame accuse_;
  std::map<uint64_t, wish> wishes_;
  /// What people wanted to know, and whether they were told.
  std::map<uint64_t, std::pair<question_asked, bool>> questions_;
  std::map<std::string, uint64_t> by_;
  /// Not told yet.
  std::map<run_id, std::set<uint64_t>> open_;
};

} // namespace levain::simulation
