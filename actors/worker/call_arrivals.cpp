#include "actors/worker/call_arrivals.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "actors/cluster/wire_limits.hpp"

namespace levain {

std::optional<std::string>
call_arrivals::announce(gate_number gate, call_given head, uint64_t body_bytes, worker_moment now) {
  if (body_bytes == 0 || body_bytes > wire_body_bytes_max)
    return fmt::format("the call's body has {} bytes, not 1 to {}", body_bytes, wire_body_bytes_max);
  const auto number = head.number;
  const auto [at, is_new] = arriving_.try_emplace({gate, number}, arriving{std::move(head), {}, body_bytes, now});
  if (!is_new)
    return fmt::format("the call {} is announced although it is on its way", number);
  at->second.body.reserve(body_bytes);
  return std::nullopt;
}

call_arrivals::outcome call_arrivals::take(gate_number gate, call_part part, worker_moment now) {
  if (part.text.empty() || part.text.size() > call_part_bytes_max)
    return fmt::format(
      "a part of call {} has {} bytes, not 1 to {}", part.number, part.text.size(), call_part_bytes_max);
  const auto found = arriving_.find({gate, part.number});
  if (found == arriving_.end())
    return {};
  auto& call = found->second;
  if (part.offset != call.body.size() || part.text.size() > call.body_bytes - call.body.size())
    return fmt::format(
      "a part of call {} has {} bytes at {}, and {} of {} are there", part.number, part.text.size(), part.offset,
      call.body.size(), call.body_bytes);
  call.body += part.text;
  if (call.body.size() < call.body_bytes)
    return {};
  auto whole = call.head;
  whole.body = std::move(call.body);
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(now - call.at).count();
  whole.time_left = std::max<int64_t>(whole.time_left - took, 1);
  arriving_.erase(found);
  return whole;
}

void call_arrivals::read(gate_number gate, const call_given& call) {
  auto head = call;
  head.body = {};
  arriving_[{gate, call.number}] = {.head = std::move(head)};
}

std::optional<call_given> call_arrivals::drop(gate_number gate, uint64_t number) {
  const auto found = arriving_.find({gate, number});
  if (found == arriving_.end())
    return std::nullopt;
  auto head = std::move(found->second.head);
  arriving_.erase(found);
  return head;
}

void call_arrivals::lose(gate_number gate) {
  std::erase_if(arriving_, [gate](const auto& each) { return each.first.first == gate; });
}

} // namespace levain
