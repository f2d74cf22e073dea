#include "actors/worker/ending_signals.hpp"

#include <initializer_list>
#include <unistd.h>

namespace levain {

namespace {

bool is_ignored(int number) {
  struct sigaction now {};
  return sigaction(number, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

} // namespace

sigset_t ending_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int each : {SIGTERM, SIGINT, SIGQUIT})
    sigaddset(&signals, each);
  // Blocked signals are queued even when they are ignored.
  if (!is_ignored(SIGHUP))
    sigaddset(&signals, SIGHUP);
  return signals;
}

void end_by_signal(int number) {
  std::signal(number, SIG_DFL);
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, number);
  pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
  std::raise(number);
  _exit(128 + number);
}

} // namespace levain
