// What an executor of HTTP calls does while the names of hosts are looked up.
#include "actors/calls/http_io_loop.hpp"

namespace levain {

void http_executor::impl::await_name(host_entry& entry) {
  entry.second.awaits_name = true;
  name_waits.emplace(&entry, clock::now());
  next_name_due = clock::time_point::min();
}

template <class Why>
void http_executor::impl::fail_waiting(host_calls& host, const Why& why) {
  // What `done` begins meanwhile comes as an order, so the line does not grow.
  while (!host.waiting.empty()) {
    const auto call = calls.find(host.waiting.front());
    host.waiting.pop_front();
    if (call != calls.end())
      finish(*call->second, call->second->failure(kind::retryable, why(*call->second)));
  }
}

void http_executor::impl::take_name(const name_answer& answer) {
  const auto now = clock::now();
  names.remember(answer, now);
  for (auto at = name_waits.begin(); at != name_waits.end();) {
    auto& [entry, since] = *at;
    auto& host = entry->second;
    if (host.place.host != answer.name) {
      ++at;
      continue;
    }
    for (const auto number : host.waiting)
      if (const auto call = calls.find(number); call != calls.end())
        call->second->waited_for_name(now - std::max(since, call->second->begun_at()));
    if (answer.addresses.empty())
      fail_waiting(host, [&](const http_transfer&) {
        return fmt::format("failed: the host name '{}' cannot be resolved: {}", answer.name, answer.fault);
      });
    host.awaits_name = false;
    auto* settled = entry;
    at = name_waits.erase(at);
    settle(*settled);
  }
}

http_executor::impl::clock::duration http_executor::impl::name_time_max(const http_transfer& transfer) const {
  return std::min<clock::duration>(options.connect_timeout_max, transfer.timeout());
}

call_failure http_executor::impl::name_failure(const http_transfer& transfer, const std::string& host) const {
  if (transfer.timeout() <= options.connect_timeout_max)
    return transfer.failure(
      kind::timeout, fmt::format(
                       "did not answer within {}: the host name '{}' was not resolved in that time",
                       format_duration(transfer.timeout()), host));
  return transfer.failure(
    kind::retryable, fmt::format(
                       "failed: the host name '{}' was not resolved within {} (connect_timeout_max)", host,
                       format_duration(options.connect_timeout_max)));
}

void http_executor::impl::expire_names(clock::time_point now) {
  next_name_due = clock::time_point::max();
  for (auto at = name_waits.begin(); at != name_waits.end();) {
    auto& [entry, since] = *at;
    auto& host = entry->second;
    // What `done` begins meanwhile comes as an order, so the line does not grow.
    std::deque<uint64_t> still;
    for (const auto number : std::exchange(host.waiting, {})) {
      const auto call = calls.find(number);
      if (call == calls.end())
        continue;
      auto& transfer = *call->second;
      const auto due = std::max(since, transfer.begun_at()) + name_time_max(transfer);
      if (due <= now) {
        finish(transfer, name_failure(transfer, host.place.host));
        continue;
      }
      next_name_due = std::min(next_name_due, due);
      still.push_back(number);
    }
    host.waiting = std::move(still);
    if (!host.waiting.empty()) {
      ++at;
      continue;
    }
    host.awaits_name = false;
    auto* settled = entry;
    at = name_waits.erase(at);
    settle(*settled);
  }
}

} // namespace levain
