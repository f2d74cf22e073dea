#include "tests/support/database_gate.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <list>
#include <mutex>
#include <poll.h>
#include <stdexcept>
#include <string_view>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <vector>

#include <pqxx/pqxx>

namespace levain::test {

namespace {

constexpr const char* port = "5432";

/// What pqxx sends to commit.
constexpr std::string_view commit_statement{"COMMIT\0", 7};

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

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0)
      return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

} // namespace

struct database_gate::impl {
  enum class loss { nothing, commit, answer };

  struct passage {
    int client = -1;
    int server = -1;
    bool loses_answer = false;
  };

  explicit impl(const std::string& given)
    : upstream(server_socket(given))
    , folder(make_folder()) {
    url = given + (given.find('?') == std::string::npos ? "?" : "&") + "host=" + folder + "&port=" + port;
    listener = open_socket();
    const auto address = address_of(folder + "/.s.PGSQL." + port);
    if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || listen(listener, 16) != 0)
      throw std::system_error(errno, std::generic_category(), "bind " + folder);
    wake = eventfd(0, EFD_CLOEXEC);
    thread = std::thread([this] { run(); });
  }

  ~impl() {
    {
      const std::lock_guard lock(mutex);
      ended = true;
    }
    const uint64_t one = 1;
    if (write(wake, &one, sizeof one) < 0)
      std::terminate();
    thread.join();
    for (const passage& open : passages)
      close_ends(open);
    close(listener);
    close(wake);
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }

  void run() {
    for (;;) {
      std::vector<pollfd> waits = {{wake, POLLIN, 0}, {listener, POLLIN, 0}};
      for (const passage& open : passages) {
        waits.push_back({open.client, POLLIN, 0});
        waits.push_back({open.server, POLLIN, 0});
      }
      poll(waits.data(), waits.size(), -1);
      const std::lock_guard lock(mutex);
      if (ended)
        return;
      size_t place = 2;
      for (auto open = passages.begin(); open != passages.end(); place += 2) {
        const bool alive =
          (waits[place].revents == 0 || from_client(*open)) && (waits[place + 1].revents == 0 || from_server(*open));
        if (alive) {
          ++open;
        } else {
          close_ends(*open);
          open = passages.erase(open);
        }
      }
      if (waits[1].revents != 0)
        let_in();
    }
  }

  void let_in() {
    const int client = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0)
      return;
    if (is_shut) {
      close(client);
      return;
    }
    const int server = open_socket();
    const auto address = address_of(upstream);
    passages.push_back({client, server, false});
    if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      close_ends(passages.back());
      passages.pop_back();
    }
  }

  bool from_client(passage& open) {
    const auto bytes = receive(open.client);
    if (bytes.empty())
      return false;
    if (next_loss != loss::nothing && bytes.find(commit_statement) != std::string_view::npos) {
      if (std::exchange(next_loss, loss::nothing) == loss::commit)
        return false;
      open.loses_answer = true;
    }
    return send_all(open.server, bytes);
  }

  bool from_server(passage& open) {
    const auto bytes = receive(open.server);
    return !bytes.empty() && !open.loses_answer && send_all(open.client, bytes);
  }

  std::string_view receive(int fd) {
    const ssize_t received = recv(fd, buffer.data(), buffer.size(), 0);
    return {buffer.data(), received > 0 ? static_cast<size_t>(received) : 0};
  }

  static void close_ends(const passage& open) {
    close(open.client);
    close(open.server);
  }

  std::string upstream;
  std::string folder;
  std::string url;
  int listener = -1;
  int wake = -1;
  std::mutex mutex;
  bool ended = false;
  bool is_shut = false;
  loss next_loss = loss::nothing;
  /// Touched by the thread, and under the mutex by `shut`.
  std::list<passage> passages;
  std::array<char, 65536> buffer;
  std::thread thread;
};

database_gate::database_gate(const std::string& url)
  : impl_(std::make_unique<impl>(url)) {}

database_gate::~database_gate() = default;

const std::string& database_gate::url() const {
  return impl_->url;
}

void database_gate::lose_next_commit() {
  const std::lock_guard lock(impl_->mutex);
  impl_->next_loss = impl::loss::commit;
}

void database_gate::lose_next_answer() {
  const std::lock_guard lock(impl_->mutex);
  impl_->next_loss = impl::loss::answer;
}

void database_gate::shut() {
  const std::lock_guard lock(impl_->mutex);
  impl_->is_shut = true;
  // Only shut down here: the thread still polls the descriptors and closes them.
  for (const auto& open : impl_->passages) {
    shutdown(open.client, SHUT_RDWR);
    shutdown(open.server, SHUT_RDWR);
  }
}

void database_gate::reopen() {
  const std::lock_guard lock(impl_->mutex);
  impl_->is_shut = false;
}

} // namespace levain::test
