// How a run's actor has its calls made, each with its part of the node's memory for calls.
#include <algorithm>
#include <caf/send.hpp>

#include "actors/calls/call_budget.hpp"
#include "actors/calls/shared_bodies.hpp"
#include "actors/overloaded.hpp"
#include "actors/run.hpp"
#include "actors/step.hpp"

namespace levain {

namespace {

/// Who shares a part of the node's memory for calls: a service's address, a kind of worker, a function.
std::string place_of(const call_spec& call) {
  return std::visit(
    overloaded{
      [](const http_call& http) {
        const auto scheme = http.url.find("://");
        return scheme == std::string::npos ? http.url : http.url.substr(0, http.url.find_first_of("/?#", scheme + 3));
      },
      [](const worker_call& worker) { return "worker " + worker.kind; },
      [](const function_call& function) { return "function " + function.name; },
      [](const simulate_call&) { return std::string(); },
    },
    call);
}

/// Of its URL, its headers and its part of the body. A simulated call has none of them.
uint64_t own_bytes(const call_request& request) {
  uint64_t bytes = request.body.size();
  if (const auto* http = std::get_if<http_call>(&request.call)) {
    bytes += http->url.size();
    for (const auto& [name, value] : http->headers)
      bytes += name.size() + value.size();
  }
  return bytes;
}

void drop_texts(call_request& request) {
  request.body = {};
  request.body_rest = nullptr;
  if (auto* http = std::get_if<http_call>(&request.call))
    *http = http_call{.method = http->method, .url = {}, .headers = {}};
}

uint64_t text_bytes(const event& fact) {
  uint64_t bytes = fact.output.size();
  if (fact.plan)
    bytes += bytes_of(*fact.plan);
  return bytes;
}

} // namespace

std::variant<call_request, call_failure> run_actor_state::make_request(const begin_call& call, bool made_before) const {
  auto prepared = prepare_call(run_, call.step, call.undo, environment_->variables);
  if (auto* request = std::get_if<call_request>(&prepared)) {
    request->epoch = epoch_;
    request->made_before = made_before;
    request->to_holder_only = made_before && !call.undo && run_.phase == run_phase::stopping;
  }
  return prepared;
}

std::variant<call_bytes_ptr, call_budget::ticket>
run_actor_state::find_room(const begin_call& call, call_request& request, call_bytes_ptr held) {
  // Other calls of the run may hold the same text already: then it takes no more room.
  const auto text = std::holds_alternative<http_call>(request.call) ? share_body(request) : nullptr;
  if (!environment_->call_memory || std::holds_alternative<simulate_call>(request.call))
    return call_bytes_ptr();
  const auto bytes = own_bytes(request) + (text ? text->text.size() : 0);
  if (!held || !held->fit(bytes)) {
    held = nullptr;
    auto found = environment_->call_memory->enter(
      place_of(request.call), bytes, [to = caf::actor_cast<caf::actor>(run_actor(self_)), call](call_bytes_ptr room) {
        caf::anon_send(to, memory_granted{call, std::move(room)});
      });
    if (std::holds_alternative<call_budget::ticket>(found)) {
      drop_texts(request);
      return found;
    }
    held = std::get<call_bytes_ptr>(std::move(found));
  }
  if (text)
    text->memory = held->split(text->text.size());
  request.memory = held;
  return held;
}

void run_actor_state::begin_attempt(const begin_call& call, bool made_before) {
  if (hand_over_by_)
    return; // The journal says that it is to be made: the next owner makes it.
  if (run_.phase == run_phase::ended) {
    never_begun_.push_back(call); // It was terminated meanwhile, which may be refused yet.
    return;
  }
  if (std::any_of(attempts_.begin(), attempts_.end(), [&](const attempt_out& x) { return x.call == call; }))
    return;
  if (auto what = find_wanting(call)) {
    hold_for_want(call, std::move(*what), made_before);
    return;
  }
  auto prepared = make_request(call, made_before);
  if (auto* failure = std::get_if<call_failure>(&prepared)) {
    self_->send(run_actor(self_), attempt_ended{call.step, call.attempt, call.undo, std::move(*failure)});
    return;
  }
  auto& request = std::get<call_request>(prepared);
  auto room = find_room(call, request, nullptr);
  const auto* ticket = std::get_if<call_budget::ticket>(&room);
  const auto in_line = ticket != nullptr ? std::optional(*ticket) : std::nullopt;
  // An HTTP call says so when it has to wait for its turn.
  const bool waits =
    in_line || std::holds_alternative<worker_call>(request.call) || std::holds_alternative<function_call>(request.call);
  auto made = self_->spawn(step, run_actor(self_), call.step, std::move(request), environment_, in_line);
  const auto began = steady();
  attempts_.push_back(
    {call,
     std::move(made),
     began,
     made_before,
     waits,
     began,
     {},
     {},
     {},
     taking_up_,
     in_line ? nullptr : std::get<call_bytes_ptr>(std::move(room)),
     in_line.has_value()});
}

void run_actor_state::take_memory(memory_granted& x) {
  const auto out = std::ranges::find(attempts_, x.call, &attempt_out::call);
  // Where the run leaves, its next owner makes the call.
  if (out == attempts_.end() || !out->awaits_room || leaving_ || hand_over_by_)
    return;
  if (run_.phase == run_phase::ended) {
    parked_memory_.push_back(std::move(x)); // The termination may be refused yet.
    return;
  }
  if (!is_out(x.call)) {
    self_->send(out->actor, abandon_attempt{}); // What it was begun with was refused.
    return;
  }
  auto prepared = make_request(x.call, out->made_before);
  if (auto* failure = std::get_if<call_failure>(&prepared)) {
    self_->send(out->actor, call_ready{std::move(*failure)});
    return;
  }
  auto& request = std::get<call_request>(prepared);
  auto room = find_room(x.call, request, std::move(x.bytes));
  if (const auto* ticket = std::get_if<call_budget::ticket>(&room)) {
    self_->send(out->actor, call_ready{*ticket});
    return;
  }
  out->awaits_room = false;
  out->memory = std::get<call_bytes_ptr>(std::move(room));
  self_->send(out->actor, call_ready{std::move(request)});
}

void run_actor_state::count_memory() {
  const auto bytes = bytes_held();
  bytes_most_ = std::max(bytes_most_, bytes);
  memory_.set(std::max(bytes, bytes_expected_));
}

uint64_t run_actor_state::bytes_held() const {
  uint64_t bytes = bytes_of(run_.plan);
  if (start_outcome_)
    bytes *= 2; // The writer has them as well.
  for (const auto& step : run_.steps) {
    bytes += step.output.size();
    for (const auto& value : step.recorded)
      if (const auto* text = std::get_if<std::string>(&value))
        bytes += text->size();
  }
  for (const auto& seen : run_.seen_before)
    bytes += seen.output.size();
  for (const auto& each : held_back_)
    bytes += each.body.size();
  for (const auto& each : unused_answers_)
    if (const auto* output = std::get_if<std::string>(&each.answer.result))
      bytes += output->size();
  for (const auto& each : unsettled_) {
    // The events, and what the writer has of them.
    for (const auto& fact : each.events)
      bytes += 2 * text_bytes(fact);
    if (const auto* answered = std::get_if<call_answered>(&each.input))
      if (const auto* output = std::get_if<std::string>(&answered->result))
        bytes += output->size();
  }
  return bytes;
}

} // namespace levain
