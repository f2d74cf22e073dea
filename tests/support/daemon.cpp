#include "tests/support/daemon.hpp"

#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace levain::test {

using namespace std::chrono_literals;
using nlohmann::json;

namespace {

/// A first start makes a database and migrates it; on a busy machine that takes its time.
constexpr auto start_limit = 90s;

program_options
options_of(std::vector<std::string> starter, std::vector<std::string> arguments, const std::string& port_file) {
  if (!starter.empty()) {
    const auto program = starter.front();
    starter.erase(starter.begin());
    starter.push_back((program_folder() / "levaind").string());
    starter.insert(starter.end(), arguments.begin(), arguments.end());
    auto options = options_of({}, std::move(starter), port_file);
    options.program = program;
    return options;
  }
  for (const auto& each : {std::string("--listen"), std::string("127.0.0.1:0"), std::string("--port-file"), port_file})
    arguments.push_back(each);
  return {.program = "levaind", .arguments = std::move(arguments)};
}

} // namespace

running_daemon::running_daemon(std::vector<std::string> arguments)
  : running_daemon({}, std::move(arguments)) {}

running_daemon::running_daemon(std::vector<std::string> starter, std::vector<std::string> arguments)
  : program_(options_of(std::move(starter), std::move(arguments), folder_ / "port")) {
  const auto port_file = folder_ / "port";
  eventually([&] { return std::filesystem::exists(port_file) || !program_.running(); }, start_limit);
  std::string port;
  if (!(std::ifstream(port_file) >> port))
    throw std::runtime_error("levaind does not listen; it said: " + program_.errors());
  url_ = "http://127.0.0.1:" + port;
}

bool running_daemon::ready() const {
  const auto answer = get("/health/ready");
  return answer && answer->status == 200;
}

void running_daemon::wait_until_ready() {
  if (!eventually([this] { return ready() || !program_.running(); }, start_limit) || !program_.running())
    throw std::runtime_error("levaind does not become ready; it said: " + program_.errors());
}

std::optional<http_answer> running_daemon::get(const std::string& path) const {
  return ask({.method = "GET", .url = url_ + path});
}

std::optional<http_answer> running_daemon::post(const std::string& path, const json& body) const {
  return ask({.method = "POST", .url = url_ + path, .body = body.dump()});
}

void running_daemon::register_workflow(const json& definition) const {
  const auto answer = post("/v1/workflows", definition);
  if (!answer || answer->status / 100 != 2)
    throw std::runtime_error("the workflow was refused: " + (answer ? answer->body : "no answer"));
}

size_t starter::start(const std::string& daemon_url, size_t count, const std::string& key) {
  auto list = json::array();
  for (size_t i = 0; i < count; ++i) {
    list.push_back({{"workflow", workflow_}});
    if (!key.empty())
      list.back()["idempotency_key"] = key + "-" + std::to_string(i);
  }
  const auto answer =
    ask({.method = "POST", .url = daemon_url + "/v1/tenants/" + tenant_ + "/runs", .body = list.dump()});
  if (!answer || answer->status / 100 != 2)
    return 0;
  size_t acknowledged = 0;
  const auto document = answer->json();
  for (const auto& each : document.at("results")) {
    if (!each.contains("id"))
      continue;
    ++acknowledged;
    acknowledged_.insert(each.at("id").get<std::string>());
    repeated_ += each.at("repeated").get<bool>() ? 1 : 0;
  }
  return acknowledged;
}

} // namespace levain::test
