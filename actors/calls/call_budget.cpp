#include "actors/calls/call_budget.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace levain {

/// What the budget and everybody who holds some of it share.
struct call_budget_state : std::enable_shared_from_this<call_budget_state> {
  struct waiting_call {
    uint64_t bytes = 0;
    call_budget::granted tell;
    std::string place;
  };
  struct waiting_answer {
    uint64_t bytes = 0;
    std::function<void()> room;
  };
  struct grant {
    call_budget::granted tell;
    call_bytes_ptr bytes;
  };

  // Everything below is called under the lock.

  uint64_t free_bytes() const { return bytes_max - std::min(bytes_max, held); }

  uint64_t held_at(const std::string& place) const {
    const auto found = places.find(place);
    return found == places.end() ? 0 : found->second;
  }

  bool has_room(const std::string& place, uint64_t bytes) const {
    const auto left = free_bytes();
    return bytes <= left && held_at(place) + bytes <= left - bytes;
  }

  void hold(const std::string& place, uint64_t bytes) {
    if (bytes == 0)
      return;
    held += bytes;
    held_most = std::max(held_most, held);
    places[place] += bytes;
  }

  void release(const std::string& place, uint64_t bytes) {
    if (bytes == 0)
      return;
    held -= bytes;
    const auto found = places.find(place);
    found->second -= bytes;
    if (found->second == 0)
      places.erase(found);
  }

  /// Null when the call has to wait.
  call_bytes_ptr let_in(const std::string& place, uint64_t bytes) {
    const bool fits = has_room(place, bytes);
    if (!fits && (one_beyond || held_at(place) > 0))
      return nullptr;
    hold(place, bytes);
    auto made = std::make_shared<call_bytes>(shared_from_this(), ++last_number, place, bytes);
    made->beyond_ = !fits;
    one_beyond = one_beyond || !fits;
    return made;
  }

  /// Wakes whoever has room now, answers first: calls that end make room.
  std::vector<grant> serve() {
    auto left = free_bytes();
    bool may_grow = growing == nullptr;
    for (auto at = answers.begin(); at != answers.end() && (may_grow || at->second.bytes <= left);) {
      may_grow = false;
      left -= std::min(left, at->second.bytes);
      at->second.room();
      at = answers.erase(at);
    }
    std::vector<grant> grants;
    if (!answers.empty())
      return grants;
    // Places that take part, each until its first call does not fit.
    for (size_t passed = 0; passed < lines.size();) {
      auto line = lines.upper_bound(last_served);
      if (line == lines.end())
        line = lines.begin();
      last_served = line->first;
      const auto first = waiting.find(*line->second.begin());
      auto made = let_in(line->first, first->second.bytes);
      if (!made) {
        ++passed;
        continue;
      }
      passed = 0;
      grants.push_back({std::move(first->second.tell), std::move(made)});
      waiting.erase(first);
      line->second.erase(line->second.begin());
      if (line->second.empty())
        lines.erase(line);
    }
    return grants;
  }

  /// Without the lock: what is told may let go of bytes at once.
  static void tell(std::vector<grant> grants) {
    for (auto& each : grants)
      each.tell(std::move(each.bytes));
  }

  std::mutex mutex;
  uint64_t bytes_max = 0;
  uint64_t held = 0;
  uint64_t held_most = 0;
  /// Only those that hold something.
  std::map<std::string, uint64_t> places;
  /// Only those with calls in line, which stand there by the order of their numbers.
  std::map<std::string, std::set<uint64_t>> lines;
  std::string last_served;
  std::unordered_map<uint64_t, waiting_call> waiting;
  /// By the number of who holds the call's bytes: the oldest first.
  std::map<uint64_t, waiting_answer> answers;
  /// A call was let in without room, and is still there.
  bool one_beyond = false;
  /// The call whose answer may arrive without room.
  const call_bytes* growing = nullptr;
  uint64_t last_number = 0;
};

call_bytes::call_bytes(std::shared_ptr<call_budget_state> of, uint64_t number, std::string place, uint64_t count)
  : of_(std::move(of))
  , number_(number)
  , place_(std::move(place))
  , count_(count) {}

call_bytes::~call_bytes() {
  std::vector<call_budget_state::grant> grants;
  {
    const std::lock_guard lock(of_->mutex);
    of_->release(place_, count_);
    of_->answers.erase(number_);
    if (beyond_)
      of_->one_beyond = false;
    if (of_->growing == this)
      of_->growing = nullptr;
    grants = of_->serve();
  }
  call_budget_state::tell(std::move(grants));
}

uint64_t call_bytes::count() const {
  const std::lock_guard lock(of_->mutex);
  return count_;
}

bool call_bytes::add(uint64_t bytes, const std::function<void()>& room) {
  const std::lock_guard lock(of_->mutex);
  if (bytes > of_->free_bytes()) {
    if (of_->growing == nullptr)
      of_->growing = this;
    if (of_->growing != this) {
      of_->answers[number_] = {bytes, room};
      return false;
    }
  }
  of_->hold(place_, bytes);
  count_ += bytes;
  return true;
}

void call_bytes::want_no_room() {
  const std::lock_guard lock(of_->mutex);
  of_->answers.erase(number_);
}

bool call_bytes::fit(uint64_t bytes) {
  std::vector<call_budget_state::grant> grants;
  {
    const std::lock_guard lock(of_->mutex);
    if (bytes > count_) {
      if (!beyond_ && bytes - count_ > of_->free_bytes())
        return false;
      of_->hold(place_, bytes - count_);
    } else if (bytes < count_) {
      of_->release(place_, count_ - bytes);
    }
    const bool has_freed = bytes < count_;
    count_ = bytes;
    if (has_freed)
      grants = of_->serve();
  }
  call_budget_state::tell(std::move(grants));
  return true;
}

call_bytes_ptr call_bytes::split(uint64_t bytes) {
  const std::lock_guard lock(of_->mutex);
  const auto given = std::min(bytes, count_);
  auto made = std::make_shared<call_bytes>(of_, ++of_->last_number, place_, given);
  count_ -= given;
  return made;
}

call_budget::call_budget(uint64_t bytes_max)
  : state_(std::make_shared<call_budget_state>()) {
  state_->bytes_max = bytes_max;
}

std::variant<call_bytes_ptr, call_budget::ticket>
call_budget::enter(std::string_view place, uint64_t bytes, granted tell) {
  const std::lock_guard lock(state_->mutex);
  const std::string where(place);
  if (!state_->lines.contains(where))
    if (auto made = state_->let_in(where, bytes))
      return made;
  const auto number = ++state_->last_number;
  state_->waiting.emplace(number, call_budget_state::waiting_call{bytes, std::move(tell), where});
  state_->lines[where].insert(number);
  return number;
}

bool call_budget::leave(ticket which) {
  // Goes after the lock: it may hold who knows what.
  granted unused;
  std::vector<call_budget_state::grant> grants;
  {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->waiting.find(which);
    if (found == state_->waiting.end())
      return false;
    unused = std::move(found->second.tell);
    const auto line = state_->lines.find(found->second.place);
    line->second.erase(which);
    if (line->second.empty())
      state_->lines.erase(line);
    state_->waiting.erase(found);
    // Who stood behind it may be smaller.
    grants = state_->serve();
  }
  call_budget_state::tell(std::move(grants));
  return true;
}

call_budget::figures call_budget::read() const {
  const std::lock_guard lock(state_->mutex);
  return {state_->held, state_->bytes_max, state_->held_most, state_->waiting.size(), state_->answers.size()};
}

} // namespace levain
