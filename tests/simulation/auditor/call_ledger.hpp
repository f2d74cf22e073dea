#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/simulation/auditor/blame.hpp"
#include "tests/simulation/auditor/damage_ledger.hpp"
#include "tests/simulation/auditor/ownership.hpp"
#include "tests/simulation/auditor/run_story.hpp"

namespace levain::simulation {

/// Every call that was made and every answer that was given, and whether they are as the journal demands.
class call_ledger {
public:
  call_ledger(const ownership& owners, const damage_ledger& damage, blame accuse)
    : owners_(owners)
    , damage_(damage)
    , accuse_(std::move(accuse)) {}

  /// A call, judged by what is on disk; `story` is null when nothing of its run is.
  void made(const call_made& x, run_story* story);
  void told(const call_told& x);
  void changed(const process_changed& x);
  void refused(const run_refused& x) { ++refusals_[x.run]; }
  /// An outcome that `by` wrote at `at`, before the story follows it.
  void
  outcome(const place& by, timestamp at, const event_record& event, const event_told& told, const run_story& story);
  /// The end: answers that the owner of a run has and never wrote.
  void finish(const run_story& story) const;
  /// How often the database refused the run's rows.
  size_t refusals(const run_id& run) const;

private:
  using json = nlohmann::json;
  struct answer {
    timestamp at{};
    std::optional<std::string> output;
    std::string failure;
    bool awaited = false;
    bool unknown = false;
  };
  struct call {
    call_made what;
    std::vector<answer> answers;

    timestamp deadline() const { return what.at + what.timeout; }
  };

  void
  judge_doubt(const event_record& event, const event_told& told, const run_story& story, const step_story& step) const;
  void judge_identity(const call_made& x, const run_story& story) const;
  void judge_moment(const call_made& x, run_story& story);
  void judge_early(const call_made& x, const attempt_name& attempt, run_story& story) const;
  void judge_body(const call_made& x, const run_story& story, std::map<std::string, json_ptr> results) const;
  /// What the node was answered for the newest attempts of a step, whatever became of it.
  std::vector<json> answered_at(const place& who, const run_id& run, const step_story& step) const;
  std::vector<const call*> calls_of(const place& who, const run_id& run, const attempt_name& attempt) const;
  static bool matches(const answer& given, const event_record& event, const event_told& told, const step_known& step);

  const ownership& owners_;
  const damage_ledger& damage_;
  blame accuse_;
  std::map<uint64_t, call> calls_;
  std::map<run_id, std::map<attempt_name, std::vector<uint64_t>>> by_attempt_;
  std::map<run_id, size_t> refusals_;
  /// Without something that calls need.
  std::set<place> lacking_;
};

} // namespace levain::simulation
