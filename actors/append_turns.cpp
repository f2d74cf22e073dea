#include "actors/append_turns.hpp"

#include <algorithm>

namespace levain {

void append_turns::push(const run_id& run, const tenant_id& tenant) {
  auto& own = lines_[tenant];
  if (own.runs.empty())
    turns_.push_back(&own);
  own.runs.push_back(run);
}

void append_turns::begin_batch(size_t runs_max) {
  // Those who had to stop in the last batch come before those who had their turn in it.
  turns_.insert(turns_.begin(), served_.begin(), served_.end());
  served_.clear();
  if (++batch_ % about_for_batches == 0)
    forget_the_absent();
  part_of_batch_ = somebody_writes_little() ? part : runs_max;
}

bool append_turns::somebody_writes_little() const {
  return lines_.size() > 1 &&
         std::any_of(lines_.begin(), lines_.end(), [](const auto& each) { return each.second.runs.size() < part; });
}

void append_turns::forget_the_absent() {
  std::erase_if(lines_, [&](const auto& each) {
    return each.second.runs.empty() && each.second.batch + about_for_batches < batch_;
  });
}

std::optional<run_id> append_turns::next() {
  while (!turns_.empty()) {
    auto* own = turns_.front();
    turns_.pop_front();
    if (own->batch != batch_) {
      own->batch = batch_;
      own->taken = 0;
    }
    if (own->taken == part_of_batch_) {
      served_.push_back(own);
      continue;
    }
    const auto run = own->runs.front();
    own->runs.pop_front();
    ++own->taken;
    if (!own->runs.empty())
      turns_.push_back(own);
    return run;
  }
  return std::nullopt;
}

std::vector<run_id> append_turns::fronts() const {
  std::vector<run_id> first;
  for (const auto* lines : {&turns_, &served_})
    for (const auto* each : *lines)
      first.push_back(each->runs.front());
  return first;
}

} // namespace levain
