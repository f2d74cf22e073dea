#include "tests/support/stand_in_gate.hpp"

#include <stdexcept>

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

namespace levain::test {

struct stand_in_gate::shared {
  mutable std::mutex mutex;
  std::condition_variable changed;
  heard_of_worker heard;
  std::string refusal;
  std::vector<std::string> gates;
  caf::actor worker;

  template <class Change>
  void note(Change change) {
    {
      std::lock_guard lock(mutex);
      change(heard);
    }
    changed.notify_all();
  }
};

namespace {

template <class Shared>
caf::message welcome(caf::event_based_actor* self, Shared& shared, const worker_hello& hello) {
  const auto from = caf::actor_cast<caf::actor>(self->current_sender());
  {
    std::lock_guard lock(shared.mutex);
    shared.worker = from;
  }
  shared.note([&hello](auto& heard) { heard.hellos.push_back(hello); });
  if (!shared.refusal.empty())
    return caf::make_message(wire_refused{shared.refusal});
  self->monitor(from);
  worker_welcome answer;
  answer.node_name = "stand-in";
  answer.protocol = hello.protocol_max;
  answer.gates = shared.gates;
  return caf::make_message(answer);
}

template <class Shared>
caf::behavior gate(caf::event_based_actor* self, std::shared_ptr<Shared> shared) {
  self->set_down_handler([shared](const caf::down_msg&) { shared->note([](auto& heard) { ++heard.lost; }); });
  return {
    [self, shared](const worker_hello& x) { return welcome(self, *shared, x); },
    [shared](const call_begun& x) { shared->note([&x](auto& heard) { heard.begun.push_back(x); }); },
    [shared](const call_declined& x) { shared->note([&x](auto& heard) { heard.declined.push_back(x); }); },
    [shared](const room_made& x) { shared->note([&x](auto& heard) { heard.rooms.push_back(x); }); },
    [shared](const call_heartbeat& x) { shared->note([&x](auto& heard) { heard.heartbeats.push_back(x); }); },
    [shared](const call_ended& x) { shared->note([&x](auto& heard) { heard.ended.push_back(x); }); },
    [shared](const calls_held& x) { shared->note([&x](auto& heard) { heard.held.push_back(x); }); },
    [shared](const worker_leaving&) { shared->note([](auto& heard) { ++heard.leaving; }); },
  };
}

} // namespace

stand_in_gate::stand_in_gate(uint16_t port, std::vector<std::string> gates, const wire_security& security)
  : shared_(std::make_shared<shared>())
  , config_(std::make_unique<wire_config>(security, wire_pace{}))
  , system_(std::make_unique<caf::actor_system>(*config_)) {
  shared_->gates = std::move(gates);
  gate_ = system_->spawn(gate<shared>, shared_);
  port_ = open_gate(gate_, {"127.0.0.1", port});
}

stand_in_gate::~stand_in_gate() {
  {
    std::lock_guard lock(shared_->mutex);
    shared_->worker = nullptr;
  }
  caf::anon_send_exit(gate_, caf::exit_reason::user_shutdown);
  gate_ = nullptr;
}

void stand_in_gate::refuse(std::string reason) {
  std::lock_guard lock(shared_->mutex);
  shared_->refusal = std::move(reason);
}

void stand_in_gate::say_message(caf::message message) {
  std::lock_guard lock(shared_->mutex);
  caf::send_as(gate_, shared_->worker, std::move(message));
}

bool stand_in_gate::heard(
  const std::function<bool(const heard_of_worker&)>& holds, std::chrono::milliseconds limit) const {
  std::unique_lock lock(shared_->mutex);
  return shared_->changed.wait_for(lock, limit, [&] { return holds(shared_->heard); });
}

call_ended stand_in_gate::end_of(uint64_t number, std::chrono::milliseconds limit) const {
  std::optional<call_ended> found;
  const auto look = [&](const heard_of_worker& heard) {
    for (const auto& each : heard.ended)
      if (each.number == number)
        found = each;
    return found.has_value();
  };
  if (!heard(look, limit))
    throw std::runtime_error("call " + std::to_string(number) + " has not ended");
  return *found;
}

heard_of_worker stand_in_gate::all() const {
  std::lock_guard lock(shared_->mutex);
  return shared_->heard;
}

call_given some_call(uint64_t number, const std::string& kind, const std::string& input) {
  call_given call;
  call.number = number;
  call.epoch = 1;
  call.run_number = "ORCH-20261123-00000001";
  call.step = kind;
  call.kind = kind;
  call.attempt = 1;
  call.key = kind + "/" + std::to_string(number);
  call.time_left = 20'000;
  call.body = R"({"run":{"id":"none"},"input":)" + input + R"(,"results":{}})";
  return call;
}

} // namespace levain::test
