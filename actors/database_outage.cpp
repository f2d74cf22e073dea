#include "actors/database_outage.hpp"

#include <algorithm>

namespace levain {

size_t database_outage::enlist() {
  const std::lock_guard lock(mutex_);
  since_.emplace_back();
  return since_.size() - 1;
}

bool database_outage::begin(size_t writer, timestamp at, std::string reason) {
  const std::lock_guard lock(mutex_);
  // The latest counts: what began as a lost connection may go on as a full disk.
  reason_ = std::move(reason);
  auto& since = since_.at(writer);
  if (since)
    return false;
  since = at;
  return failing_.fetch_add(1) == 0;
}

bool database_outage::end(size_t writer) {
  const std::lock_guard lock(mutex_);
  auto& since = since_.at(writer);
  if (!since)
    return false;
  since.reset();
  return failing_.fetch_sub(1) == 1;
}

std::optional<outage_report> database_outage::report() const {
  const std::lock_guard lock(mutex_);
  std::optional<outage_report> found;
  for (const auto& since : since_) {
    if (!since)
      continue;
    if (!found)
      found = outage_report{0, since_.size(), *since, reason_};
    ++found->writers_failing;
    found->since = std::min(found->since, *since);
  }
  return found;
}

} // namespace levain
