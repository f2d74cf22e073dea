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

/// What nodes do with the calls of a run whose cancellation or termination they have granted, or whose attention was
/// resolved, and with calls that lose their workers.
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
    /// The rule that holds of a run that is over: its undoing stops as well.
    std::optional<rule> over;
    /// The node that wrote it.
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
    bool accused = false;
  };
  struct seat {
    place node;
    std::set<call_name> held;
    bool leaving = false;
  };

  /// The run's cancellation, if this node has written it.
  const stop* stop_by(const run_id& run, const place& node) const;
  void give(const place& node, const word_passed& x);
  void stopped(const run_written& x, std::optional<rule> over);
  void note_losses(const run_written& x);
  /// How many workers the journal says were lost with the attempt.
  size_t lost_on_disk(const run_id& run, const word_passed& x) const;
  static bool is_undoing(const std::string& key) { return key.ends_with("/undo"); }

  blame accuse_;
  /// Whom it is about, and the rule that holds once it is granted.
  std::map<uint64_t, std::pair<run_id, std::optional<rule>>> requests_;
  std::map<run_id, stop> stops_;
  std::set<run_id> refused_;
  std::set<std::tuple<run_id, std::string, uint32_t>> made_;
  std::set<call_name> given_;
  /// What a node has had in hand: it counts for itself, and knows who came back.
  std::map<place, std::set<call_name>> given_by_;
  std::map<uint64_t, seat> seats_;
  std::map<place, std::map<uint64_t, given_call>> out_;
  std::map<std::pair<place, call_name>, size_t> lost_;
  /// By step and attempt, since the run last began to do or to undo; whoever takes the run up reads it.
  std::map<run_id, std::map<std::pair<std::string, uint32_t>, size_t>> lost_on_disk_;
  std::set<run_id> undoing_;
  std::set<place> still_;
};

} // namespace levain::simulation
