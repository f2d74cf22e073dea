#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "tests/simulation/auditor/blame.hpp"
#include "tests/simulation/auditor/ownership.hpp"
#include "tests/simulation/witness.hpp"

namespace levain::simulation {

/// What nodes do with the calls of a run whose cancellation they have granted, and with calls that lose their workers.
class stop_ledger {
public:
  explicit stop_ledger(blame accuse)
    : accuse_(std::move(accuse)) {}

  void changed(const process_changed& x);
  void changed(const link_changed& x);
  void asked(const wish_asked& x);
  void told(const wish_told& x);
  void made(const call_made& x);
  void passed(const word_passed& x);
  void written(const run_written& x);
  void refused(const run_refused& x) { refused_.insert(x.run); }
  /// Nothing happens before time passes.
  void rest();

private:
  /// Key and attempt.
  using call_name = std::pair<std::string, uint32_t>;
  struct stop {
    /// The node that wrote the cancellation.
    std::optional<place> by;
    /// Its caller was told that it is granted.
    bool granted = false;
    /// Everything that was under way has been handled since it was written, and since it was granted.
    bool written_settled = false;
    bool granted_settled = false;
  };
  struct given_call {
    uint64_t connection = 0;
    call_name name;
    run_id run;
    bool cancelled = false;
  };
  struct seat {
    place node;
    std::set<call_name> held;
    bool leaving = false;
  };

  /// The run's cancellation, if this node has written it.
  const stop* stop_by(const run_id& run, const place& node) const;
  void give(const place& node, const word_passed& x);
  static bool is_undoing(const std::string& key) { return key.ends_with("/undo"); }

  blame accuse_;
  std::map<uint64_t, run_id> requests_;
  std::map<run_id, stop> stops_;
  std::set<run_id> refused_;
  std::set<std::tuple<run_id, std::string, uint32_t>> made_;
  std::set<call_name> given_;
  std::map<uint64_t, seat> seats_;
  std::map<place, std::map<uint64_t, given_call>> out_;
  std::map<std::pair<place, call_name>, size_t> lost_;
  std::set<place> still_;
};

} // namespace levain::simulation
