#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "tests/simulation/ground.hpp"

namespace levain::simulation {

/// The people who change the database's tables by hand: they damage journals and mend them again, and change audit
/// rows. They alone remember what stood there.
class tampering {
public:
  /// `run_of` tells which run a start made.
  tampering(ground& under, std::function<std::optional<run_id>(int)> run_of);

  void begin();
  /// Whoever has found nothing to change by now gives up.
  void clear_up() { over_ = true; }

  /// The run's events as they would be without any damage.
  std::vector<event_record> whole(const run_id& run) const;
  /// All runs that have a row or had one that was deleted.
  std::vector<audit_row> rows() const;

  bool is_damaged(const run_id& run) const { return damages_.contains(run); }
  /// Its journal is damaged until all else has come to rest, and nobody acts for it.
  bool rests(const run_id& run) const;
  /// Nobody acts for it, although its journal is whole.
  bool waits_in_vain(const run_id& run) const;
  /// Changes that are still to come or to be mended when their time comes.
  size_t pending() const { return pending_; }
  /// Mends what was to wait for that. False when there is none.
  bool mend_the_rest();

private:
  struct damage {
    event_record was;
    bool lasts = false;
  };

  std::optional<run_id> found_going_on(int start, size_t events_min) const;
  void try_damage(const damage_item& x);
  void try_row(const row_item& x);
  void mend(const run_id& run);

  ground& under_;
  std::function<std::optional<run_id>(int)> run_of_;
  std::map<run_id, damage> damages_;
  /// Rows as they were when they were changed.
  std::map<run_id, audit_row> rows_before_;
  size_t pending_ = 0;
  bool over_ = false;
};

} // namespace levain::simulation
