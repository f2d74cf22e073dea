#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "persistence/ids.hpp"
#include "persistence/leases.hpp"

namespace levain {

/// PERSISTENCE PORT. What a journal says of itself, whatever stands in the audit rows: rows are for people, who may
/// delete or change them. A `journal` that can be asked so implements this as well. One thread at a time, as there.
/// Everything throws `journal_unavailable` when the database cannot be asked.
class journal_survey {
public:
  virtual ~journal_survey() = default;

  struct page {
    /// Runs of the shards whose newest event is no end, although their row is missing or does not say that they go on.
    std::vector<run_id> contradicted;
    /// What to give as `before` for the next page; nothing when the whole journal was looked through.
    std::optional<run_id> next;
  };

  /// Looks at about `events_max` events of the runs before `before` (nothing: all), the newest runs first. Costs one
  /// read by the key for each run among them.
  virtual page
  survey(const std::vector<shard_lease>& shards, const std::optional<run_id>& before, size_t events_max) = 0;

  /// Those of `runs` that are contradicted by their rows as above.
  virtual std::vector<run_id> contradicted(const std::vector<run_id>& runs) = 0;

  /// How many bytes the events of the first of `runs` have when they are read, in their order and at least for one,
  /// until together they have `bytes_max`. Bodies are measured as they are sent: a number such as 1e308 takes 50 times
  /// the room that it takes on disk. Throws `std::invalid_argument` when the database cannot write one of them out.
  virtual std::vector<uint64_t> sizes(const std::vector<run_id>& runs, uint64_t bytes_max) = 0;
};

/// Bytes of events that recovery reads at a time, about; one larger run is read alone.
inline constexpr uint64_t recovery_page_bytes_max = 32 * 1024 * 1024;
/// A run with more bytes of events is not recovered: it is stopped, with this as the reason.
inline constexpr uint64_t recovery_run_bytes_max = 512 * 1024 * 1024;
/// Events that one look of the watchdog goes through in search of runs whose rows were deleted or changed.
inline constexpr size_t survey_events_max = 50'000;
/// Such runs that are kept in mind until they are taken up.
inline constexpr size_t survey_runs_max = 1'000;

} // namespace levain
