#include "actors/calls/http_executor.hpp"

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

#include "actors/calls/http_transfer.hpp"

namespace levain {

namespace {

/// The longest sleep of the I/O thread when nothing is due; it is woken for whatever happens.
constexpr std::chrono::milliseconds sleep_max{60'000};

struct curl_multi_end {
  void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
};

void check_limits(const http_executor_options& options) {
  const auto at_least_one = [](std::string_view name, auto value) {
    if (value < 1)
      throw std::runtime_error(fmt::format("{} is {}; it must be at least 1", name, value));
  };
  at_least_one("calls_in_flight_max", options.calls_in_flight_max);
  at_least_one("calls_per_host_max", options.calls_per_host_max);
  at_least_one("calls_waiting_max", options.calls_waiting_max);
  at_least_one("idle_connections_max", options.idle_connections_max);
  at_least_one("response_bytes_max", options.response_bytes_max);
  at_least_one("connect_timeout_max", options.connect_timeout_max.count());
}

/// The calls to one host and port.
struct host_calls {
  size_t on_the_wire = 0;
  /// In the order they began; those that have their outcome already are passed over.
  std::deque<uint64_t> waiting;
  /// Whether the host stands in the rotation.
  bool in_rotation = false;
};

} // namespace

struct http_executor::impl {
  using clock = http_transfer::clock;
  using kind = call_failure::kind_type;
  using transfer_ptr = std::unique_ptr<http_transfer>;
  using host_entry = std::pair<const std::string, host_calls>;
  struct withdrawal {
    call_ticket ticket;
  };
  using order = std::variant<transfer_ptr, call_ticket, withdrawal>;

  explicit impl(http_executor_options given)
    : options(std::move(given)) {
    check_limits(options);
    static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (started == CURLE_OK)
      multi.reset(curl_multi_init());
    if (!multi)
      throw std::runtime_error("libcurl cannot start");
    curl_multi_setopt(multi.get(), CURLMOPT_MAXCONNECTS, static_cast<long>(options.idle_connections_max));
  }

  // -- any thread -----------------------------------------------------------------------------------------------------

  /// The I/O thread needs one wake for all orders it has not taken yet.
  void post(order what) {
    bool was_empty = false;
    {
      const std::lock_guard lock(mutex);
      was_empty = orders.empty();
      orders.push_back(std::move(what));
    }
    if (was_empty)
      curl_multi_wakeup(multi.get());
  }

  void stop() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    curl_multi_wakeup(multi.get());
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
      // What has just ended may have made room for what waits.
      if (rotation.empty() || on_the_wire >= options.calls_in_flight_max)
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
    auto& entry = *hosts.try_emplace(transfer.origin()).first;
    entry.second.waiting.push_back(number);
    rotate_in(entry);
  }

  void rotate_in(host_entry& entry) {
    auto& host = entry.second;
    if (host.in_rotation || host.waiting.empty() || host.on_the_wire >= options.calls_per_host_max)
      return;
    host.in_rotation = true;
    rotation.push_back(&entry);
  }

  void start_waiting() {
    while (on_the_wire < options.calls_in_flight_max && !rotation.empty()) {
      auto& entry = *rotation.front();
      auto& host = entry.second;
      rotation.pop_front();
      const auto at = calls.find(host.waiting.front());
      host.waiting.pop_front();
      if (at != calls.end())
        start(*at->second, host);
      // Only now, so that a call that ends in its start does not take the host away.
      host.in_rotation = false;
      settle(entry);
    }
  }

  /// The host takes its place in the rotation, or leaves when nothing more is to be done there.
  void settle(host_entry& entry) {
    rotate_in(entry);
    const auto& host = entry.second;
    if (!host.in_rotation && host.on_the_wire == 0 && host.waiting.empty())
      hosts.erase(std::string(entry.first));
  }

