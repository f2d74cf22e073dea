#pragma once

#include <curl/curl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "actors/calls/http_executor.hpp"
#include "actors/calls/http_transfer.hpp"
#include "actors/workflow/parse_definition.hpp"

namespace levain {

/// The longest sleep of the I/O thread when nothing is due; it is woken for whatever happens.
constexpr std::chrono::milliseconds sleep_max{60'000};

/// Calls that found no descriptor have another turn after this, or when another call ends.
constexpr std::chrono::milliseconds descriptor_pause{50};

struct curl_multi_end {
  void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
};

/// Throws `std::runtime_error` that names the limit.
void check_limits(const http_executor_options& options);

/// The calls to one host and port.
struct host_calls {
  host_place place;
  /// The place's name is being looked up; the calls wait for that, not for their turn.
  bool awaits_name = false;
  size_t on_the_wire = 0;
  /// In the order they began; those that have their outcome already are passed over.
  std::deque<uint64_t> waiting;
  /// Whether the host stands in the rotation.
  bool in_rotation = false;
};

/// The I/O thread of an executor: the lines of calls, the names that are looked up, and libcurl's transfers. Included
/// by `http_executor.cpp` and `http_name_waits.cpp` alone.
struct http_executor::impl {
  using clock = http_transfer::clock;
  using kind = call_failure::kind_type;
  using transfer_ptr = std::unique_ptr<http_transfer>;
  using host_entry = std::pair<const std::string, host_calls>;
  struct withdrawal {
    call_ticket ticket;
  };
  /// Its answer waited for room in memory, and there may be some.
  struct resumption {
    uint64_t number = 0;
  };
  using order = std::variant<transfer_ptr, call_ticket, withdrawal, name_answer, resumption>;

  impl(http_executor_options given, name_lookup lookup)
    : options(std::move(given))
    , names(options.names, std::move(lookup), [this](name_answer answer) { post(std::move(answer)); })
    , wire_max(options.calls_in_flight_max) {
    check_limits(options);
    static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (started == CURLE_OK)
      multi.reset(curl_multi_init());
    if (!multi)
      throw std::runtime_error("libcurl cannot start");
    limit_connections();
  }

  // -- any thread -----------------------------------------------------------------------------------------------------

  /// The I/O thread needs one wake for all orders it has not taken yet.
  void post(order what) {
    const std::lock_guard lock(mutex);
    const bool was_empty = orders.empty();
    orders.push_back(std::move(what));
    if (was_empty && multi)
      curl_multi_wakeup(multi.get());
  }

  void stop() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
      if (multi)
        curl_multi_wakeup(multi.get());
    }
    thread.join();
  }

  // -- the I/O thread -------------------------------------------------------------------------------------------------

