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

void step_actor_state::begin(run_actor run, step_index step, call_request request, environment_ptr environment) {
  run_ = std::move(run);
  step_ = step;
  request_ = std::move(request);
  environment_ = std::move(environment);
  try {
    make_call();
  } catch (const std::exception& broken) {
    finish(failure(
      call_failure::kind_type::retryable, plain_line(fmt::format("the call could not be begun: {}", broken.what()))));
  }
}

void step_actor_state::make_call() {
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
  // Executors that cannot keep a deadline by themselves are overruled by this one.
  if (!std::holds_alternative<http_call>(request_.call)) {
    deadline_ = environment_->steady() + request_.timeout;
    self_->send(environment_->timekeeper, wake_at{deadline_});
  }
  // The executor answers on a thread of its own; the answer comes back as a message.
  in_flight_ = executor->begin(request_, [to = caf::actor_cast<caf::actor>(step_actor(self_))](call_result result) {
    caf::anon_send(to, call_finished{std::move(result)});
  });
}

/// Why the attempt fails whose deadline has passed.
call_failure step_actor_state::out_of_time() const {
  auto message = fmt::format("no answer within {}", format_duration(request_.timeout));
  const auto* worker = std::get_if<worker_call>(&request_.call);
  if (worker == nullptr)
    return failure(call_failure::kind_type::timeout, std::move(message));
  const auto view = environment_->workers->look(request_.idempotency_key, request_.attempt);
  if (!view || !view->waiting)
    return failure(call_failure::kind_type::timeout, std::move(message));
  if (!view->offered)
    return failure(call_failure::kind_type::retryable, no_worker_message(worker->kind));
  return failure(call_failure::kind_type::timeout, message + ": " + busy_workers_message(worker->kind));
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
  if (deadline_ == timestamp{} || environment_->steady() < deadline_)
    return;
  auto why = out_of_time();
  // A function cannot be given up; a worker is told, and so is the line in which the call may still wait.
  if (std::holds_alternative<worker_call>(request_.call))
    in_flight_.give_up();
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
  finish(failure(call_failure::kind_type::abandoned, "given up because the run stops"));
}

step_actor::behavior_type step(
  step_actor::stateful_pointer<step_actor_state> self, run_actor run, step_index index, call_request request,
  environment_ptr environment) {
  self->state.begin(std::move(run), index, std::move(request), std::move(environment));
  return {
    [self](call_finished& x) { self->state.finish(std::move(x.result)); },
    [self](const abandon_attempt& x) { self->state.abandon(x); },
    [self](const wake&) { self->state.woken(); },
  };
}

} // namespace levain
