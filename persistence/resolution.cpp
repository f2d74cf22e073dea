#include "persistence/resolution.hpp"

#include <cassert>

namespace levain {

bool same_fact(const event_record& a, const event_record& b) {
  return a.seq == b.seq && a.at == b.at && a.kind == b.kind && a.step == b.step;
}

append_answer decide_resolution(
  const std::vector<run_append>& batch, const std::vector<found_append>& found,
  const std::vector<append_outcome>& planned) {
  assert(found.size() == batch.size());
  assert(planned.size() == batch.size());
  append_answer answer;
  bool any_written = false;
  bool all_fenced = true;
  for (size_t i = 0; i < batch.size(); ++i) {
    // What was not to be written may be there all the same: the event of an earlier append, or of the shard's next
    // owner.
    any_written = any_written || (found[i].written && std::holds_alternative<append_committed>(planned[i]));
    all_fenced = all_fenced && found[i].epoch != batch[i].epoch;
  }
  if (any_written) {
    answer.outcomes = planned;
  } else if (all_fenced) {
    for (const found_append& run : found)
      answer.outcomes.emplace_back(append_fenced{run.epoch});
  } else {
    answer.status = append_answer::status_type::transient;
    answer.reason = "the lost transaction was rolled back";
  }
  return answer;
}

} // namespace levain
