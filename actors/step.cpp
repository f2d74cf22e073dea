#include "actors/step.hpp"

#include <caf/send.hpp>
#include <fmt/format.h>

#include "actors/calls/simulate_fate.hpp"
#include "actors/overloaded.hpp"
#include "actors/run_machine/call_place.hpp"
#include "actors/run_machine/plain_line.hpp"

namespace levain {

namespace {

call_failure failure(call_failure::kind_type kind, std::string message) {
  return call_failure{kind, std::move(message), std::nullopt};
}

} // namespace

step_actor_state::step_actor_state(step_actor::pointer self)
  : self_(self) {}

step_actor_state::~step_actor_state() {
  // Said here rather than heard by a monitor, which would cost each attempt that ends well a message more.
  if (run_ && !answered_)
    caf::anon_send(
      run_, attempt_ended{
              step_, request_.attempt, request_.undo,
              failure(call_failure::kind_type::retryable, "the actor that made the call died")});
}

void step_actor_state::begin(
  run_actor run, step_index step, call_request request, environment_ptr environment,
  std::optional<call_budget::ticket> in_line) {
  run_ = std::move(run);
  step_ = step;
  request_ = std::move(request);
  environment_ = std::move(environment);
  began_at_ = environment_->steady();
  if (in_line)
    wait_for_room(*in_line);
  else
    make_call();
}

void step_actor_state::wait_for_room(call_budget::ticket in_line) {
  awaits_room_ = true;
  const auto to = caf::actor_cast<caf::actor>(step_actor(self_));
  in_flight_ = call_in_flight(
    [line = environment_->call_memory, in_line](let_go_reason) { line->leave(in_line); },
    [line = environment_->call_memory, in_line, to](withdraw_reason) {
      if (line->leave(in_line))
        caf::anon_send(
          to, call_finished{failure(call_failure::kind_type::withdrawn, "was taken back before it had room")});
    });
  if (!request_.queue_timeout)
    return;
  queue_deadline_ = began_at_ + *request_.queue_timeout;
  wake_by(*queue_deadline_);
}

void step_actor_state::has_room(call_ready& x) {
  if (answered_ || !awaits_room_)
    return;
  if (auto* failed = std::get_if<call_failure>(&x.what)) {
    finish(std::move(*failed));
    return;
  }
  in_flight_.forget();
  if (const auto* in_line = std::get_if<call_budget::ticket>(&x.what)) {
    wait_for_room(*in_line);
    if (asked_back_)
      in_flight_.withdraw(withdraw_reason::stopped);
    return;
  }
  awaits_room_ = false;
  request_ = std::move(std::get<call_request>(x.what));
  if (asked_back_) {
    finish(failure(call_failure::kind_type::withdrawn, "was taken back before it began"));
    return;
  }
  // One wait, for room and for a turn.
  if (request_.queue_timeout)
    request_.queue_timeout = std::max(*request_.queue_timeout - (environment_->steady() - began_at_), duration(0));
  queue_deadline_.reset();
  if (std::holds_alternative<http_call>(request_.call))
    self_->send(run_, attempt_moved{step_, request_.attempt, request_.undo, {call_news::kind_type::in_flight}});
  make_call();
}

void step_actor_state::make_call() {
  try {
    choose_executor();
  } catch (const std::exception& broken) {
    finish(failure(
      call_failure::kind_type::retryable, plain_line(fmt::format("the call could not be begun: {}", broken.what()))));
  }
}

void step_actor_state::choose_executor() {
  std::visit(
    overloaded{
      [&](const http_call&) { begin_with(environment_->http, "this node makes no HTTP calls"); },
      [&](const function_call&) { begin_with(environment_->functions, "this node has no C++ functions"); },
      [&](const worker_call&) { begin_with(environment_->workers, "this node has no gate for workers"); },
      [&](const simulate_call& call) { begin_simulated(call); },
    },
    request_.call);
}

void step_actor_state::begin_with(const std::shared_ptr<call_executor>& executor, const char* absent) {
  if (!executor) {
    finish(failure(call_failure::kind_type::final, absent));
    return;
  }
  begin_waiting();
  // The executor answers on a thread of its own; the answer comes back as a message. The body is the executor's alone.
  const auto to = caf::actor_cast<caf::actor>(step_actor(self_));
  auto body = std::exchange(request_.body, {});
  auto rest = std::exchange(request_.body_rest, nullptr);
  auto given = request_;
  given.body = std::move(body);
  given.body_rest = std::move(rest);
  in_flight_ = executor->begin_told(
    std::move(given), [to](call_result result) { caf::anon_send(to, call_finished{std::move(result)}); },
    [to](call_news news) { caf::anon_send(to, call_moved{std::move(news)}); });
}

void step_actor_state::wake_by(timestamp due) {
  self_->send(environment_->timekeeper, wake_at{due});
}

/// From now on the call waits for a worker or a thread. The HTTP executor keeps all times by itself.
void step_actor_state::begin_waiting() {
  deadline_.reset();
  queue_deadline_.reset();
  if (std::holds_alternative<http_call>(request_.call))
    return;
  auto limit = request_.queue_timeout;
  if (request_.to_holder_only)
    limit = std::min(limit.value_or(duration::max()), environment_->run.cancel_grace);
  if (!limit)
    return;
  queue_deadline_ = environment_->steady() + *limit;
  wake_by(*queue_deadline_);
}

void step_actor_state::moved(const call_moved& x) {
  if (answered_)
    return;
  const bool http = std::holds_alternative<http_call>(request_.call);
  if (x.news.kind != call_news::kind_type::in_flight) {
    begin_waiting();
  } else if (!http) {
    queue_deadline_.reset();
    deadline_ = environment_->steady() + request_.timeout;
    wake_by(*deadline_);
  }
  self_->send(run_, attempt_moved{step_, request_.attempt, request_.undo, x.news});
}

/// Why the attempt fails whose deadline has passed.
call_failure step_actor_state::out_of_time() const {
  auto late =
    failure(call_failure::kind_type::timeout, fmt::format("no answer within {}", format_duration(request_.timeout)));
  late.unknown = true;
  return late;
}

/// Why the attempt fails that has waited for too long.
call_failure step_actor_state::out_of_queue_time() const {
  const auto* worker = std::get_if<worker_call>(&request_.call);
  const auto view =
    worker == nullptr ? std::nullopt : environment_->workers->look(request_.idempotency_key, request_.attempt);
  const bool may_have_begun = request_.made_before || (view && !view->lost_workers.empty());
  auto late = failure(call_failure::kind_type::timeout, "the step waited for its turn");
  if (awaits_room_)
    late.message = "the call waited for room in the node's memory for calls (calls_bytes_max)";
  else if (request_.to_holder_only)
    late = failure(call_failure::kind_type::abandoned, "its run has stopped, and no worker came back that has it");
  else if (worker != nullptr && view && view->offered)
    late.message = busy_workers_message(worker->kind);
  else if (worker != nullptr)
    late = failure(call_failure::kind_type::retryable, no_worker_message(worker->kind));
  if (request_.queue_timeout && !request_.to_holder_only)
    late.message += fmt::format(", for {} (queue_timeout)", format_duration(*request_.queue_timeout));
  late.unknown = may_have_begun;
  return late;
}

void step_actor_state::begin_simulated(const simulate_call& call) {
  auto fate = simulate_fate(call, request_.idempotency_key, request_.attempt);
  if (fate.time > request_.timeout) {
    fate.time = request_.timeout;
    fate.result =
      failure(call_failure::kind_type::timeout, fmt::format("no answer within {}", format_duration(request_.timeout)));
  }
  if (fate.time == duration(0)) {
    finish(std::move(fate.result));
    return;
  }
  simulated_ = std::move(fate.result);
  simulated_at_ = environment_->steady() + fate.time;
  self_->send(environment_->timekeeper, wake_at{simulated_at_});
}

void step_actor_state::woken() {
  if (simulated_) {
    if (environment_->steady() >= simulated_at_)
      finish(std::move(*simulated_));
    else
      self_->send(environment_->timekeeper, wake_at{simulated_at_});
    return;
  }
  const auto now = environment_->steady();
  const bool late = deadline_ && now >= *deadline_;
  if (!late && !(queue_deadline_ && now >= *queue_deadline_))
    return;
  auto why = late ? out_of_time() : out_of_queue_time();
  // A function cannot be given up; a worker is told, and so is the line in which the call may still wait.
  if (awaits_room_ || std::holds_alternative<worker_call>(request_.call))
    in_flight_.give_up();
  else if (!late)
    in_flight_.withdraw(withdraw_reason::stopped);
  finish(std::move(why));
}

void step_actor_state::finish(std::variant<std::string, call_failure> result) {
  if (answered_)
    return;
  answered_ = true;
  in_flight_.forget();
  self_->send(run_, attempt_ended{step_, request_.attempt, request_.undo, std::move(result)});
  self_->quit();
}

void step_actor_state::abandon(const abandon_attempt& x) {
  if (answered_)
    return;
  in_flight_.give_up(x.why);
  // What waited for room in memory was never made.
  finish(
    awaits_room_ ? failure(call_failure::kind_type::withdrawn, "was taken back before it had room")
                 : failure(call_failure::kind_type::abandoned, "given up because the run stops"));
}

void step_actor_state::withdraw(const withdraw_attempt& x) {
  if (answered_)
    return;
  // Nothing outside this actor is done for a simulated call.
  if (simulated_ && x.why == withdraw_reason::cancelled) {
    finish(failure(call_failure::kind_type::abandoned, "given up because the run was cancelled"));
    return;
  }
  asked_back_ = awaits_room_;
  in_flight_.withdraw(x.why);
}

step_actor::behavior_type step(
  step_actor::stateful_pointer<step_actor_state> self, run_actor run, step_index index, call_request request,
  environment_ptr environment, std::optional<call_budget::ticket> in_line) {
  self->state.begin(std::move(run), index, std::move(request), std::move(environment), in_line);
  return {
    [self](call_finished& x) { self->state.finish(std::move(x.result)); },
    [self](const abandon_attempt& x) { self->state.abandon(x); },
    [self](const withdraw_attempt& x) { self->state.withdraw(x); },
    [self](const call_moved& x) { self->state.moved(x); },
    [self](call_ready& x) { self->state.has_room(x); },
    [self](const wake&) { self->state.woken(); },
  };
}

} // namespace levain
