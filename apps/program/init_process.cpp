#include "apps/program/init_process.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace levain {

namespace {

int status_of(int ended) {
  return WIFSIGNALED(ended) ? 128 + WTERMSIG(ended) : WEXITSTATUS(ended);
}

/// Takes in all that have ended; ends when the program has.
void reap(pid_t program) {
  int ended = 0;
  for (pid_t pid = waitpid(-1, &ended, WNOHANG); pid > 0; pid = waitpid(-1, &ended, WNOHANG))
    if (pid == program)
      _exit(status_of(ended));
}

[[noreturn]] void be_init(pid_t program, const sigset_t& all) {
  prctl(PR_SET_NAME, "levain-init");
  for (;;) {
    const int number = sigwaitinfo(&all, nullptr);
    if (number == SIGCHLD)
      reap(program);
    else if (number > 0)
      kill(program, number);
  }
}

/// What a terminal sends to its foreground group comes to the program once, not also by way of process 1.
void take_terminal() {
  setpgid(0, 0);
  if (isatty(STDIN_FILENO) != 0)
    tcsetpgrp(STDIN_FILENO, getpid());
}

} // namespace

void begin_below_init() {
  if (getpid() != 1)
    return;
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  const pid_t program = fork();
  if (program < 0) {
    std::perror("there can be no process below process 1");
    _exit(1);
  }
  if (program > 0)
    be_init(program, all);
  take_terminal();
  sigprocmask(SIG_SETMASK, &before, nullptr);
}

} // namespace levain
