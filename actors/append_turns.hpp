#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "persistence/ids.hpp"

namespace levain {

/// Whose append is written next: in the order of arrival within a tenant, and by turns between tenants. While somebody
/// is about who writes little, nobody fills a batch: whoever comes next waits for the batch that is being written, and
/// that should not be somebody else's long one. A plain data structure: no actor, no clock.
class append_turns {
public:
  /// A tenant is about for at least so many batches after its last append, and at most for twice as many.
  static constexpr uint64_t about_for_batches = 16;
  /// A tenant with fewer runs in line writes little; while such a one is about, each has at most so many in a batch.
  static constexpr size_t part = 25;

  /// Puts a run at the end of its tenant's line.
  void push(const run_id& run, const tenant_id& tenant);

  /// From now on `next` fills a batch of at most so many runs.
  void begin_batch(size_t runs_max);

  /// Takes out the run whose turn it is; nothing when none is left or every tenant that waits has had its part.
  std::optional<run_id> next();

  /// Who came first of each tenant that waits.
  std::vector<run_id> fronts() const;

private:
  struct line {
    std::deque<run_id> runs;
    /// Runs taken into the batch `batch`.
    size_t taken = 0;
    uint64_t batch = 0;
  };

  void forget_the_absent();
  bool somebody_writes_little() const;

  std::unordered_map<tenant_id, line> lines_;
  /// Lines that are not empty, in turn; they stay where they are in `lines_`.
  std::deque<line*> turns_;
  /// Of them, those that have had their part of this batch.
  std::deque<line*> served_;
  uint64_t batch_ = 0;
  /// How many runs of a tenant this batch may have.
  size_t part_of_batch_ = part;
};

} // namespace levain
