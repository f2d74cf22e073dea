#pragma once

#include <vector>

#include "persistence/journal.hpp"

namespace levain {

/// What the database holds of one run of a batch in doubt, read after the lost transaction had ended.
struct found_append {
  /// The epoch that the run's shard has now.
  epoch_number epoch = 0;
  /// True when the last event of the append is there, with the same number, time, kind and step.
  bool written = false;
};

/// True when both are the same event of one run: number, time, kind and step. (The body's text may come back in another
/// form.)
bool same_fact(const event_record& a, const event_record& b);

/// Decides a batch in doubt. One transaction carried it, so one run that is written says that all of it was: then the
/// answer is `planned`, the outcomes the transaction was about to answer. If none is, it never happened: fenced when
/// the epochs say so for all, otherwise `transient`. Updates without events leave no trace of their own and are safe to
/// append again.
append_answer decide_resolution(
  const std::vector<run_append>& batch, const std::vector<found_append>& found,
  const std::vector<append_outcome>& planned);

} // namespace levain
