#include "tests/simulation/witnessed_calls.hpp"

namespace levain::simulation {

witnessed_calls::witnessed_calls(ground& under, life_ptr of, std::shared_ptr<worker_calls> desk)
  : under_(under)
  , of_(std::move(of))
  , desk_(std::move(desk)) {}

call_in_flight witnessed_calls::begin(call_request request, call_done done) {
  return begin_told(std::move(request), std::move(done), nullptr);
}

call_in_flight witnessed_calls::begin_told(call_request request, call_done done, levain::call_told told) {
  if (!of_->alive)
    return {};
  const auto made = std::make_shared<call>();
  made->number = ++under_.calls_made;
  made->timeout = request.timeout;
  made->deadline = timestamp::max();
  under_.seen.saw(sight::calls_made);
  if (++under_.made[{request.idempotency_key, request.attempt}] > 1)
    under_.seen.saw(sight::calls_made_again);
  under_.audience.saw(call_made{
    under_.now, made->number, of_->who, request.run, request.tenant, request.step, request.attempt, request.undo,
    request.idempotency_key, request.body, request.timeout, std::get<worker_call>(request.call).kind});
  auto inner = std::make_shared<call_in_flight>(desk_->begin_told(
    std::move(request),
    [this, made, done = std::move(done)](call_result result) {
      if (!of_->alive || !std::exchange(made->open, false))
        return;
      tell(*made, result);
      done(std::move(result));
    },
    [this, made, told = std::move(told)](call_news news) {
      moved(*made, news);
      if (told)
        told(std::move(news));
    }));
  return call_in_flight(
    [this, made, inner](let_go_reason why) {
      if (of_->alive && std::exchange(made->open, false))
        under_.audience.saw(call_let_go{under_.now, made->number});
      inner->give_up(why);
    },
    [inner](withdraw_reason why) { inner->withdraw(why); });
}

/// The time of a call runs while a worker has it.
void witnessed_calls::moved(call& x, const call_news& news) {
  const bool runs = news.kind == call_news::kind_type::in_flight;
  x.deadline = runs ? under_.now + x.timeout : timestamp::max();
  if (news.kind == call_news::kind_type::delivery_lost)
    under_.seen.saw(sight::deliveries_lost);
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
    under_.seen.saw(failed->kind == call_failure::kind_type::withdrawn ? sight::steps_withdrawn : sight::calls_failed);
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
