#include "tests/simulation/witnessed_calls.hpp"

namespace levain::simulation {

witnessed_calls::witnessed_calls(ground& under, life_ptr of, std::shared_ptr<worker_calls> desk)
  : under_(under)
  , of_(std::move(of))
  , desk_(std::move(desk)) {}

call_in_flight witnessed_calls::begin(call_request request, call_done done) {
  if (!of_->alive)
    return {};
  const auto made = std::make_shared<call>();
  made->number = ++under_.calls_made;
  made->deadline = under_.now + request.timeout;
  under_.seen.saw(sight::calls_made);
  if (++under_.made[{request.idempotency_key, request.attempt}] > 1)
    under_.seen.saw(sight::calls_made_again);
  under_.audience.saw(call_made{
    under_.now, made->number, of_->who, request.run, request.tenant, request.step, request.attempt, request.undo,
    request.idempotency_key, request.body, request.timeout, std::get<worker_call>(request.call).kind});
  auto inner = std::make_shared<call_in_flight>(
    desk_->begin(std::move(request), [this, made, done = std::move(done)](call_result result) {
      if (!of_->alive || !std::exchange(made->open, false))
        return;
      tell(*made, result);
      done(std::move(result));
    }));
  return call_in_flight([this, made, inner](let_go_reason why) {
    if (of_->alive && std::exchange(made->open, false))
      under_.audience.saw(call_let_go{under_.now, made->number});
    inner->give_up(why);
  });
}

bool witnessed_calls::is_awaited(const call& x) const {
  // Whether its step still waits is the step's to know; by the true time it does.
  return under_.now < x.deadline;
}

void witnessed_calls::tell(const call& x, const call_result& result) {
  call_told told{under_.now, x.number, {}, {}, is_awaited(x)};
  if (const auto* failed = std::get_if<call_failure>(&result)) {
    told.failure = to_string(failed->kind);
    told.message = failed->message;
    under_.seen.saw(sight::calls_failed);
    if (failed->message.starts_with("no heartbeat"))
      under_.seen.saw(sight::calls_silent);
  } else {
    told.output = std::get<std::string>(result);
    if (under_.now >= x.deadline)
      under_.seen.saw(sight::late_answers);
  }
  under_.audience.saw(told);
}

} // namespace levain::simulation
