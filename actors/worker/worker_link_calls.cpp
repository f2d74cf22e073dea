// How calls come to a worker: whole, or in parts, and read aside from the actor's turn when they are large.
#include <system_error>
#include <utility>

#include "actors/cluster/wire_limits.hpp"
#include "actors/worker/call_checks.hpp"
#include "actors/worker/worker_link.hpp"

namespace levain {

bool worker_link_state::may_give(links::iterator from, uint64_t number) {
  if (from != gates.end())
    return true;
  if (is_being_introduced())
    // It overtook the welcome, or the welcome came too late; the room that is told after the next brings it back.
    self->send(caf::actor_cast<caf::actor>(self->current_sender()), call_declined{number});
  else
    cut_off_sender("it gave a call without having welcomed this worker");
  return false;
}

void worker_link_state::take_call(call_given call) {
  const auto from = sender();
  if (!may_give(from, call.number))
    return;
  if (call.body.size() <= call_whole_bytes_max)
    return give(from->first, check_call(std::move(call)));
  if (bench.reserve(from->first, call, now()))
    read_aside(from->first, std::move(call));
}

void worker_link_state::announce_call(const call_announced& announced) {
  const auto from = sender();
  const auto& given = announced.given;
  if (!may_give(from, given.number))
    return;
  if (const auto wrong = fault_in_head(given))
    return cut_off_sender(*wrong);
  if (const auto wrong = arrivals.announce(from->first, given, announced.body_bytes, now()))
    return cut_off_sender(*wrong);
  if (!bench.reserve(from->first, given, now()))
    arrivals.drop(from->first, given.number);
}

void worker_link_state::take_part(call_part part) {
  const auto from = sender();
  if (from == gates.end() && !is_being_introduced())
    return cut_off_sender("it sent a part of a call without having welcomed this worker");
  self->send(caf::actor_cast<caf::actor>(self->current_sender()), call_part_taken{part.number, part.text.size()});
  if (from == gates.end())
    return; // Its call was declined.
  auto taken = arrivals.take(from->first, std::move(part), now());
  if (const auto* wrong = std::get_if<std::string>(&taken))
    return cut_off_sender(*wrong);
  if (auto* whole = std::get_if<call_given>(&taken))
    read_aside(from->first, std::move(*whole));
}

void worker_link_state::read_aside(gate_number gate, call_given call) {
  arrivals.read(gate, call);
  const auto number = call.number;
  const auto whole = std::make_shared<call_given>(std::move(call));
  const auto read = [inbox = options.inbox, gate, number, whole] {
    inbox->post(call_read{gate, number, check_call(std::move(*whole))});
  };
  try {
    if (options.around.aside)
      return options.around.aside(read);
  } catch (const std::system_error&) {
    // There is no thread to be had: it is read here.
  }
  read();
}

void worker_link_state::take_one(call_read& news) {
  // It was dropped meanwhile, or its gate is gone.
  if (arrivals.end(news.gate, news.number))
    give(news.gate, std::move(news.call));
}

void worker_link_state::give(gate_number gate, std::variant<arrived_call, nonsense> call) {
  if (const auto* wrong = std::get_if<nonsense>(&call))
    return cut_off_gate(gate, wrong->reason);
  if (const auto wrong = bench.give(gate, std::move(std::get<arrived_call>(call)), now()))
    cut_off_gate(gate, *wrong);
}

} // namespace levain
