#include "apps/load/load_driver.hpp"

#include <algorithm>

#include <unistd.h>

#include "apps/load/process_cpu.hpp"

namespace levain::load {

namespace {

/// Asks made in one go, so that answers are not kept waiting.
constexpr size_t asks_at_once_max = 5'000;
/// A closed loop does not ask for more while so many asks have no answer: it wants runs in flight, not refusals.
constexpr size_t unanswered_max = 10'000;
/// The driver is woken when this part of a closed loop's runs has ended, or one run where there are few.
constexpr size_t wake_part = 64;
/// The driver looks around at least so often ...
constexpr duration look_interval_max = std::chrono::milliseconds(100);
/// ... and in a closed loop, where it may have been woken too late.
constexpr duration look_interval_closed = std::chrono::milliseconds(2);
/// Starts of an open loop that are due within this are made together.
constexpr duration start_grain = std::chrono::microseconds(250);
/// When nothing has ended for so long although nothing more is started, ends may have been missed. The next look waits
/// twice as long, since they may only take their time.
constexpr duration stall_min = std::chrono::seconds(3);
constexpr duration stall_max = std::chrono::minutes(1);
constexpr duration progress_interval = std::chrono::milliseconds(500);

/// How many starts the options ask for, where they say so.
std::optional<uint64_t> starts_asked_for(const load_options& options, const load_pace& pace) {
  if (!options.length || !pace.open_loop())
    return options.runs;
  const auto meant = pace.due(*options.length - duration(1));
  return options.runs ? std::min(*options.runs, meant) : meant;
}

double per_second(uint64_t count, duration span) {
  constexpr double micros_in_second = 1e6;
  return span > duration(0) ? static_cast<double>(count) * micros_in_second / static_cast<double>(span.count()) : 0;
}

} // namespace

load_driver::load_driver(
  const load_options& options, std::vector<tenant_id> tenants, load_target& target, load_clock& clock,
  const load_watch& watch)
  : options_(options)
  , target_(target)
  , clock_(clock)
  , watch_(watch)
  , pace_(options.pace)
  , mix_(options.mix)
  , starts_max_(starts_asked_for(options, pace_))
  , stall_(stall_min)
  , ledger_(std::move(tenants)) {}

// ---- what is told -----------------------------------------------------------

void load_driver::acknowledged(uint32_t ticket, const run_id& run, bool repeated) {
  const std::lock_guard guard(mutex_);
  ledger_.acknowledged(ticket, run, repeated, now());
}

void load_driver::set_back(uint32_t ticket, const start_setback& setback) {
  auto told = setback;
  if (!options_.ask_again && told.refused && told.next == start_setback::next_type::again)
    told.next = start_setback::next_type::never;
  const std::lock_guard guard(mutex_);
  ledger_.set_back(ticket, told, now());
}

void load_driver::ended(const run_ending& ending, bool late) {
  bool wake = false;
  {
    const std::lock_guard guard(mutex_);
    ledger_.ended(ending, late, now());
    wake = ++ended_since_ >= std::max<size_t>(1, options_.pace.in_flight / wake_part) || ledger_.in_flight() == 0;
    if (wake)
      ended_since_ = 0;
  }
  if (wake && !pace_.open_loop())
    clock_.wake();
}

void load_driver::went_wrong(const std::string& what) {
  const std::lock_guard guard(mutex_);
  ledger_.went_wrong(what);
}

// ---- starting ---------------------------------------------------------------

bool load_driver::may_start(duration at) const {
  const bool enough = starts_max_ && numbers_ >= *starts_max_;
  const bool late = options_.length && at >= *options_.length && !pace_.open_loop();
  const bool stopped = watch_.stopped && watch_.stopped();
  return !enough && !late && !stopped;
}

/// How many starts are due at `at`. Under the lock.
size_t load_driver::starts_due(duration at) const {
  uint64_t count = asks_at_once_max;
  if (pace_.open_loop()) {
    const auto due = pace_.due(at);
    count = std::min<uint64_t>(count, due > numbers_ ? due - numbers_ : 0);
  } else {
    const auto allowed = pace_.in_flight_max(at);
    const auto room = [](size_t most, size_t used) { return most > used ? most - used : 0; };
    count = std::min<uint64_t>(count, room(allowed, ledger_.in_flight()));
    count = std::min<uint64_t>(count, room(unanswered_max, ledger_.unanswered()));
  }
  if (starts_max_)
    count = std::min(count, *starts_max_ - numbers_);
  return count;
}

std::vector<start_ask> load_driver::next_asks(duration at) {
  const std::lock_guard guard(mutex_);
  auto asks = ledger_.due_again(at, asks_at_once_max);
  if (draining_since_)
    return asks;
  for (auto left = starts_due(at); left > 0; --left, ++numbers_) {
    const auto drawn = mix_.draw(numbers_);
    const auto intended = pace_.open_loop() ? pace_.moment_of(numbers_) : at;
    const auto ask = ledger_.open(numbers_, drawn, options_.keys, intended, at);
    asks.insert(asks.end(), drawn.repeated ? 2 : 1, ask);
  }
  return asks;
}

/// When there may be something to do again.
duration load_driver::next_look(duration at) const {
  const std::lock_guard guard(mutex_);
  auto next = at + (pace_.open_loop() || draining_since_ ? look_interval_max : look_interval_closed);
  if (pace_.open_loop() && !draining_since_)
    next = std::min(next, std::max(pace_.moment_of(numbers_), at + start_grain));
  if (const auto again = ledger_.next_again())
    next = std::min(next, std::max(*again, at + start_grain));
  return next;
}

// ---- looking on -------------------------------------------------------------

void load_driver::look_around(duration at, load_result& result) {
  load_progress progress;
  {
    const std::lock_guard guard(mutex_);
    if (at - rolled_at_ >= options_.interval) {
      rolled_at_ = at;
      result.over_time.push_back(ledger_.roll(at));
      result.over_time.back().rss_bytes = rss_bytes_of(::getpid()).value_or(0);
    }
    if (at - progress_at_ < progress_interval)
      return;
    const auto ended = ledger_.runs_ended();
    runs_per_s_ = per_second(ended - progress_ended_, at - progress_at_);
    progress_at_ = at;
    progress_ended_ = ended;
    progress = {
      ended,
      starts_max_.value_or(0),
      runs_per_s_,
      ledger_.in_flight(),
      ledger_.refusals(),
      ledger_.failures(),
      draining_since_.has_value()};
  }
  if (watch_.progress)
    watch_.progress(progress);
}

void load_driver::look_up_if_stalled(duration at) {
  {
    const std::lock_guard guard(mutex_);
    if (ledger_.runs_ended() != moved_ended_ || ledger_.unanswered() > 0 || ledger_.in_flight() == 0) {
      moved_ended_ = ledger_.runs_ended();
      moved_at_ = at;
      stall_ = stall_min;
    }
    if (at - moved_at_ < stall_)
      return;
  }
  target_.look_up();
  moved_at_ = now();
  stall_ = std::min(2 * stall_, stall_max);
}

bool load_driver::is_over(duration at) {
  if (!draining_since_)
    return false;
  const std::lock_guard guard(mutex_);
  return ledger_.in_flight() == 0 || at - *draining_since_ >= options_.drain;
}

driven_load load_driver::drive(load_result& result) {
  began_ = clock_.now();
  for (;;) {
    const auto at = now();
    if (!draining_since_ && !may_start(at)) {
      draining_since_ = at;
      moved_at_ = at;
    }
    if (const auto asks = next_asks(at); !asks.empty())
      target_.start(asks);
    look_around(at, result);
    if (is_over(at))
      break;
    // A closed loop whose ends are missed starts nothing any more.
    if (draining_since_ || !pace_.open_loop())
      look_up_if_stalled(at);
    clock_.wait_until(began_ + next_look(at));
  }
  const std::lock_guard guard(mutex_);
  if (const auto at = now(); at > rolled_at_) {
    result.over_time.push_back(ledger_.roll(at));
    result.over_time.back().rss_bytes = rss_bytes_of(::getpid()).value_or(0);
  }
  ledger_.fill(result);
  return {ledger_.runs_acknowledged(), ledger_.runs_open(), ledger_.unresolved(), ledger_.duplicates()};
}

} // namespace levain::load
