#pragma once

#include <map>
#include <string>

#include "tests/simulation/auditor/blame.hpp"
#include "tests/simulation/auditor/ownership.hpp"
#include "tests/simulation/auditor/run_story.hpp"

namespace levain::simulation {

/// What people wished and what became of it.
class wish_ledger {
public:
  using stories = std::map<run_id, run_story>;

  wish_ledger(const ownership& owners, const stories& all, blame accuse)
    : owners_(owners)
    , stories_(all)
    , accuse_(std::move(accuse)) {}

  void asked(const wish_asked& x);
  void told(const wish_told& x);
  void asked(const question_asked& x) { questions_[x.request] = {x, false}; }
  void told(const question_told& x);
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
  };

  const ownership& owners_;
  const stories& stories_;
  blame accuse_;
  std::map<uint64_t, wish> wishes_;
  /// What people wanted to know, and whether they were told.
  std::map<uint64_t, std::pair<question_asked, bool>> questions_;
  std::map<std::string, uint64_t> by_;
};

} // namespace levain::simulation