  void run() {
    // Signals are for the program's own threads.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    while (take_orders()) {
      start_waiting();
      tell_waiting();
      int running = 0;
      curl_multi_perform(multi.get(), &running);
      finish_completed();
      expire();
      close_kept();
      // What has just ended may have made room for what waits.
      if (!may_start())
        curl_multi_poll(multi.get(), nullptr, 0, sleep_time(), nullptr);
    }
    // An outcome may begin another call, which then ends the same way.
    for (bool is_done = false; !is_done; take_orders(), is_done = calls.empty())
      while (!calls.empty())
        finish(*calls.begin()->second, shutting_down(*calls.begin()->second));
    idle_easies.clear();
  }

  /// False when it is time to end.
  bool take_orders() {
    std::vector<order> taken;
    bool is_last = false;
    {
      const std::lock_guard lock(mutex);
      taken.swap(orders);
      is_last = stopping;
    }
    for (auto& each : taken) {
      if (auto* transfer = std::get_if<transfer_ptr>(&each))
        admit(std::move(*transfer));
      else if (const auto* back = std::get_if<withdrawal>(&each))
        withdraw(back->ticket.number);
      else if (const auto* answer = std::get_if<name_answer>(&each))
        take_name(*answer);
      else if (const auto* again = std::get_if<resumption>(&each))
        resume(again->number);
      else if (auto at = calls.find(std::get<call_ticket>(each).number); at != calls.end())
        finish(*at->second, at->second->failure(kind::abandoned, "was given up"));
    }
    return !is_last;
  }

  void withdraw(uint64_t number) {
    const auto at = calls.find(number);
    if (at != calls.end() && !at->second->on_the_wire())
      finish(*at->second, at->second->failure(kind::withdrawn, "was taken back before it had its turn"));
  }

  /// What was admitted and has not got its turn.
  void tell_waiting() {
    for (const auto number : std::exchange(admitted, {}))
      if (const auto at = calls.find(number); at != calls.end() && !at->second->on_the_wire())
        at->second->wait_for_turn();
  }

  void admit(transfer_ptr given) {
    auto& transfer = *given;
    const auto number = transfer.ticket().number;
    calls.emplace(number, std::move(given));
    admitted.push_back(number);
    if (transfer.deadline() != clock::time_point::max())
      deadlines.emplace(transfer.deadline(), number);
    if (auto refused = transfer.refusal())
      return finish(transfer, std::move(*refused));
    if (calls.size() - on_the_wire > options.calls_waiting_max)
      return finish(
        transfer,
        transfer.failure(
          kind::retryable,
          fmt::format("was not made: calls_waiting_max, which is {}, calls wait already", options.calls_waiting_max)));
    const auto [at, is_new] = hosts.try_emplace(transfer.origin());
    auto& entry = *at;
    if (is_new)
      entry.second.place = place_of(transfer.url(), options.proxy);
    entry.second.waiting.push_back(number);
    if (entry.second.awaits_name)
      next_name_due = std::min(next_name_due, transfer.begun_at() + name_time_max(transfer));
    rotate_in(entry);
  }

  void rotate_in(host_entry& entry) {
    auto& host = entry.second;
    if (host.in_rotation || host.awaits_name || host.waiting.empty() || host.on_the_wire >= options.calls_per_host_max)
      return;
    host.in_rotation = true;
    rotation.push_back(&entry);
  }

  bool may_start() const { return on_the_wire < wire_max && !rotation.empty() && clock::now() >= descriptors_at; }

  void start_waiting() {
    while (may_start()) {
      auto& entry = *rotation.front();
      auto& host = entry.second;
      rotation.pop_front();
      const auto* addresses = host.place.is_name ? names.find(host.place.host, clock::now()) : nullptr;
      if (host.place.is_name && !addresses) {
        host.in_rotation = false;
        await_name(entry);
        continue;
      }
      const auto at = calls.find(host.waiting.front());
      host.waiting.pop_front();
      if (at != calls.end())
        start(*at->second, host, addresses);
      // Only now, so that a call that ends in its start does not take the host away.
      host.in_rotation = false;
      settle(entry);
    }
  }

  /// The host takes its place in the rotation, or leaves when nothing more is to be done there.
  void settle(host_entry& entry) {
    rotate_in(entry);
    const auto& host = entry.second;
    if (!host.in_rotation && host.on_the_wire == 0 && host.waiting.empty() && !host.awaits_name)
      hosts.erase(std::string(entry.first));
  }

  void start(http_transfer& transfer, host_calls& host, const std::vector<std::string>* addresses) {
    curl_easy_ptr easy;
    if (idle_easies.empty()) {
      easy.reset(curl_easy_init());
    } else {
      easy = std::move(idle_easies.back());
      idle_easies.pop_back();
    }
    if (!easy)
      return finish(transfer, transfer.failure(kind::retryable, "was not made: libcurl is out of memory"));
    transfer.prepare(std::move(easy), options, host.place, addresses);
    transfer.on_room(
      [this](http_transfer& full) { move_deadline(full, [&] { full.stop_time(); }); },
      [this, number = transfer.ticket().number] { post(resumption{number}); });
    move_deadline(transfer, [&] { transfer.begin_time(); });
    ++host.on_the_wire;
    ++on_the_wire;
    keeps_connections = true;
    if (const auto code = curl_multi_add_handle(multi.get(), transfer.easy()); code != CURLM_OK)
      finish(transfer, transfer.failure(kind::retryable, std::string("was not made: ") + curl_multi_strerror(code)));
  }

  /// Answers that found no room in memory go on.
  void resume(uint64_t number) {
    const auto at = calls.find(number);
    if (at == calls.end() || !at->second->waits_for_room())
      return;
    auto& transfer = *at->second;
    move_deadline(transfer, [&] { transfer.go_on(); });
    transfer.take_on();
  }

  // -- names ----------------------------------------------------------------------------------------------------------

  // In `http_name_waits.cpp`.
  void await_name(host_entry& entry);
  /// The hosts of a name go on, or their calls fail.
  void take_name(const name_answer& answer);
  template <class Why>
  void fail_waiting(host_calls& host, const Why& why);
  /// The name's part of a call's time.
  clock::duration name_time_max(const http_transfer& transfer) const;
  call_failure name_failure(const http_transfer& transfer, const std::string& host) const;
  /// Calls whose host's name was not resolved in time.
  void expire_names(clock::time_point now);

  // -- descriptors ----------------------------------------------------------------------------------------------------

  /// libcurl closes kept connections rather than open more than these.
  void limit_connections() {
    curl_multi_setopt(multi.get(), CURLMOPT_MAXCONNECTS, static_cast<long>(options.idle_connections_max));
    curl_multi_setopt(multi.get(), CURLMOPT_MAX_TOTAL_CONNECTIONS, static_cast<long>(wire_max));
  }

  /// The process has no descriptor for the call: it goes back to the head of its line, and fewer are made at a time
  /// until some have ended.
  void wait_for_descriptor(http_transfer& transfer) {
    if (wire_max == options.calls_in_flight_max)
      spdlog::warn(
        "calls_short_of_descriptors on_the_wire={} hint=\"raise the system's limit (ulimit -Hn), or lower "
        "--calls-in-flight-max\"",
        on_the_wire);
    auto& entry = *hosts.find(transfer.origin());
    entry.second.waiting.push_front(transfer.ticket().number);
    leave_the_wire(transfer);
    move_deadline(transfer, [&] { transfer.wait_again(); });
    wire_max = std::max<size_t>(1, on_the_wire);
    descriptors_at = clock::now() + descriptor_pause;
    limit_connections();
  }

  /// A call has ended, and with it the want of descriptors may have.
  void widen() {
    descriptors_at = {};
    if (wire_max == options.calls_in_flight_max)
      return;
    ++wire_max;
    limit_connections();
  }

  /// Connections that nobody uses do not keep the rest of the process from its descriptors: they are closed when there
  /// has been no call for a while, and at once where descriptors were short. (libcurl itself closes old ones only when
  /// it makes another call.)
  void close_kept() {
    if (!keeps_connections || !calls.empty())
      return;
    if (wire_max == options.calls_in_flight_max && clock::now() < idle_since + options.idle_connection_age)
      return;
    std::unique_ptr<CURLM, curl_multi_end> other;
    {
      const std::lock_guard lock(mutex);
      other.swap(multi);
    }
    // A new one takes two descriptors, which may be wanted elsewhere: what the old one held is free first.
    other.reset();
    while (!other || curl_multi_wakeup(other.get()) != CURLM_OK) {
      other.reset(curl_multi_init());
      if (!other || curl_multi_wakeup(other.get()) != CURLM_OK)
        std::this_thread::sleep_for(descriptor_pause);
    }
    {
      const std::lock_guard lock(mutex);
      multi.swap(other);
    }
    keeps_connections = false;
    limit_connections();
  }

  // -- ends -----------------------------------------------------------------------------------------------------------

  void finish_completed() {
    int left = 0;
    while (const auto* message = curl_multi_info_read(multi.get(), &left)) {
      if (message->msg != CURLMSG_DONE)
        continue;
      void* owner = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
      auto& transfer = *static_cast<http_transfer*>(owner);
      if (transfer.is_without_descriptor() && message->data.result != CURLE_OK) {
        wait_for_descriptor(transfer);
        continue;
      }
      auto outcome = transfer.outcome(message->data.result, options);
      widen();
      finish(transfer, std::move(outcome));
    }
  }

  void expire() {
    const auto now = clock::now();
    while (!deadlines.empty() && deadlines.begin()->first <= now) {
      auto& transfer = *calls.at(deadlines.begin()->second);
      auto late = transfer.failure(kind::timeout, why_late(transfer));
      late.unknown = transfer.may_have_been_done();
      finish(transfer, std::move(late));
    }
    if (now >= next_name_due)
      expire_names(now);
  }

  /// `change` moves the deadline of the transfer.
  template <class Change>
  void move_deadline(http_transfer& transfer, const Change& change) {
    const auto number = transfer.ticket().number;
    deadlines.erase({transfer.deadline(), number});
    change();
    if (transfer.deadline() != clock::time_point::max())
      deadlines.emplace(transfer.deadline(), number);
  }

  std::string why_late(const http_transfer& transfer) const {
    if (transfer.on_the_wire())
      return fmt::format("did not answer within {}", format_duration(transfer.timeout()));
    return fmt::format(
      "did not get its turn within {} (queue_timeout)",
      format_duration(transfer.queue_timeout().value_or(duration(0))));
  }

  /// The one place where a call ends.
  void finish(http_transfer& transfer, http_executor::outcome outcome) {
    leave_the_wire(transfer);
    const auto number = transfer.ticket().number;
    deadlines.erase({transfer.deadline(), number});
    const auto done = transfer.take_done();
    calls.erase(number);
    unanswered.fetch_sub(1);
    try {
      done(std::move(outcome));
    } catch (const std::exception& error) {
      spdlog::error("http-outcome-lost what a call's outcome was given to threw: {}", error.what());
    }
  }

  void leave_the_wire(http_transfer& transfer) {
    if (!transfer.on_the_wire())
      return;
    curl_multi_remove_handle(multi.get(), transfer.easy());
    auto easy = transfer.release_easy();
    if (idle_easies.size() < options.idle_connections_max)
      idle_easies.push_back(std::move(easy));
    --on_the_wire;
    idle_since = clock::now();
    auto& entry = *hosts.find(transfer.origin());
    --entry.second.on_the_wire;
    settle(entry);
  }

  call_failure shutting_down(const http_transfer& transfer) const {
    auto given_up = transfer.failure(kind::retryable, "was given up: shutting down");
    given_up.unknown = transfer.may_have_been_done();
    return given_up;
  }

  int sleep_time() const {
    auto next = clock::time_point::max();
    if (!deadlines.empty())
      next = deadlines.begin()->first;
    if (!name_waits.empty())
      next = std::min(next, next_name_due);
    if (!rotation.empty() && on_the_wire < wire_max)
      next = std::min(next, descriptors_at);
    if (keeps_connections && calls.empty())
      next = std::min(next, idle_since + options.idle_connection_age);
    if (next == clock::time_point::max())
      return static_cast<int>(sleep_max.count());
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - clock::now());
    return static_cast<int>(std::clamp(left, std::chrono::milliseconds(0), sleep_max).count());
  }

  const http_executor_options options;
  std::unique_ptr<CURLM, curl_multi_end> multi;
  std::atomic<uint64_t> last_ticket = 0;
  std::atomic<size_t> unanswered = 0;

  /// Of `orders`, `stopping`, and `multi` where it is woken or replaced.
  std::mutex mutex;
  std::vector<order> orders;
  bool stopping = false;

  // From here on the I/O thread's own.
  /// Calls were made since the kept connections were closed.
  bool keeps_connections = false;
  /// The last call left the wire.
  clock::time_point idle_since{};
  std::unordered_map<uint64_t, transfer_ptr> calls;
  std::set<std::pair<clock::time_point, uint64_t>> deadlines;
  /// Since the last look.
  std::vector<uint64_t> admitted;
  /// Nodes of this map stay where they are, so the rotation may point to them.
  std::unordered_map<std::string, host_calls> hosts;
  /// Hosts with a call that may start, in turn.
  std::deque<host_entry*> rotation;
  size_t on_the_wire = 0;
  /// Hosts whose name is being looked up, and since when.
  std::unordered_map<host_entry*, clock::time_point> name_waits;
  clock::time_point next_name_due = clock::time_point::max();
  name_resolver names;
  /// `calls_in_flight_max`, or less while the process is short of descriptors; no call is started before the moment.
  size_t wire_max;
  clock::time_point descriptors_at{};
  std::vector<curl_easy_ptr> idle_easies;

  std::thread thread;
};

} // namespace levain
