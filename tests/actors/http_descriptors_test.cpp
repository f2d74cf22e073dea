// Calls of a process that has no descriptor left for them wait, and none of them fails for it.
#include <boost/test/unit_test.hpp>

#include <arpa/inet.h>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <netinet/in.h>
#include <string_view>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/actors/http_executor_world.hpp"
#include "tests/support/processes.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;
using kind_type = call_failure::kind_type;

namespace {

/// Answers every request with 1, in a process with descriptors of its own.
class other_process {
public:
  other_process() {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    BOOST_REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0);
    BOOST_REQUIRE(::listen(listener, SOMAXCONN) == 0);
    BOOST_REQUIRE(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    child_ = ::fork();
    BOOST_REQUIRE(child_ >= 0);
    if (child_ == 0)
      serve(listener);
    ::close(listener);
  }
  ~other_process() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  other_process(const other_process&) = delete;
  other_process& operator=(const other_process&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }

private:
  /// System calls only: the parent had other threads.
  [[noreturn]] static void serve(int listener) {
    constexpr char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\n1";
    constexpr std::string_view end = R"({"input":{}})";
    for (;;) {
      const int client = ::accept(listener, nullptr, nullptr);
      char buffer[4096];
      size_t have = 0;
      while (have < sizeof buffer && std::string_view(buffer, have).find(end) == std::string_view::npos) {
        const auto got = ::read(client, buffer + have, sizeof buffer - have);
        if (got <= 0)
          break;
        have += static_cast<size_t>(got);
      }
      if (::write(client, answer, sizeof answer - 1) < 0)
        ::_exit(1);
      ::close(client);
    }
  }

  pid_t child_ = -1;
  uint16_t port_ = 0;
};

/// This process has no descriptor left but those that `release` gives back, for as long as this lives.
class scarce_descriptors {
public:
  scarce_descriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const int next = ::dup(STDERR_FILENO);
    taken_.push_back(next);
    auto low = before_;
    low.rlim_cur = static_cast<rlim_t>(next) + 32;
    BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
    for (int more = ::dup(STDERR_FILENO); more >= 0; more = ::dup(STDERR_FILENO))
      taken_.push_back(more);
    BOOST_REQUIRE(errno == EMFILE);
  }
  ~scarce_descriptors() {
    release(taken_.size());
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }
  scarce_descriptors(const scarce_descriptors&) = delete;
  scarce_descriptors& operator=(const scarce_descriptors&) = delete;

  void release(size_t count) {
    for (; count > 0; --count) {
      ::close(taken_.back());
      taken_.pop_back();
    }
  }

private:
  rlimit before_{};
  std::vector<int> taken_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(http_descriptors_test)

BOOST_AUTO_TEST_CASE(more_calls_than_descriptors_are_all_made) {
  const other_process service;
  http_executor executor;
  scarce_descriptors scarce;
  scarce.release(3);
  std::vector<std::future<outcome>> waiting;
  for (int i = 0; i < 60; ++i)
    waiting.push_back(begin(executor, request_to(service.url())));
  for (auto& each : waiting)
    BOOST_TEST(text_of(wait_for(std::move(each))) == "1");
  // There are enough again, and as many as ever are made at a time.
  scarce.release(20);
  waiting.clear();
  for (int i = 0; i < 60; ++i)
    waiting.push_back(begin(executor, request_to(service.url())));
  for (auto& each : waiting)
    BOOST_TEST(text_of(wait_for(std::move(each))) == "1");
}

BOOST_AUTO_TEST_CASE(connections_that_nobody_uses_do_not_keep_the_process_from_its_descriptors) {
  http_server service({}, always({.body = "1"}));
  http_executor_options options;
  options.idle_connection_age = 300ms;
  http_executor executor(options);
  const auto open = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
  };
  BOOST_TEST(text_of(call(executor, request_to(url_of(service)))) == "1");
  const auto before = open();
  std::vector<std::future<outcome>> waiting;
  for (int i = 0; i < 40; ++i)
    waiting.push_back(begin(executor, request_to(url_of(service))));
  for (auto& each : waiting)
    BOOST_TEST(text_of(wait_for(std::move(each))) == "1");
  BOOST_TEST(eventually([&] { return open() < before; }, 30s), open() << " descriptors, before " << before);
  BOOST_TEST(text_of(call(executor, request_to(url_of(service)))) == "1");
}

BOOST_AUTO_TEST_CASE(the_time_of_a_call_does_not_run_while_it_waits_for_a_descriptor) {
  const other_process service;
  http_executor executor;
  scarce_descriptors scarce;
  auto request = request_to(service.url());
  request.timeout = 200ms;
  auto waiting = begin(executor, request);
  BOOST_TEST((waiting.wait_for(500ms) == std::future_status::timeout));
  scarce.release(1);
  BOOST_TEST(text_of(wait_for(std::move(waiting))) == "1");
}

BOOST_AUTO_TEST_CASE(a_wait_for_a_descriptor_is_one_for_a_turn) {
  const other_process service;
  http_executor executor;
  const scarce_descriptors scarce;
  auto request = request_to(service.url());
  request.queue_timeout = 100ms;
  const auto late = failure_of(call(executor, request));
  BOOST_TEST((late.kind == kind_type::timeout));
  BOOST_TEST(holds(late.message, "did not get its turn within 100ms (queue_timeout)"), late.message);
  BOOST_TEST(!late.unknown);
  call_ticket ticket;
  auto waiting = begin(executor, request_to(service.url()), &ticket);
  BOOST_TEST((waiting.wait_for(100ms) == std::future_status::timeout));
  executor.withdraw(ticket);
  BOOST_TEST((failure_of(wait_for(std::move(waiting))).kind == kind_type::withdrawn));
}

BOOST_AUTO_TEST_SUITE_END()
