#include "tests/simulation/services.hpp"

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace levain::simulation {

namespace {

using nlohmann::json;
using std::chrono::milliseconds;

call_failure failure(call_failure::kind_type kind, std::string message) {
  return {kind, std::move(message), std::nullopt};
}

/// Deeper than any answer may be.
constexpr size_t depth_beyond = 80;
/// Longer than any answer may be, in bytes.
constexpr size_t size_beyond = 1024 * 1024 + 100;

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

services::services(ground& under)
  : under_(under) {
  for (const auto& each : under_.script.items)
    if (const auto* fate = std::get_if<fate_item>(&each))
      fates_[{fate->input, fate->step, fate->attempt, fate->undo}] = *fate;
}

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

fate_item services::fate_of(const call& x) const {
  const auto& request = x.request;
  const auto found = fates_.find({x.input, request.step, request.attempt, request.undo});
  if (found != fates_.end())
    return found->second;
  // Most calls are quick; what one takes depends on nothing that shrinking a plan takes away.
  chance luck(seed_for(
    under_.script.shape.seed, request.step + (request.undo ? "/undo" : ""),
    static_cast<uint64_t>(x.input) << 32 | request.attempt));
  const auto after = luck.happens(100) ? luck.between(100, 2'000) : luck.between(0, 120);
  return {x.input, request.step, request.attempt, request.undo, fate_kind::good, milliseconds(after)};
}

call_in_flight services::begin(const life_ptr& from, call_request request, call_done done, bool deadlines) {
  if (!from->alive)
    return {};
  auto made = std::make_shared<call>();
  made->number = ++calls_made_;
  made->from = from;
  made->request = std::move(request);
  made->done = std::move(done);
  made->deadlines = deadlines;
  made->clock_jumps = from->clock_jumps;
  made->deadline = under_.now + made->request.timeout;
  made->local_deadline = made->deadline + from->skew;
  const auto& x = made->request;
  const auto body = json::parse(x.body);
  made->input = body.at("input").value("n", -1);
  under_.seen.saw(sight::calls_made);
  if (++made_[{x.idempotency_key, x.attempt}] > 1)
    under_.seen.saw(sight::calls_made_again);
  under_.audience.saw(call_made{
    under_.now, made->number, from->who, x.run, x.tenant, x.step, x.attempt, x.undo, x.idempotency_key, x.body,
    x.timeout});
  const auto fate = fate_of(*made);
  if (fate.kind == fate_kind::throws) {
    under_.seen.saw(sight::executor_throws);
    under_.audience.saw(call_told{under_.now, made->number, std::nullopt, "retryable", true});
    throw std::runtime_error("the executor is broken");
  }
  open_.push_back(made);
  come_about(made, fate);
  if (deadlines)
    answer(made, made->request.timeout, failure(call_failure::kind_type::timeout, "no answer before the deadline"));
  return call_in_flight([made] {
    made->given_up = true;
    made->done = nullptr;
  });
}

void services::come_about(const call_ptr& x, const fate_item& fate) {
  using kind = call_failure::kind_type;
  const auto good = [&] { return good_output(*x, false, {}); };
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
    answer(x, fate.after + milliseconds(1), good_output(*x, false, "second thoughts"));
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
    answer(x, fate.after, good_output(*x, true, {}));
    break;
  case fate_kind::poison:
    answer(x, fate.after, good_output(*x, false, poison_text));
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

std::string services::good_output(const call& x, bool misfit, std::string_view note) {
  json output{{"call", x.number}, {"step", x.request.step}, {"n", x.input}};
  output["count"] = misfit ? -1 : static_cast<int64_t>(x.number % 1000);
  output["score"] = misfit ? 1000 : static_cast<int64_t>(x.number % 101);
  output["id"] = misfit ? "no id" : to_string(make_uuid_v7(under_.now, {x.number, x.number}));
  if (!note.empty())
    output["note"] = note;
  return output.dump();
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
  // Without a deadline of its own the executor cannot know whether its step still waits; by these clocks it does.
  return under_.now < x.deadline && under_.now + x.from->skew < x.local_deadline &&
         x.clock_jumps == x.from->clock_jumps;
}

void services::tell(const call_ptr& x, const call_result& result) {
  const auto* failed = std::get_if<call_failure>(&result);
  if (x->answered && failed != nullptr && failed->kind == call_failure::kind_type::timeout)
    return; // The executor's own deadline, which the answer came before.
  call_told told{under_.now, x->number, {}, {}, is_awaited(*x)};
  if (failed == nullptr)
    told.output = std::get<std::string>(result);
  else
    told.failure = to_string(failed->kind);
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
