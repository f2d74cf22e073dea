#include "actors/cluster/wire_probe.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <fmt/format.h>

#include "persistence/file_descriptor.hpp"

namespace levain {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

using addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

/// 0, or the number of the error.
int connect_until(const addrinfo& to, steady_clock::time_point end) {
  const file_descriptor socket(::socket(to.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket)
    return errno;
  if (connect(socket.number(), to.ai_addr, to.ai_addrlen) == 0)
    return 0;
  if (errno != EINPROGRESS)
    return errno;
  pollfd waiting{socket.number(), POLLOUT, 0};
  int ready = 0;
  do {
    const auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now()).count();
    ready = poll(&waiting, 1, static_cast<int>(std::max<int64_t>(left, 0)));
  } while (ready < 0 && errno == EINTR);
  if (ready == 0)
    return ETIMEDOUT;
  int error = 0;
  socklen_t size = sizeof error;
  if (ready < 0 || getsockopt(socket.number(), SOL_SOCKET, SO_ERROR, &error, &size) != 0)
    return errno;
  return error;
}

wire_address numeric(const addrinfo& at, uint16_t port) {
  std::array<char, NI_MAXHOST> host{};
  getnameinfo(at.ai_addr, at.ai_addrlen, host.data(), host.size(), nullptr, 0, NI_NUMERICHOST);
  return {host.data(), port};
}

} // namespace

std::variant<wire_address, nobody_answers> probe(const wire_address& at, milliseconds limit) {
  const auto end = steady_clock::now() + limit;
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* read = nullptr;
  if (const int wrong = getaddrinfo(at.host.c_str(), std::to_string(at.port).c_str(), &wanted, &read); wrong != 0)
    return nobody_answers{fmt::format("'{}' is no host: {}", at.host, gai_strerror(wrong))};
  const addresses found(read, &freeaddrinfo);
  int error = ETIMEDOUT;
  for (const auto* each = found.get(); each != nullptr && steady_clock::now() < end; each = each->ai_next) {
    error = connect_until(*each, end);
    if (error == 0)
      return numeric(*each, at.port);
  }
  if (error == ETIMEDOUT)
    return nobody_answers{fmt::format("nobody answers within {} ms", limit.count())};
  return nobody_answers{std::strerror(error)};
}

} // namespace levain
