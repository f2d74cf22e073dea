#include "actors/cluster/call_feed.hpp"

#include <algorithm>

#include "actors/cluster/wire_limits.hpp"

namespace levain {

void call_feed::begin(uint64_t number, uint64_t bytes) {
  bodies_.push_back({number, bytes, 0});
}

void call_feed::drop(uint64_t number) {
  std::erase_if(bodies_, [number](const auto& each) { return each.number == number; });
}

bool call_feed::confirm(uint64_t bytes) {
  if (bytes > on_the_way_)
    return false;
  on_the_way_ -= bytes;
  return true;
}

std::optional<call_feed::part> call_feed::next() {
  if (bodies_.empty())
    return std::nullopt;
  auto first = bodies_.front();
  const auto bytes = std::min<uint64_t>(call_part_bytes_max, first.bytes - first.sent);
  if (on_the_way_ + bytes > call_parts_window_bytes)
    return std::nullopt;
  const part next{first.number, first.sent, bytes};
  bodies_.pop_front();
  first.sent += bytes;
  on_the_way_ += bytes;
  if (first.sent < first.bytes)
    bodies_.push_back(first);
  return next;
}

} // namespace levain
