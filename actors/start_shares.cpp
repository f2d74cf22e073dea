#include "actors/start_shares.hpp"

namespace levain {

void start_shares::count(const tenant_id& tenant, timestamp now) {
  turn_to(now);
  ++tenants_[tenant].current;
  ++current_;
}

bool start_shares::starts_too_much(const tenant_id& tenant, timestamp now) {
  turn_to(now);
  const auto found = tenants_.find(tenant);
  if (found == tenants_.end())
    return false;
  const auto own = found->second.current + found->second.last;
  return 2 * own * tenants_.size() > 3 * (current_ + last_);
}

void start_shares::turn_to(timestamp now) {
  // A clock that was set back begins a window too.
  if (now >= window_begin_ && now < window_begin_ + window)
    return;
  const bool next_window = now >= window_begin_ && now < window_begin_ + 2 * window;
  for (auto each = tenants_.begin(); each != tenants_.end();) {
    each->second = {0, next_window ? each->second.current : 0};
    each = each->second.last == 0 ? tenants_.erase(each) : std::next(each);
  }
  last_ = next_window ? current_ : 0;
  current_ = 0;
  window_begin_ = next_window ? window_begin_ + window : now;
}

} // namespace levain
