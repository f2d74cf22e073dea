// A daemon whose system allows few descriptors, or fewer than it was told when it started.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/test/unit_test.hpp>

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <mutex>
#include <pqxx/pqxx>
#include <sys/resource.h>
#include <thread>

#include <fmt/format.h>

#include "actors/gateway/http_server.hpp"
#include "tests/faults/fault_checks.hpp"
#include "tests/support/database.hpp"
#include "tests/support/has.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;
using nlohmann::json;
using tcp = boost::asio::ip::tcp;

namespace {

constexpr size_t runs = 300;
constexpr size_t clients = 50;
constexpr rlim_t few = 96;
/// What is left to a daemon beside what it has open when its limit falls.
constexpr rlim_t left = 12;

/// Answers every request a while after it came.
class slow_service {
public:
  slow_service() = default;
  ~slow_service() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    thread_.join();
    server_.stop(0ms);
  }
  slow_service(const slow_service&) = delete;
  slow_service& operator=(const slow_service&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_.port()); }
  size_t requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

private:
  using clock = std::chrono::steady_clock;
  using respond_type = std::function<void(http_response)>;

  void run() {
    std::unique_lock lock(mutex_);
    while (!ended_) {
      if (due_.empty() || due_.front().first > clock::now()) {
        changed_.wait_for(lock, due_.empty() ? clock::duration(1s) : due_.front().first - clock::now());
        continue;
      }
      const auto respond = std::move(due_.front().second);
      due_.pop_front();
      lock.unlock();
      respond({.body = "{}"});
      lock.lock();
    }
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::pair<clock::time_point, respond_type>> due_;
  size_t requests_ = 0;
  bool ended_ = false;
  http_server server_{{.any_host = true}, [this](http_request, respond_type respond) {
                        const std::lock_guard lock(mutex_);
                        ++requests_;
                        due_.emplace_back(clock::now() + 300ms, std::move(respond));
                        changed_.notify_all();
                      }};
  std::thread thread_{[this] { run(); }};
};

struct few_world {
  fresh_database database;
  slow_service service;
  pqxx::connection connection{database.url()};
  boost::asio::io_context context;
  std::vector<tcp::socket> silent;

  std::vector<std::string> arguments() const {
    return {"--database", database.url(), "--var", "service_url=" + service.url()};
  }

  void register_at(const running_daemon& daemon) const {
    daemon.register_workflow(
      {{"workflow", "slow"},
       {"version", 1},
       {"steps",
        {{{"name", "bake"},
          {"call", {{"http", {{"url", "${service_url}/bake"}}}}},
          {"timeout", "10s"},
          {"retry", {{"max_attempts", 3}, {"initial_interval", "200ms"}}}}}}});
  }

  /// Clients that connect and say nothing.
  void crowd(const running_daemon& daemon) {
    const auto port = std::stoi(daemon.url().substr(daemon.url().rfind(':') + 1));
    for (size_t i = 0; i < clients; ++i) {
      boost::system::error_code refused;
      silent.emplace_back(context).connect(
        {boost::asio::ip::address_v4::loopback(), static_cast<uint16_t>(port)}, refused);
    }
  }

  void terminate_sessions_of_the_daemon() {
    pqxx::nontransaction(connection)
      .exec("select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'levain writer%' or "
            "application_name = 'levain leases'");
  }

  size_t events(const std::string& kind) {
    return pqxx::nontransaction(connection)
      .exec1("select count(*) from run_events where kind = '" + kind + "'")[0]
      .as<size_t>();
  }

  void check_everything_ended(running_daemon& daemon) {
    BOOST_TEST(
      eventually([&] { return events("run_completed") == runs; }, generous),
      events("run_completed") << " runs have completed; " << daemon.program().errors());
    // No attempt failed for want of a descriptor.
    BOOST_TEST(events("attempt_failed") == 0u);
    BOOST_TEST(events("step_failed") == 0u);
    BOOST_TEST(service.requests() == runs);
    silent.clear();
    BOOST_TEST(eventually([&] { return daemon.ready(); }, generous), daemon.program().errors());
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(few_descriptors_test, few_world)

BOOST_AUTO_TEST_CASE(a_daemon_that_is_allowed_few_says_so_and_everything_ends) {
  if (!std::filesystem::exists("/usr/bin/prlimit")) {
    BOOST_TEST_MESSAGE("skipped: there is no /usr/bin/prlimit");
    return;
  }
  running_daemon daemon({"/usr/bin/prlimit", fmt::format("--nofile={}:{}", few, few)}, arguments());
  daemon.wait_until_ready();
  BOOST_TEST(has(daemon.program().errors(), "few_open_files allowed=96"), daemon.program().errors());
  register_at(daemon);
  starter starts(some_tenant, "slow");
  BOOST_TEST(starts.start(daemon.url(), runs) == runs);

  // When: clients come that say nothing, and the sessions at the database are lost.
  crowd(daemon);
  BOOST_TEST(eventually([&] { return events("run_completed") >= runs / 3; }, generous));
  terminate_sessions_of_the_daemon();

  // Then
  check_everything_ended(daemon);
}

BOOST_AUTO_TEST_CASE(calls_wait_when_the_process_has_no_descriptor_left_and_everything_ends) {
  running_daemon daemon(arguments());
  daemon.wait_until_ready();
  register_at(daemon);

  // When: the limit falls below what the daemon was told.
  rlim_t open = 0;
  for (const auto& each : std::filesystem::directory_iterator(fmt::format("/proc/{}/fd", daemon.program().pid())))
    open = std::max<rlim_t>(open, std::stoul(each.path().filename().string()));
  const rlimit low{open + 1 + left, open + 1 + left};
  BOOST_TEST_REQUIRE(::prlimit(daemon.program().pid(), RLIMIT_NOFILE, &low, nullptr) == 0);
  starter starts(some_tenant, "slow");
  BOOST_TEST(starts.start(daemon.url(), runs) == runs);
  BOOST_TEST(
    eventually([&] { return has(daemon.program().errors(), "calls_short_of_descriptors"); }, generous),
    daemon.program().errors());
  crowd(daemon);

  // Then
  check_everything_ended(daemon);
}

BOOST_AUTO_TEST_SUITE_END()
