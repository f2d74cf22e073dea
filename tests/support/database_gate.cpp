#include "tests/support/database_gate.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>

#include <pqxx/pqxx>

namespace levain::test {

namespace {

constexpr const char* port = "5432";

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    throw std::runtime_error("the socket's path is too long: " + path);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

int open_socket() {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    throw std::system_error(errno, std::generic_category(), "socket");
  return fd;
}

std::string server_socket(const std::string& url) {
  pqxx::connection connection(url);
  const char* folder = connection.hostname();
  if (!folder || *folder != '/')
    throw std::runtime_error("the gate stands before a server on a unix socket only, not before " + url);
  return std::string(folder) + "/.s.PGSQL." + connection.port();
}

std::string make_folder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "levain-gate-XXXXXX").string();
  if (!mkdtemp(pattern.data()))
    throw std::system_error(errno, std::generic_category(), "mkdtemp " + pattern);
  return pattern;
}

int listen_in(const std::string& folder) {
  const int listener = open_socket();
  const auto address = address_of(folder + "/.s.PGSQL." + port);
  if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || listen(listener, 16) != 0)
    throw std::system_error(errno, std::generic_category(), "bind " + folder);
  return listener;
}

int connect_to(const std::string& path) {
  const int server = open_socket();
  const auto address = address_of(path);
  if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return server;
  close(server);
  return -1;
}

} // namespace

socket_folder::socket_folder()
  : path_(make_folder()) {}

socket_folder::~socket_folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

database_gate::database_gate(const std::string& url)
  : socket_gate(listen_in(path()), [upstream = server_socket(url)] { return connect_to(upstream); })
  , url_(url + (url.find('?') == std::string::npos ? "?" : "&") + "host=" + path() + "&port=" + port) {}

} // namespace levain::test
