#include "tests/simulation/seed_runner.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <fcntl.h>
#include <new>
#include <poll.h>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

#include "tests/simulation/draw_plan.hpp"
#include "tests/simulation/trial.hpp"

namespace levain::simulation {

namespace {

using std::chrono::steady_clock;

constexpr unsigned jobs_max = 64;
constexpr auto progress_interval = std::chrono::seconds(1);
constexpr int poll_milliseconds = 100;
/// What a child ends with when it could not tell what it found.
constexpr int exit_untold = 70;

/// What a child tells of one seed; small enough for a pipe to carry it whole.
struct told_seed {
  uint64_t seed = 0;
  uint64_t messages = 0;
  int64_t lasted = 0;
  uint64_t trace_hash = 0;
  bool failed = false;
  coverage seen;
};
static_assert(sizeof(told_seed) <= PIPE_BUF, "longer writes to a pipe need not stay whole");

/// What all processes see.
struct shared_state {
  std::atomic<uint64_t> next{0};
  std::atomic<bool> stop{false};
  /// What each child is at; `no_seed` between two.
  std::array<std::atomic<uint64_t>, jobs_max> at{};
};
constexpr uint64_t no_seed = ~uint64_t{0};

/// Memory that parent and children share.
class shared_memory {
public:
  shared_memory()
    : place_(mmap(nullptr, sizeof(shared_state), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
    if (place_ == MAP_FAILED)
      throw std::system_error(errno, std::generic_category(), "mmap");
    state_ = new (place_) shared_state;
  }
  ~shared_memory() { munmap(place_, sizeof(shared_state)); }
  shared_memory(const shared_memory&) = delete;
  shared_memory& operator=(const shared_memory&) = delete;
  shared_state* operator->() const { return state_; }

private:
  void* place_;
  shared_state* state_ = nullptr;
};

[[noreturn]] void be_child(const seed_range& which, shared_state& state, unsigned self, int out) {
  // CAF prints exceptions that leave a handler; they are part of the plan.
  if (const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC); nowhere >= 0)
    dup2(nowhere, STDOUT_FILENO);
  while (!state.stop) {
    const auto index = state.next.fetch_add(1);
    if (index >= which.count)
      break;
    told_seed told;
    told.seed = which.first + index;
    state.at[self] = told.seed;
    const auto found = try_plan(draw_plan(told.seed));
    told.messages = found.messages;
    told.lasted = found.lasted.count();
    told.trace_hash = found.trace_hash;
    told.failed = !found.violations.empty();
    told.seen = found.seen;
    if (write(out, &told, sizeof told) != static_cast<ssize_t>(sizeof told))
      _exit(exit_untold);
    state.at[self] = no_seed;
  }
  _exit(0);
}

void add(seeds_result& all, const told_seed& told) {
  ++all.run;
  all.seen += told.seen;
  all.messages += told.messages;
  all.lasted += std::chrono::microseconds(told.lasted);
  // The order in which children tell is chance; the sum does not depend on it.
  all.stories_hash += told.trace_hash;
  if (told.failed)
    all.failed.push_back(told.seed);
}

} // namespace

seeds_result run_seeds(const seed_range& which, const std::function<void(const seeds_result&)>& progress) {
  if (which.jobs < 1 || which.jobs > jobs_max)
    throw std::invalid_argument("jobs: must be 1 to " + std::to_string(jobs_max));
  const shared_memory shared;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    throw std::system_error(errno, std::generic_category(), "pipe");
  const auto begun = steady_clock::now();
  std::fflush(nullptr);
  std::map<pid_t, unsigned> children;
  for (unsigned i = 0; i < which.jobs; ++i) {
    shared->at[i] = no_seed;
    const auto child = fork();
    if (child < 0)
      throw std::system_error(errno, std::generic_category(), "fork");
    if (child == 0) {
      close(ends[0]);
      be_child(which, *shared.operator->(), i, ends[1]);
    }
    children.emplace(child, i);
  }
  close(ends[1]);
  seeds_result all;
  auto said_at = begun;
  for (bool open = true; open;) {
    pollfd waiting{ends[0], POLLIN, 0};
    if (poll(&waiting, 1, poll_milliseconds) > 0) {
      told_seed told;
      const auto got = read(ends[0], &told, sizeof told);
      open = got > 0;
      if (got == static_cast<ssize_t>(sizeof told))
        add(all, told);
    }
    const auto now = steady_clock::now();
    all.took = now - begun;
    if ((which.time_max && now - begun >= *which.time_max) || all.failed.size() >= which.failures_max)
      shared->stop = true;
    if (now - said_at >= progress_interval) {
      said_at = now;
      progress(all);
    }
  }
  close(ends[0]);
  for (const auto& [child, index] : children) {
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status))
      all.crashed[shared->at[index]] = WTERMSIG(status);
    else if (WEXITSTATUS(status) != 0)
      all.crashed[shared->at[index]] = -WEXITSTATUS(status);
  }
  all.took = steady_clock::now() - begun;
  std::sort(all.failed.begin(), all.failed.end());
  return all;
}

} // namespace levain::simulation