  void start(http_transfer& transfer, host_calls& host) {
    curl_easy_ptr easy;
    if (idle_easies.empty()) {
      easy.reset(curl_easy_init());
    } else {
      easy = std::move(idle_easies.back());
      idle_easies.pop_back();
    }
    if (!easy)
      return finish(transfer, transfer.failure(kind::retryable, "was not made: libcurl is out of memory"));
    transfer.prepare(std::move(easy), options);
    deadlines.erase({transfer.deadline(), transfer.ticket().number});
    transfer.begin_time();
    deadlines.emplace(transfer.deadline(), transfer.ticket().number);
    ++host.on_the_wire;
    ++on_the_wire;
    if (const auto code = curl_multi_add_handle(multi.get(), transfer.easy()); code != CURLM_OK)
      finish(transfer, transfer.failure(kind::retryable, std::string("was not made: ") + curl_multi_strerror(code)));
  }

  void finish_completed() {
    int left = 0;
    while (const auto* message = curl_multi_info_read(multi.get(), &left)) {
      if (message->msg != CURLMSG_DONE)
        continue;
      void* owner = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
      auto& transfer = *static_cast<http_transfer*>(owner);
      finish(transfer, transfer.outcome(message->data.result, options));
    }
  }

  void expire() {
    const auto now = clock::now();
    while (!deadlines.empty() && deadlines.begin()->first <= now) {
      auto& transfer = *calls.at(deadlines.begin()->second);
      const auto limit = transfer.on_the_wire() ? transfer.timeout() : transfer.queue_timeout().value_or(duration(0));
      auto late = transfer.failure(
        kind::timeout, fmt::format(
                         "{} within {} ms{}", transfer.on_the_wire() ? "did not answer" : "did not get its turn",
                         std::chrono::duration_cast<std::chrono::milliseconds>(limit).count(),
                         transfer.on_the_wire() ? "" : " (queue_timeout)"));
      late.unknown = transfer.may_have_been_done();
      finish(transfer, std::move(late));
    }
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
    if (deadlines.empty())
      return static_cast<int>(sleep_max.count());
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadlines.begin()->first - clock::now());
    return static_cast<int>(std::clamp(left, std::chrono::milliseconds(0), sleep_max).count());
  }

  const http_executor_options options;
  std::unique_ptr<CURLM, curl_multi_end> multi;
  std::atomic<uint64_t> last_ticket = 0;
  std::atomic<size_t> unanswered = 0;

  std::mutex mutex;
  std::vector<order> orders;
  bool stopping = false;

  // From here on the I/O thread's own.
  std::unordered_map<uint64_t, transfer_ptr> calls;
  std::set<std::pair<clock::time_point, uint64_t>> deadlines;
  /// Since the last look.
  std::vector<uint64_t> admitted;
  /// Nodes of this map stay where they are, so the rotation may point to them.
  std::unordered_map<std::string, host_calls> hosts;
  /// Hosts with a call that may start, in turn.
  std::deque<host_entry*> rotation;
  size_t on_the_wire = 0;
  std::vector<curl_easy_ptr> idle_easies;

  std::thread thread;
};

http_executor::http_executor(http_executor_options options)
  : impl_(std::make_unique<impl>(std::move(options))) {
  impl_->thread = std::thread([self = impl_.get()] { self->run(); });
}

http_executor::~http_executor() {
  impl_->stop();
}

call_ticket http_executor::begin(call_request request, done done, call_told told) {
  const call_ticket ticket{++impl_->last_ticket};
  impl_->unanswered.fetch_add(1);
  impl_->post(std::make_unique<http_transfer>(ticket, std::move(request), std::move(done), std::move(told)));
  return ticket;
}

void http_executor::abandon(call_ticket ticket) {
  impl_->post(ticket);
}

void http_executor::withdraw(call_ticket ticket) {
  impl_->post(impl::withdrawal{ticket});
}

size_t http_executor::in_flight() const {
  return impl_->unanswered;
}

} // namespace levain
