#include "actors/calls/name_resolver.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace levain {

namespace {

/// A thread without work waits so long for more.
constexpr std::chrono::seconds idle_max{10};
constexpr auto descriptor_pause = std::chrono::milliseconds(50);
constexpr int descriptor_tries = 20;
constexpr size_t addresses_max = 16;
/// Names known as slow; beyond, the memory of them begins anew.
constexpr size_t slow_names_max = 1024;

std::string numeric(const addrinfo& info) {
  char host[NI_MAXHOST];
  if (getnameinfo(info.ai_addr, info.ai_addrlen, host, sizeof host, nullptr, 0, NI_NUMERICHOST) != 0)
    return {};
  // A zone (`%eth0`) has no place in what libcurl is given.
  const std::string text(host);
  return text.find('%') == std::string::npos ? text : std::string();
}

} // namespace

name_answer look_up_by_system(const std::string& name) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  int code = 0;
  int reason = 0;
  for (int i = 0; i < descriptor_tries; ++i) {
    errno = 0;
    code = getaddrinfo(name.c_str(), nullptr, &hints, &list);
    reason = errno;
    if (code == 0 || (reason != EMFILE && reason != ENFILE))
      break;
    std::this_thread::sleep_for(descriptor_pause);
  }
  name_answer answer{name, {}, {}};
  if (code != 0) {
    answer.fault = code == EAI_SYSTEM ? std::generic_category().message(reason) : gai_strerror(code);
    return answer;
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, &freeaddrinfo);
  for (const auto* each = list; each && answer.addresses.size() < addresses_max; each = each->ai_next)
    if (auto text = numeric(*each); !text.empty())
      answer.addresses.push_back(std::move(text));
  if (answer.addresses.empty())
    answer.fault = "the name has no address";
  return answer;
}

/// What the threads share with the resolver; it outlives the resolver while a lookup hangs.
struct name_resolver::shared {
  std::mutex mutex;
  std::condition_variable work;
  name_resolver_options options;
  name_lookup lookup;
  answered tell;
  bool closed = false;
  size_t threads = 0;
  size_t idle = 0;
  size_t slow_running = 0;
  /// Waiting for a thread.
  std::deque<std::string> quick;
  std::deque<std::string> slow;
  /// Waiting or being looked up.
  std::set<std::string> asked;
  std::set<std::string> slow_names;

  bool has_slow_work() const { return !slow.empty() && slow_running < std::max<size_t>(1, options.threads_max / 2); }

  /// Under the lock. False when the thread is to end.
  bool await_work(std::unique_lock<std::mutex>& lock) {
    ++idle;
    work.wait_for(lock, idle_max, [&] { return closed || !quick.empty() || has_slow_work(); });
    --idle;
    return !closed && (!quick.empty() || has_slow_work());
  }

  void run() {
    std::unique_lock lock(mutex);
    while (await_work(lock)) {
      const bool is_slow = quick.empty();
      auto& queue = is_slow ? slow : quick;
      const auto name = std::move(queue.front());
      queue.pop_front();
      slow_running += is_slow ? 1 : 0;
      lock.unlock();
      const auto began = clock::now();
      name_answer answer{name, {}, {}};
      try {
        answer = lookup(name);
      } catch (const std::exception& error) {
        answer.fault = error.what();
      }
      const bool took_long = clock::now() - began > options.slow_after;
      lock.lock();
      slow_running -= is_slow ? 1 : 0;
      asked.erase(name);
      note_speed(name, took_long);
      // Under the lock, so that the resolver does not go meanwhile.
      if (!closed)
        tell(std::move(answer));
    }
    --threads;
  }

  void note_speed(const std::string& name, bool took_long) {
    if (!took_long) {
      slow_names.erase(name);
      return;
    }
    if (slow_names.size() >= slow_names_max)
      slow_names.clear();
    slow_names.insert(name);
  }
};

name_resolver::name_resolver(name_resolver_options options, name_lookup lookup, answered tell)
  : options_(options)
  , shared_(std::make_shared<shared>()) {
  if (options.threads_max == 0)
    throw std::runtime_error("resolver_threads_max is 0; it must be at least 1");
  shared_->options = options;
  shared_->lookup = std::move(lookup);
  shared_->tell = std::move(tell);
}

name_resolver::~name_resolver() {
  const std::lock_guard lock(shared_->mutex);
  shared_->closed = true;
  shared_->tell = nullptr;
  shared_->work.notify_all();
}

const std::vector<std::string>* name_resolver::find(const std::string& name, clock::time_point now) {
  const auto at = known_.find(name);
  const bool is_known = at != known_.end() && now - at->second.since < options_.usable_for;
  if (is_known && now - at->second.since < options_.fresh_for)
    return &at->second.addresses;
  const std::lock_guard lock(shared_->mutex);
  if (shared_->asked.insert(name).second) {
    (shared_->slow_names.contains(name) ? shared_->slow : shared_->quick).push_back(name);
    const auto waiting = shared_->quick.size() + shared_->slow.size();
    if (waiting > shared_->idle && shared_->threads < options_.threads_max) {
      // Signals are for the program's own threads.
      sigset_t all;
      sigset_t before;
      sigfillset(&all);
      pthread_sigmask(SIG_BLOCK, &all, &before);
      try {
        std::thread([state = shared_] { state->run(); }).detach();
        ++shared_->threads;
      } catch (const std::system_error&) {
        // The threads that there are go on; without any, the deadline of who asked says so, and the next asks again.
        if (shared_->threads == 0) {
          shared_->quick.clear();
          shared_->slow.clear();
          shared_->asked.clear();
        }
      }
      pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }
    shared_->work.notify_one();
  }
  return is_known ? &at->second.addresses : nullptr;
}

void name_resolver::remember(const name_answer& answer, clock::time_point now) {
  if (answer.addresses.empty())
    return;
  if (!known_.contains(answer.name) && known_.size() >= options_.names_max)
    make_room(now);
  known_[answer.name] = {answer.addresses, now};
}

void name_resolver::make_room(clock::time_point now) {
  std::erase_if(known_, [&](const auto& each) { return now - each.second.since >= options_.usable_for; });
  if (known_.size() >= options_.names_max)
    known_.erase(std::min_element(
      known_.begin(), known_.end(), [](const auto& a, const auto& b) { return a.second.since < b.second.since; }));
}

} // namespace levain
