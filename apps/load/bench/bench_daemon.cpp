#include "apps/load/bench/bench_daemon.hpp"

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <random>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/client/api_client.hpp"
#include "apps/client/exit_status.hpp"
#include "apps/load/start_answers.hpp"
#include "persistence/spawn.hpp"

namespace levain::load {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using namespace std::chrono_literals;

constexpr auto patience = 90s;
constexpr auto look_interval = 2ms;
constexpr auto status_interval = 20ms;
constexpr auto stop_patience = 20s;
constexpr size_t list_max = 500;
constexpr size_t log_bytes_told = 600;
/// Starts a program that is to die with us; a part of every Debian.
constexpr const char* set_privileges = "/usr/bin/setpriv";

std::string end_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  return text.size() > log_bytes_told ? text.substr(text.size() - log_bytes_told) : text;
}

} // namespace

bench_daemon::bench_daemon(const bench_options& options, const std::string& database_url, std::vector<std::string> more)
  : options_(options) {
  if (!std::filesystem::exists(options.daemon_program))
    throw command_failed(
      exit_status::service_missing,
      fmt::format("there is no {}; build the daemon beside this program", options.daemon_program.string()));
  std::string folder = (options.directory / "daemon-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr)
    throw command_failed(exit_status::failed, fmt::format("cannot make {}", folder));
  port_file_ = std::filesystem::path(folder) / "port";
  log_file_ = std::filesystem::path(folder) / "log";
  const file_descriptor log(::open(log_file_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  spawn_options what;
  if (std::filesystem::exists(set_privileges))
    what.arguments = {set_privileges, "--pdeathsig", "KILL"};
  for (const auto& each :
       {options.daemon_program.string(), std::string("--database"), database_url, std::string("--listen"),
        std::string("127.0.0.1:0"), std::string("--port-file"), port_file_.string(), std::string("--log-level"),
        std::string("warn")})
    what.arguments.push_back(each);
  what.arguments.insert(what.arguments.end(), more.begin(), more.end());
  what.output = log.number();
  began_ = clock::now();
  process_ = spawn(what);
}

bench_daemon::~bench_daemon() {
  stop();
}

void bench_daemon::kill() {
  if (process_ < 0)
    return;
  ::kill(process_, SIGKILL);
  wait_for_end(process_, stop_patience);
  process_ = -1;
}

void bench_daemon::stop() {
  if (process_ < 0)
    return;
  ::kill(process_, SIGTERM);
  if (wait_for_end(process_, stop_patience))
    process_ = -1;
  else
    kill();
}

void bench_daemon::require_living(const std::string& awaited, clock::time_point until) {
  if (options_.stopped && options_.stopped())
    throw command_failed(exit_status::failed, "interrupted");
  const bool ended = process_ < 0 || wait_for_end(process_, 0ms).has_value();
  if (ended)
    process_ = -1;
  if (ended || clock::now() >= until)
    throw command_failed(
      exit_status::failed,
      fmt::format(
        "the daemon {} before {}; its log ends: {}", ended ? "ended" : "took too long", awaited, end_of(log_file_)));
}

void bench_daemon::find_port(clock::time_point until) {
  while (url_.empty()) {
    std::ifstream in(port_file_);
    if (uint16_t port = 0; in >> port) {
      url_ = fmt::format("http://127.0.0.1:{}", port);
      return;
    }
    require_living("it listened", until);
    std::this_thread::sleep_for(look_interval);
  }
}

std::chrono::duration<double> bench_daemon::wait_until_ready() {
  const auto until = clock::now() + patience;
  find_port(until);
  api_client client({.url = url_});
  while (client.exchange("GET", "/health/ready", {}).http_status != 200) {
    require_living("it was ready", until);
    std::this_thread::sleep_for(look_interval);
  }
  return clock::now() - began_;
}

std::chrono::duration<double>
bench_daemon::wait_for_status(const std::string& what, const std::function<bool(const ordered_json&)>& holds) {
  const auto until = clock::now() + patience;
  find_port(until);
  api_client client({.url = url_});
  for (;;) {
    const auto reply = client.exchange("GET", "/v1/status", {});
    if (reply.granted() && holds(ordered_json::parse(reply.body)))
      return clock::now() - began_;
    require_living(what, until);
    std::this_thread::sleep_for(status_interval);
  }
}

ordered_json bench_daemon::status() const {
  return api_client({.url = url_}).get("/v1/status");
}

started_runs start_over_http(const std::string& daemon_url, const std::string& definition, uint64_t count) {
  std::random_device chance;
  const auto word = [&] { return static_cast<uint64_t>(chance()) << 32 | chance(); };
  const uuid_entropy entropy{word(), word()};
  started_runs started;
  started.tenant = {make_uuid_v7(now_utc(), entropy)};
  api_client client({.url = daemon_url});
  client.post("/v1/workflows", definition);
  const json start{{"workflow", json::parse(definition).at("workflow")}, {"run_type", "test"}};
  const auto path = fmt::format("/v1/tenants/{}/runs", to_string(started.tenant));
  while (started.acknowledged < count) {
    const auto asks = std::min<uint64_t>(list_max, count - started.acknowledged);
    const auto reply = client.exchange("POST", path, json(std::vector<json>(asks, start)).dump());
    duration wait{};
    for (const auto& answer : read_start_answers(reply, asks)) {
      if (std::holds_alternative<start_granted>(answer)) {
        ++started.acknowledged;
        continue;
      }
      const auto& setback = std::get<start_setback>(answer);
      if (setback.next != start_setback::next_type::again)
        throw command_failed(exit_status::failed, fmt::format("a start failed: {}", setback.reason));
      wait = std::max(wait, setback.wait);
    }
    std::this_thread::sleep_for(wait);
  }
  return started;
}

} // namespace levain::load
