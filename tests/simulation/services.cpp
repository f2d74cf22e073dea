#include "tests/simulation/services.hpp"

#include <stdexcept>

namespace levain::simulation {

namespace {

using std::chrono::milliseconds;

call_failure failure(call_failure::kind_type kind, std::string message) {
  return {kind, std::move(message), std::nullopt};
}

} // namespace

class services::executor : public call_executor {
public:
  executor(services& of, life_ptr from, bool deadlines)
    : of_(of)
    , from_(std::move(from))
    , deadlines_(deadlines) {}

  call_in_flight begin(call_request request, call_done done) override {
    return of_.begin(from_, std::move(request), std::move(done), deadlines_);
  }

private:
  services& of_;
  life_ptr from_;
  bool deadlines_;
};

/// The request was sent, and nobody knows what became of it.
call_failure no_answer() {
  auto late = failure(call_failure::kind_type::timeout, "no answer before the deadline");
  late.unknown = true;
  return late;
}

/// An answer that is cut inside its header is none, and the request was sent. So says `http_transfer`, in whose place
/// this stands.
call_failure cut_answer() {
  auto cut = failure(call_failure::kind_type::retryable, "the answer was cut off inside its header");
  cut.unknown = true;
  return cut;
}

std::string address_of(const call_request& x) {
  const auto* http = std::get_if<http_call>(&x.call);
  return http == nullptr ? std::string() : http->url;
}

services::services(ground& under, const fate_book& fates)
  : under_(under)
  , fates_(fates) {}

std::shared_ptr<call_executor> services::executor_for(const life_ptr& of, bool deadlines) {
  return std::make_shared<executor>(*this, of, deadlines);
}

void services::forget(const life& of) {
  std::erase_if(open_, [&](const call_ptr& x) {
    if (x->from.get() == &of)
      x->done = nullptr;
    return !x->done;
  });
}

call_in_flight services::begin(const life_ptr& from, call_request request, call_done done, bool deadlines) {
  if (!from->alive)
    return {};
  auto made = std::make_shared<call>();
  made->number = ++under_.calls_made;
  made->from = from;
  made->request = std::move(request);
  // Services are no part of the node: what they keep of a call for later takes none of its memory.
  made->request.memory = nullptr;
  made->done = std::move(done);
  made->deadlines = deadlines;
  made->deadline = under_.now + made->request.timeout;
  const auto& x = made->request;
  made->input = input_of(x.body);
  under_.seen.saw(sight::calls_made);
  if (++under_.made[{x.idempotency_key, x.attempt}] > 1)
    under_.seen.saw(sight::calls_made_again);
  under_.audience.saw(call_made{
    under_.now,
    made->number,
    from->who,
    x.run,
    x.tenant,
    x.step,
    x.attempt,
    x.undo,
    x.idempotency_key,
    x.body,
    x.timeout,
    {},
    address_of(x)});
  const auto fate = fates_.of(made->input, x.step, x.attempt, x.undo);
  if (fate.kind == fate_kind::throws) {
    under_.seen.saw(sight::executor_throws);
    under_.audience.saw(call_told{under_.now, made->number, std::nullopt, "retryable", true});
    throw std::runtime_error("the executor is broken");
  }
  open_.push_back(made);
  come_about(made, fate);
  if (deadlines)
    answer(made, made->request.timeout, no_answer());
  return call_in_flight([this, made](let_go_reason) {
    if (made->from->alive && !made->answered && !made->given_up)
      under_.audience.saw(call_let_go{under_.now, made->number});
    made->given_up = true;
    made->done = nullptr;
  });
}

void services::come_about(const call_ptr& x, const fate_item& fate) {
  using kind = call_failure::kind_type;
  const auto good = [&](bool misfit = false, std::string_view note = {}) {
    return good_output(x->number, x->request.step, x->input, under_.now, misfit, note);
  };
  switch (fate.kind) {
  case fate_kind::good:
    answer(x, fate.after, good());
    break;
  case fate_kind::retryable:
    answer(x, fate.after, failure(kind::retryable, "the oven is cold"));
    break;
  case fate_kind::retry_after: {
    auto busy = failure(kind::retryable, "the oven is full");
    busy.retry_after = fate.after;
    answer(x, milliseconds(10), std::move(busy));
    break;
  }
  case fate_kind::final:
    answer(x, fate.after, failure(kind::final, "there is no oven"));
    break;
  case fate_kind::hang:
    break;
  case fate_kind::late:
    answer(x, x->request.timeout + fate.after, good());
    break;
  case fate_kind::twice:
    answer(x, fate.after, good());
    answer(x, fate.after + milliseconds(1), good(false, "second thoughts"));
    break;
  case fate_kind::cut:
  case fate_kind::deadly:
    answer(x, fate.after, cut_answer());
    break;
  case fate_kind::not_json:
    answer(x, fate.after, "{\"call\": oops");
    break;
  case fate_kind::too_deep:
    answer(x, fate.after, std::string(depth_beyond, '[') + std::string(depth_beyond, ']'));
    break;
  case fate_kind::has_nul:
    answer(x, fate.after, fate.attempt % 2 == 0 ? std::string("{\"a\":\"\\u0000\"}") : std::string("{}\0", 3));
    break;
  case fate_kind::not_utf8:
    answer(x, fate.after, "{\"a\":\"\xff\xfe\"}");
    break;
  case fate_kind::too_large:
    answer(x, fate.after, "\"" + std::string(size_beyond, 'x') + "\"");
    break;
  case fate_kind::misfit:
    answer(x, fate.after, good(true));
    break;
  case fate_kind::poison:
    answer(x, fate.after, good(false, poison_text));
    break;
  case fate_kind::poison_failure:
    answer(x, fate.after, failure(kind::retryable, std::string(poison_text)));
    break;
  case fate_kind::throws:
    break;
  }
  if (fate.kind >= fate_kind::not_json)
    under_.seen.saw(sight::unusable_answers);
}

void services::answer(const call_ptr& x, duration after, call_result result) {
  under_.coming.at(under_.now + after, [this, x, result = std::move(result)] {
    x->from->reach([this, x, result] { tell(x, result); });
  });
}

bool services::is_awaited(const call& x) const {
  if (!x.from->alive || x.given_up || x.answered)
    return false;
  if (x.deadlines)
    return true;
  // Without a deadline of its own the executor cannot know whether its step still waits; by the true time it does.
  return under_.now < x.deadline;
}

void services::tell(const call_ptr& x, const call_result& result) {
  const auto* failed = std::get_if<call_failure>(&result);
  if (x->answered && failed != nullptr && failed->kind == call_failure::kind_type::timeout)
    return; // The executor's own deadline, which the answer came before.
  call_told told{under_.now, x->number, {}, {}, is_awaited(*x)};
  if (failed == nullptr)
    told.output = std::get<std::string>(result);
  else {
    told.failure = to_string(failed->kind);
    told.unknown = failed->unknown;
    if (failed->unknown && failed->kind != call_failure::kind_type::timeout)
      under_.seen.saw(sight::answers_cut);
  }
  if (failed != nullptr)
    under_.seen.saw(failed->kind == call_failure::kind_type::timeout ? sight::calls_timed_out : sight::calls_failed);
  else if (x->answered)
    under_.seen.saw(sight::second_answers);
  if (failed == nullptr && under_.now >= x->deadline)
    under_.seen.saw(sight::late_answers);
  under_.audience.saw(told);
  // A C++ function's answer goes to its step whether that still waits or not.
  const bool passes_on = x->done && (told.awaited || !x->deadlines);
  x->answered = true;
  if (passes_on)
    x->done(result);
}

} // namespace levain::simulation
