#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "tests/support/insistent_callers.hpp"
#include "tests/support/running_bakery.hpp"

namespace levain::test {

/// A time in which a daemon was away, RFC 3339 with six decimals.
struct interruption {
  std::string from;
  std::string to;
  /// It was asleep and not dead: from `from` to `to` it may make calls that it decided on before, although another has
  /// gone further with the run.
  bool woke = false;
};

/// How often services were called.
struct call_figures {
  size_t calls = 0;
  /// Different idempotency keys among them.
  size_t keys = 0;
  /// Calls beyond the first of the same attempt.
  size_t made_again = 0;
  /// Calls of a key whose work had been done.
  size_t answered_from_memory = 0;

  double made_again_per_thousand() const { return calls == 0 ? 0 : 1000.0 * double(made_again) / double(calls); }
};

/// Compares what the services saw with what the database remembers, once all runs have ended. It knows neither from the
/// engine: the services' ledger is read from its file, the journal by SQL, the order of steps from the definition.
class call_audit {
public:
  /// Reads everything. `definition` is the workflow that all runs follow. Throws what pqxx throws.
  call_audit(const std::string& database_url, const running_bakery& bakery, const nlohmann::json& definition);

  /// A sentence for each thing that contradicts the promises:
  /// - a call of an unknown run, for another tenant than the run's, or by another method or path than the step's;
  /// - an answer that no fault explains;
  /// - the same attempt called again outside of the `interruptions`, an attempt after a later one, or one that no
  /// failure
  ///   in the journal explains;
  /// - work done twice for one key, or for a step that did not succeed, or not done for one that did;
  /// - a step called again after one that needs it had been called: its outcome was not remembered in time;
  /// - a run that failed though no service had refused for good, or did not although one had;
  /// - compensations of what is to stay, missing ones, and others than in reverse order of success.
  std::vector<std::string> contradictions(const std::vector<interruption>& interruptions) const;

  /// A sentence for each start whose run is missing, doubled or another tenant's, and for runs that nobody asked for.
  std::vector<std::string>
  contradictions_with(const std::map<insistent_callers::start, std::string>& acknowledged) const;

  call_figures figures() const;
  /// How many runs ended with this status.
  size_t runs_ended_as(const std::string& status) const;

private:
  /// A step of one run: what the journal says of it and the calls that were made for it, in the order of their arrival.
  struct step_facts {
    /// Number of the event; 0 without one.
    int succeeded = 0;
    int compensated = 0;
    /// Attempts that failed and were to be followed by another.
    std::set<unsigned> failed;
    std::set<unsigned> undo_failed;
    std::vector<const ledger_call*> calls;
    std::vector<const ledger_call*> undo_calls;
  };
  struct run_facts {
    std::string tenant;
    std::string status;
    std::map<std::string, step_facts> steps;
  };
  /// What the definition says of a step.
  struct step_rule {
    std::vector<std::string> after;
    bool compensated = false;
    /// Its failure is the run's.
    bool decisive = true;
    std::string path;
  };
  using complaints = std::vector<std::string>;

  static bool refused_at_last(const step_facts& step);
  void read_definition(const nlohmann::json& definition);
  void read_journal(const std::string& database_url);
  void sort_calls();
  void check_call(const ledger_call& call, complaints& found) const;
  void check_repetitions(
    const std::vector<const ledger_call*>& calls, const std::set<unsigned>& failed,
    const std::vector<interruption>& interruptions, complaints& found) const;
  void check_work(complaints& found) const;
  void check_order(
    const std::string& run, const run_facts& facts, const std::vector<interruption>& interruptions,
    complaints& found) const;
  void check_ending(const std::string& run, const run_facts& facts, complaints& found) const;
  void check_compensations(
    const std::string& run, const run_facts& facts, const std::vector<interruption>& interruptions,
    complaints& found) const;

  std::vector<ledger_call> ledger_;
  std::vector<nlohmann::json> done_;
  std::vector<nlohmann::json> outbox_;
  std::map<std::string, step_rule> rules_;
  std::map<std::string, run_facts> runs_;
  /// From the table of idempotency keys.
  std::map<insistent_callers::start, std::string> starts_;
};

} // namespace levain::test
