#include "apps/worker/child_process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

#include "apps/worker/command_supervisor.hpp"
#include "apps/worker/fork_server.hpp"

namespace levain {

namespace {

constexpr size_t read_bytes = 64 * 1024;

void make_unblocking(const file_descriptor& end) {
  fcntl(end.number(), F_SETFL, fcntl(end.number(), F_GETFL) | O_NONBLOCK);
}

} // namespace

child_process::child_process(const std::vector<std::string>& words, const std::vector<std::string>& environment) {
  auto started = start(words, environment);
  // The fork server may have died with the request in its hands; it is made anew.
  if (!started)
    started = start(words, environment);
  const int wrong = started.value_or(EAGAIN);
  if (wrong != 0)
    throw std::system_error(wrong, std::generic_category(), "'" + words.front() + "' cannot be started");
}

/// 0 when the program runs, else what was wrong; nothing when no supervisor answered.
std::optional<int>
child_process::start(const std::vector<std::string>& words, const std::vector<std::string>& environment) {
  auto input = open_pipe();
  auto output = open_pipe();
  auto errors = open_pipe();
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    throw std::system_error(errno, std::generic_category(), "the command's supervisor");
  control_ = file_descriptor(ends[0]);
  file_descriptor supervisors_end(ends[1]);
  fork_server::of_this_process().make_supervisor(
    {supervisors_end.number(), input.read.number(), output.write.number(), errors.write.number()});
  supervisors_end.close();
  if (!send_command(control_.number(), words, environment))
    return std::nullopt;
  const auto wrong = wait_for_start();
  input_ = std::move(input.write);
  output_ = std::move(output.read);
  errors_ = std::move(errors.read);
  for (const auto* each : {&input_, &output_, &errors_})
    make_unblocking(*each);
  return wrong;
}

child_process::~child_process() {
  if (gone_)
    return;
  kill();
  for (auto* each : {&input_, &output_, &errors_})
    each->close();
  while (!gone_)
    wait(false, -1);
}

std::optional<int> child_process::wait_for_start() const {
  supervisor_report report;
  ssize_t size = 0;
  do
    size = recv(control_.number(), &report, sizeof report, MSG_WAITALL);
  while (size < 0 && errno == EINTR);
  if (size != static_cast<ssize_t>(sizeof report))
    return std::nullopt;
  return report.kind == supervisor_report::kind_type::started ? 0 : report.value;
}

size_t child_process::write(std::string_view text) {
  const auto written = ::write(input_.number(), text.data(), text.size());
  if (written >= 0)
    return static_cast<size_t>(written);
  return errno == EAGAIN || errno == EINTR ? 0 : text.size();
}

std::optional<std::string> child_process::read(file_descriptor& from) {
  if (!from)
    return std::nullopt;
  std::string text(read_bytes, '\0');
  const auto size = ::read(from.number(), text.data(), text.size());
  if (size > 0) {
    text.resize(static_cast<size_t>(size));
    return text;
  }
  // At its end, a pipe would be ready for ever.
  if (size == 0 || (errno != EAGAIN && errno != EINTR))
    from.close();
  return std::nullopt;
}

void child_process::wait(bool to_write, int limit_ms) {
  std::array<pollfd, 4> looked_at{};
  nfds_t count = 0;
  const auto look_at = [&](const file_descriptor& end, short events) {
    if (end)
      looked_at[count++] = {end.number(), events, 0};
  };
  look_at(control_, POLLIN);
  look_at(output_, POLLIN);
  look_at(errors_, POLLIN);
  if (to_write)
    look_at(input_, POLLOUT);
  if (poll(looked_at.data(), count, limit_ms) > 0 && looked_at[0].revents != 0)
    take_reports();
}

void child_process::take_reports() {
  supervisor_report report;
  for (;;) {
    const auto size = recv(control_.number(), &report, sizeof report, MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
      return;
    if (size != static_cast<ssize_t>(sizeof report)) {
      gone_ = true;
      return;
    }
    if (report.kind == supervisor_report::kind_type::ended)
      status_ = report.value;
    else if (report.kind == supervisor_report::kind_type::left)
      left_ = report.value;
  }
}

void child_process::order(char what) const {
  (void)!send(control_.number(), &what, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void child_process::terminate() {
  order(static_cast<char>(supervisor_order::terminate));
}

void child_process::kill() {
  order(static_cast<char>(supervisor_order::kill));
}

} // namespace levain
