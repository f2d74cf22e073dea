#pragma once

#include <cstdint>
#include <map>
#include <set>

#include "tests/simulation/auditor/blame.hpp"
#include "tests/simulation/auditor/run_story.hpp"
#include "tests/simulation/witness.hpp"

namespace levain::simulation {

/// The bytes of the calls and the runs that nodes have at each moment, beside what they may have.
class memory_ledger {
public:
  explicit memory_ledger(blame accuse)
    : accuse_(std::move(accuse)) {}

  void known(const budgets_known& x) { budgets_[x.who] = x; }
  void changed(const process_changed& x);
  void made(const call_made& x);
  /// It has its answer, or nobody waits for it any more.
  void over(uint64_t call);
  /// An event of a run, in order.
  void written(const run_written& x, const event_record& event, const event_told& told);
  void refused(const run_refused& x) { forget(x.run); }

private:
  struct call_out {
    place from;
    uint64_t bytes = 0;
    /// A function cannot be given up: by then its step has.
    std::optional<timestamp> deadline;
  };
  struct live_run {
    place by;
    uint64_t bytes = 0;
  };

  void forget(const run_id& run) { runs_.erase(run); }

  blame accuse_;
  std::map<place, budgets_known> budgets_;
  std::map<uint64_t, call_out> calls_;
  /// Runs that go on, and the process that accepted them.
  std::map<run_id, live_run> runs_;
  /// Runs move where there are several, and nobody sees from outside when the first one has let go.
  std::set<int> nodes_;
};

} // namespace levain::simulation
