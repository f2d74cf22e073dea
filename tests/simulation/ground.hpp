#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "persistence/model_database.hpp"
#include "tests/simulation/agenda.hpp"
#include "tests/simulation/chance.hpp"
#include "tests/simulation/coverage.hpp"
#include "tests/simulation/life.hpp"
#include "tests/simulation/weather.hpp"

namespace levain::simulation {

/// What everything in one world stands on.
struct ground {
  ground(const plan& x, witness& who)
    : script(x)
    , audience(who)
    , luck(seed_for(x.shape.seed, "schedule"))
    , faults(x, world_begin) {}

  /// Virtual time begins here.
  static constexpr timestamp world_begin{std::chrono::sys_days{std::chrono::year{2026} / 11 / 23}};

  const plan& script;
  witness& audience;
  /// True time, which is also the database's.
  timestamp now = world_begin;
  agenda coming;
  /// Which comes first, and how long things take.
  chance luck;
  weather faults;
  coverage seen;
  std::shared_ptr<model_database> database = std::make_shared<model_database>([this] { return now; });

  /// Who owns which shard, as far as the database says.
  std::map<shard_number, life_ptr> owners;

  /// By which ids the database came to know them.
  std::map<uuid, life_ptr> known_as;

  /// Runs with a journal.
  std::set<run_id> known_runs;

  /// Calls of all steps so far, and how often each attempt's was made.
  uint64_t calls_made = 0;
  std::map<std::pair<std::string, uint32_t>, int> made;
  /// Functions that workers called so far.
  uint64_t works_begun = 0;

  /// Whose message is being handled.
  life* acting = nullptr;

  /// Lets time pass and everybody but the actor that calls go on; the caller's process stands or dies meanwhile as the
  /// plan has it. Set by the world.
  std::function<void(life&, duration)> let_pass;
  /// Ends the process at once. Set by the world.
  std::function<void(life&)> kill;
};

} // namespace levain::simulation
