#include "tests/support/tcp_gate.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <netinet/in.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace levain::test {

namespace {

int open_socket() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    throw std::system_error(errno, std::generic_category(), "socket");
  return fd;
}

sockaddr_in loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/// On a port that the system chooses.
int bind_any() {
  const int fd = open_socket();
  const auto address = loopback(0);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw std::system_error(errno, std::generic_category(), "bind");
  return fd;
}

uint16_t port_of(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::system_error(errno, std::generic_category(), "getsockname");
  return ntohs(address.sin_port);
}

int listen_somewhere() {
  const int fd = bind_any();
  if (listen(fd, SOMAXCONN) != 0)
    throw std::system_error(errno, std::generic_category(), "listen");
  return fd;
}

int connect_to(uint16_t port) {
  const int fd = open_socket();
  const auto address = loopback(port);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return fd;
  close(fd);
  return -1;
}

} // namespace

uint16_t free_port() {
  const int fd = bind_any();
  const auto port = port_of(fd);
  close(fd);
  return port;
}

tcp_gate::tcp_gate(uint16_t server_port)
  : tcp_gate(listen_somewhere(), server_port) {}

tcp_gate::tcp_gate(int listener, uint16_t server_port)
  : socket_gate(listener, [server_port] { return connect_to(server_port); })
  , port_(port_of(listener)) {}

} // namespace levain::test
