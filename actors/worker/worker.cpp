#include <csignal>
#include <map>
#include <mutex>
#include <random>

#include <caf/actor_system.hpp>
#include <caf/logger.hpp>
#include <fmt/format.h>
#include <poll.h>

#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "actors/cluster/wire_connections.hpp"
#include "actors/cluster/wire_host.hpp"
#include "actors/cluster/wire_kind.hpp"
#include "actors/cluster/wire_limits.hpp"
#include "actors/cluster/wire_system.hpp"
#include "actors/worker/ending_signals.hpp"
#include "actors/worker/include/levain/worker.hpp"
#include "actors/worker/work_threads.hpp"
#include "actors/worker/worker_limits.hpp"
#include "actors/worker/worker_link.hpp"
#include "actors/worker/worker_log.hpp"
#include "persistence/file_descriptor.hpp"
#include "persistence/plain_line.hpp"

namespace levain {

namespace {

using std::chrono::milliseconds;

/// For the actor that speaks for a worker to end when it is told to.
constexpr milliseconds end_grace{5'000};
/// Between two looks whether that actor has died.
constexpr milliseconds look_interval{1'000};

uuid random_uuid() {
  std::random_device source;
  const auto word = [&source] { return static_cast<uint64_t>(source()) << 32 | source(); };
  const uuid_entropy entropy{word(), word()};
  return make_uuid_v7(now_utc(), entropy);
}

std::vector<wire_address> read_nodes(const std::vector<std::string>& nodes) {
  if (nodes.empty())
    throw std::invalid_argument("nodes: must name at least one HOST:PORT");
  std::vector<wire_address> read;
  for (const auto& each : nodes) {
    const auto address = parse_wire_address(each);
    if (!address)
      throw std::invalid_argument(
        fmt::format("nodes: must be HOST:PORT such as 127.0.0.1:7500 or [::1]:7500, not '{}'", each));
    read.push_back(*address);
  }
  return read;
}

void check_span(const char* name, milliseconds span, milliseconds min) {
  if (span < min)
    throw std::invalid_argument(fmt::format("{}: must be at least {} ms, not {} ms", name, min.count(), span.count()));
}

void check_options(const worker_options& options) {
  if (options.name.size() > wire_name_bytes_max)
    throw std::invalid_argument(
      fmt::format("name: must be at most {} bytes long, not {}", wire_name_bytes_max, options.name.size()));
  check_span("reconnect_interval_initial", options.reconnect_interval_initial, milliseconds(1));
  check_span("reconnect_interval_max", options.reconnect_interval_max, options.reconnect_interval_initial);
  check_span("stop_grace", options.stop_grace, milliseconds(0));
  check_span("result_kept_max", options.result_kept_max, milliseconds(0));
}

/// `number` is what the system gave, or its refusal.
file_descriptor opened(int number) {
  if (number < 0)
    throw std::system_error(errno, std::generic_category(), "worker");
  return file_descriptor(number);
}

/// Keeps the signals that ask to end from this thread, and from those that it makes, for as long as it lives.
class held_signals {
public:
  held_signals() { pthread_sigmask(SIG_BLOCK, &signals_, &mask_before_); }
  ~held_signals() {
    for (const auto& [number, before] : actions_before_)
      sigaction(number, &before, nullptr);
    pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
  }
  held_signals(const held_signals&) = delete;
  held_signals& operator=(const held_signals&) = delete;

  const sigset_t& signals() const { return signals_; }

  /// From now on one of them ends the program at once.
  void let_end() {
    struct sigaction ending {};
    ending.sa_handler = end_by_signal;
    for (int number = 1; number < NSIG; ++number)
      if (sigismember(&signals_, number) == 1)
        sigaction(number, &ending, &actions_before_[number]);
    pthread_sigmask(SIG_UNBLOCK, &signals_, nullptr);
  }

private:
  sigset_t signals_ = ending_signals();
  sigset_t mask_before_{};
  std::map<int, struct sigaction> actions_before_;
};

work_result call_function(const worker_function& function, worker_step& step) {
  try {
    return to_work_result(function(step));
  } catch (const std::exception& thrown) {
    return failed_by_exception(thrown.what());
  } catch (...) {
    return failed_by_exception("the function threw something that is no std::exception");
  }
}

/// Numbers of a generator that began by chance.
std::function<double()> random_numbers() {
  return [chance = std::mt19937_64(std::random_device{}()),
          draw = std::uniform_real_distribution<double>(0.0, 1.0)]() mutable { return draw(chance); };
}

} // namespace

struct worker::impl {
  explicit impl(worker_options given)
    : options(std::move(given))
    , nodes(read_nodes(options.nodes)) {
    check_options(options);
  }

  void start();
  void stop();
  worker_surroundings surroundings() const;
  /// Waits until a signal, or `stop`, or until the actor has died.
  void wait_for_end(held_signals& held);
  bool wait_until_done(milliseconds limit);

  const worker_options options;
  const std::vector<wire_address> nodes;
  struct offer {
    uint32_t at_once = 0;
    worker_function function;
  };
  std::map<std::string, std::shared_ptr<const offer>> offers;
  const std::shared_ptr<worker_inbox> inbox = std::make_shared<worker_inbox>();
  const std::shared_ptr<worker_sight> sight = std::make_shared<worker_sight>();
  const std::shared_ptr<work_threads> threads = std::make_shared<work_threads>();
  const file_descriptor stopped = opened(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));

  /// Guards the two below, and makes those who stop at the same time wait for each other.
  std::mutex mutex;
  std::unique_ptr<wire_config> config;
  std::unique_ptr<caf::actor_system> system;
};

worker_surroundings worker::impl::surroundings() const {
  return {
    .now = [] { return std::chrono::steady_clock::now(); },
    .random = random_numbers(),
    .connect = connect_to_gate,
    .cut_off = cut_off,
    .begin =
      [all = offers, news = inbox,
       on = threads](work_number work, const call_given& given, const std::shared_ptr<step_at_work>& step) {
        on->run([offered = all.at(given.kind), news, work, step] {
          news->post(work_done{work, call_function(offered->function, *step)});
        });
      },
    .aside = [on = threads](std::function<void()> work) { on->run(std::move(work)); },
  };
}

void worker::impl::start() {
  if (offers.empty())
    throw std::logic_error("a worker that offers nothing cannot start: call offer first");
  std::lock_guard lock(mutex);
  if (config)
    throw std::logic_error("a worker starts once");
  const wire_security security{options.certificate, options.key, options.ca};
  config = std::make_unique<wire_config>(security, wire_pace{});
  system = std::make_unique<caf::actor_system>(*config);
  hide_servants(*system);
  const auto host = plain_line(host_name(), wire_host_bytes_max);
  const auto name = plain_line(options.name, wire_name_bytes_max);
  std::map<std::string, uint32_t> kinds;
  for (const auto& [kind, offered] : offers)
    kinds[kind] = offered->at_once;
  worker_link_options link{
    .id = random_uuid(),
    .name = name.empty() ? plain_line(fmt::format("{}/{}", host, getpid()), wire_name_bytes_max) : name,
    .host = host,
    .nodes = nodes,
    .wait = {.initial = options.reconnect_interval_initial, .wait_max = options.reconnect_interval_max},
    .result_kept_max = options.result_kept_max,
    .offers = std::move(kinds),
    .inbox = inbox,
    .sight = sight,
    .around = surroundings()};
  inbox->open(system->spawn(worker_link, std::move(link)));
  // This thread holds the system's logger since it made the system, and the system's end waits until nobody does:
  // `stop` on another thread would wait for ever.
  caf::logger::set_current_actor_system(nullptr);
}

bool worker::impl::wait_until_done(milliseconds limit) {
  std::unique_lock lock(sight->mutex);
  return sight->changed.wait_for(
    lock, limit, [this] { return sight->ended || (sight->leaving && sight->being_done == 0); });
}

void worker::impl::stop() {
  std::lock_guard lock(mutex);
  if (!system)
    return;
  inbox->post(leave_asked{});
  if (!wait_until_done(options.stop_grace)) {
    inbox->post(cancel_asked_of_all{});
    if (!wait_until_done(cancelled_grace))
      worker_log()->warn("left_undone hint=\"the nodes have these steps done elsewhere, with the same keys\"");
  }
  inbox->post(go_asked{});
  {
    std::unique_lock look(sight->mutex);
    sight->changed.wait_for(look, end_grace, [this] { return sight->ended; });
    sight->connected = 0;
  }
  inbox->close();
  threads->stop();
  system.reset();
  const uint64_t one = 1;
  (void)!write(stopped.number(), &one, sizeof one);
}

void worker::impl::wait_for_end(held_signals& held) {
  const auto signalled = opened(signalfd(-1, &held.signals(), SFD_CLOEXEC));
  for (;;) {
    pollfd looked_at[2] = {{signalled.number(), POLLIN, 0}, {stopped.number(), POLLIN, 0}};
    const int ready = poll(looked_at, 2, static_cast<int>(look_interval.count()));
    if (ready > 0 && looked_at[0].revents != 0) {
      signalfd_siginfo taken{};
      (void)!read(signalled.number(), &taken, sizeof taken);
      worker_log()->info("stop_asked signal={}", taken.ssi_signo);
      held.let_end();
      return;
    }
    if (ready > 0 && looked_at[1].revents != 0)
      return;
    std::lock_guard lock(sight->mutex);
    if (sight->ended)
      return;
  }
}

worker::worker(worker_options options)
  : impl_(std::make_unique<impl>(std::move(options))) {}

worker::~worker() {
  stop();
}

void worker::offer(std::string kind, uint32_t at_once, worker_function function) {
  if (!is_kind(kind))
    throw std::invalid_argument(
      fmt::format("kind: must be {}, not '{}'", kind_rule, plain_line(kind, wire_kind_bytes_max)));
  if (impl_->offers.size() >= worker_kinds_max)
    throw std::invalid_argument(
      fmt::format("kind: '{}' is one more than the {} that a worker may offer", kind, worker_kinds_max));
  if (at_once < 1 || at_once > at_once_max)
    throw std::invalid_argument(fmt::format("at_once: must be 1 to {} for '{}', not {}", at_once_max, kind, at_once));
  if (!function)
    throw std::invalid_argument(fmt::format("function: there is none for '{}'", kind));
  if (impl_->config)
    throw std::logic_error("offer comes before start");
  if (impl_->offers.contains(kind))
    throw std::invalid_argument(fmt::format("kind: '{}' is offered already", kind));
  impl_->offers[std::move(kind)] = std::make_shared<const impl::offer>(impl::offer{at_once, std::move(function)});
}

void worker::start() {
  impl_->start();
}

void worker::run() {
  held_signals held;
  impl_->start();
  impl_->wait_for_end(held);
  bool died = false;
  {
    std::lock_guard lock(impl_->sight->mutex);
    died = impl_->sight->ended && !impl_->sight->leaving;
  }
  impl_->stop();
  if (died)
    throw std::runtime_error("the worker's own actor has died");
}

void worker::stop() {
  impl_->stop();
}

size_t worker::connected() const {
  std::lock_guard lock(impl_->sight->mutex);
  return impl_->sight->connected;
}

} // namespace levain
