#include "tests/support/deaf_listener.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <system_error>

namespace levain::test {

namespace {

/// Within this time a connection on loopback is made, or nobody answers.
constexpr int answer_ms = 200;
constexpr size_t queue_max = 16;

file_descriptor new_socket() {
  const int number = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (number < 0)
    throw std::system_error(errno, std::generic_category(), "socket");
  return file_descriptor(number);
}

} // namespace

deaf_listener::deaf_listener()
  : listening_(new_socket()) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* name = reinterpret_cast<sockaddr*>(&at);
  socklen_t size = sizeof at;
  if (
    bind(listening_.number(), name, size) != 0 || listen(listening_.number(), 0) != 0 ||
    getsockname(listening_.number(), name, &size) != 0)
    throw std::system_error(errno, std::generic_category(), "a deaf listener");
  port_ = ntohs(at.sin_port);
  // Until one is not answered any more.
  while (queued_.size() < queue_max) {
    queued_.push_back(new_socket());
    if (connect(queued_.back().number(), name, size) != 0 && errno != EINPROGRESS)
      throw std::system_error(errno, std::generic_category(), "connect");
    pollfd waiting{queued_.back().number(), POLLOUT, 0};
    if (poll(&waiting, 1, answer_ms) == 0)
      return;
  }
  throw std::runtime_error("a deaf listener answers all the same");
}

} // namespace levain::test
