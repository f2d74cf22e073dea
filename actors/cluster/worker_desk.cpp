#include "actors/cluster/worker_desk.hpp"

#include <fmt/format.h>

#include "actors/cluster/worker_checks.hpp"
#include "actors/run_machine/plain_line.hpp"
#include "actors/workflow/parse_definition.hpp"

namespace levain {

namespace {

using kind = call_failure::kind_type;

call_failure failure(kind what, std::string message) {
  return {what, std::move(message), std::nullopt};
}

call_failure shutting_down() {
  return failure(kind::retryable, "the node is shutting down");
}

/// What a worker came to, in the engine's words. Whether a success can be used is judged where every answer is.
call_result result_of(const call_ended& x) {
  if (x.succeeded)
    return x.result;
  auto why = plain_line(x.result);
  if (why.empty())
    why = "the worker gave no reason";
  call_failure failed{x.retry ? kind::retryable : kind::final, std::move(why), std::nullopt};
  if (x.retry && x.retry_after > 0)
    failed.retry_after = std::chrono::milliseconds(x.retry_after);
  return failed;
}

/// What whoever waits is told by a word; only by an end is anybody told anything.
template <class Word>
call_result result_in(const Word& /*x*/) {
  return std::string();
}
call_result result_in(const call_ended& x) {
  return result_of(x);
}

/// Outside the lock.
void tell(std::vector<std::pair<call_done, call_result>>& ended) {
  for (auto& [done, result] : ended)
    if (done)
      done(std::move(result));
}

std::optional<call_failure> fault_in_request(const call_request& request) {
  if (request.body.size() > wire_body_bytes_max)
    return failure(
      kind::final, fmt::format(
                     "what the worker is to be given has {} bytes, at most {} are allowed", request.body.size(),
                     wire_body_bytes_max));
  return std::nullopt;
}

} // namespace

worker_desk::worker_desk(worker_roster_options options, std::function<timestamp()> now)
  : now_(std::move(now))
  , roster_(std::move(options)) {}

worker_desk::~worker_desk() {
  close();
}

// ---- the engine's side ------------------------------------------------------

std::variant<uint64_t, call_failure> worker_desk::admit(call_request request, waiter& who, outcomes& ended) {
  if (auto refused = fault_in_request(request))
    return std::move(*refused);
  const std::lock_guard guard(mutex_);
  if (closed_)
    return shutting_down();
  auto added = roster_.add(std::move(request), now());
  if (auto* why = std::get_if<std::string>(&added))
    return failure(kind::retryable, std::move(*why));
  const auto number = std::get<uint64_t>(added);
  waiting_.emplace(number, std::move(who));
  note_moves(ended);
  wake_if_needed();
  return number;
}

call_in_flight worker_desk::begin(call_request request, call_done done) {
  return begin_told(std::move(request), std::move(done), nullptr);
}

call_in_flight worker_desk::begin_told(call_request request, call_done done, call_told told) {
  waiter who{std::move(done), std::move(told)};
  outcomes ended;
  auto admitted = admit(std::move(request), who, ended);
  tell(ended);
  if (auto* refused = std::get_if<call_failure>(&admitted)) {
    who.done(std::move(*refused));
    return {};
  }
  const auto number = std::get<uint64_t>(admitted);
  return call_in_flight(
    [desk = weak_from_this(), number](let_go_reason why) {
      if (const auto still = desk.lock())
        still->give_up(number, why);
    },
    [desk = weak_from_this(), number](withdraw_reason why) {
      if (const auto still = desk.lock())
        still->withdraw(number, why);
    });
}

void worker_desk::give_up(uint64_t number, let_go_reason why) {
  // Let go of outside the lock: it may hold the last handle of an actor, whose end gives calls up.
  waiter nobody;
  const std::lock_guard guard(mutex_);
  if (closed_)
    return;
  nobody = take_waiter(number);
  if (const auto with = roster_.drop(number)) {
    out_.push_back({*with, call_dropped{number, why == let_go_reason::run_moves}});
    wake_if_needed();
  }
}

void worker_desk::withdraw(uint64_t number, withdraw_reason why) {
  outcomes ended;
  {
    const std::lock_guard guard(mutex_);
    if (closed_)
      return;
    const auto with = roster_.withdraw(number, why);
    if (with && why == withdraw_reason::cancelled)
      out_.push_back({*with, call_cancelled{number}});
    note_moves(ended);
    wake_if_needed();
  }
  tell(ended);
}

std::optional<worker_call_view> worker_desk::look(const std::string& key, uint32_t attempt) const {
  const std::lock_guard guard(mutex_);
  return roster_.look(key, attempt);
}

worker_figures worker_desk::figures() const {
  const std::lock_guard guard(mutex_);
  return roster_.figures();
}

std::vector<worker_view> worker_desk::list() const {
  const std::lock_guard guard(mutex_);
  return roster_.list();
}

void worker_desk::close() {
  std::unordered_map<uint64_t, waiter> left;
  std::function<void()> wake;
  {
    const std::lock_guard guard(mutex_);
    closed_ = true;
    left.swap(waiting_);
    wake.swap(wake_);
    out_.clear();
    roster_ = worker_roster({});
  }
  for (auto& [number, who] : left)
    who.done(shutting_down());
}

// ---- the side of the wire ---------------------------------------------------

void worker_desk::on_word_out(std::function<void()> wake) {
  const std::lock_guard guard(mutex_);
  if (closed_)
    return;
  wake_ = std::move(wake);
  woken_ = false;
  wake_if_needed();
}

std::vector<worker_desk::word_out> worker_desk::take_out() {
  const std::lock_guard guard(mutex_);
  woken_ = false;
  return std::exchange(out_, {});
}

uint64_t worker_desk::body_bytes(uint64_t number) const {
  const std::lock_guard guard(mutex_);
  const auto* body = roster_.body_of(number);
  return body ? body->size() : 0;
}

std::optional<std::string> worker_desk::body_part(uint64_t number, uint64_t offset, uint64_t bytes) const {
  const std::lock_guard guard(mutex_);
  const auto* body = roster_.body_of(number);
  if (!body || offset >= body->size())
    return std::nullopt;
  return body->substr(offset, bytes);
}

std::variant<worker_desk::seat, std::string> worker_desk::join(const worker_hello& who) {
  if (auto fault = fault_in(who))
    return std::move(*fault);
  outcomes ended;
  std::variant<seat, std::string> joined;
  {
    const std::lock_guard guard(mutex_);
    if (closed_)
      return "the node is shutting down";
    joined = roster_.join(who, now());
    note_moves(ended);
  }
  tell(ended);
  return joined;
}

void worker_desk::leave(seat who) {
  outcomes ended;
  {
    const std::lock_guard guard(mutex_);
    roster_.leave(who, now());
    note_moves(ended);
  }
  tell(ended);
}

std::string worker_desk::name_of(seat who) const {
  const std::lock_guard guard(mutex_);
  return roster_.name_of(who);
}

std::vector<run_id> worker_desk::runs_with(seat who) const {
  const std::lock_guard guard(mutex_);
  return roster_.runs_with(who);
}

template <class Word>
std::string worker_desk::hear(seat who, const Word& x) {
  if (auto fault = fault_in(x))
    return std::move(*fault);
  outcomes ended;
  {
    const std::lock_guard guard(mutex_);
    if (!roster_.is_seated(who))
      return {}; // It has left, or all have.
    auto taken = roster_.take(who, x, now());
    note_moves(ended);
    if (!taken.fault.empty())
      return std::move(taken.fault);
    if (taken.ended)
      ended.emplace_back(take_waiter(*taken.ended).done, result_in(x));
  }
  tell(ended);
  return {};
}

std::string worker_desk::take(seat who, const call_begun& x) {
  return hear(who, x);
}

std::string worker_desk::take(seat who, const call_declined& x) {
  return hear(who, x);
}

std::string worker_desk::take(seat who, const room_made& x) {
  return hear(who, x);
}

std::string worker_desk::take(seat who, const call_heartbeat& x) {
  return hear(who, x);
}

std::string worker_desk::take(seat who, const call_ended& x) {
  return hear(who, x);
}

std::string worker_desk::take(seat who, const calls_held& x) {
  return hear(who, x);
}

std::string worker_desk::take(seat who, const worker_leaving& x) {
  return hear(who, x);
}

std::optional<timestamp> worker_desk::next_due() const {
  const std::lock_guard guard(mutex_);
  return roster_.next_due();
}

void worker_desk::end_silent_calls() {
  outcomes ended;
  {
    const std::lock_guard guard(mutex_);
    for (const auto& each : roster_.take_silent(now())) {
      out_.push_back({each.with, call_dropped{each.number, false}});
      auto why = failure(
        kind::retryable,
        fmt::format("no heartbeat within {} from worker '{}'", format_duration(each.heartbeat), each.worker));
      why.unknown = true;
      ended.emplace_back(take_waiter(each.number).done, std::move(why));
    }
  }
  tell(ended);
}

// ---- under the lock ---------------------------------------------------------

void worker_desk::note_moves(outcomes& ended) {
  for (const auto& each : roster_.take_gifts())
    if (roster_.is_out(each.number))
      out_.push_back({each.to, roster_.message_of(each.number, now())});
  for (auto& each : roster_.take_moved())
    if (const auto who = waiting_.find(each.number); who != waiting_.end() && who->second.told)
      who->second.told(std::move(each.what));
  for (auto& each : roster_.take_ended())
    ended.emplace_back(take_waiter(each.number).done, std::move(each.why));
}

void worker_desk::wake_if_needed() {
  if (out_.empty() || woken_ || !wake_)
    return;
  woken_ = true;
  wake_();
}

worker_desk::waiter worker_desk::take_waiter(uint64_t number) {
  const auto found = waiting_.find(number);
  if (found == waiting_.end())
    return {};
  auto who = std::move(found->second);
  waiting_.erase(found);
  return who;
}

} // namespace levain
