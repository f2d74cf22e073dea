#include "tests/support/running_cluster.hpp"

#include <csignal>
#include <fstream>
#include <sstream>

namespace levain::test {

running_cluster::running_cluster(options how)
  : how_(std::move(how)) {}

running_daemon& running_cluster::start_node(const std::string& name, const std::string& database_url) {
  auto& member = nodes_[name];
  if (!member.gate) {
    member.port = free_port();
    member.gate = std::make_unique<tcp_gate>(member.port);
  }
  std::vector<std::string> arguments{
    "--name",
    name,
    "--database",
    database_url.empty() ? how_.database_url : database_url,
    "--cluster",
    "127.0.0.1:" + std::to_string(member.port),
    "--cluster-advertise",
    member.gate->address()};
  if (!how_.certificates.empty())
    for (const auto& [option, file] : std::map<std::string, std::string>{
           {"--cluster-certificate", "/node.pem"}, {"--cluster-key", "/node.key"}, {"--cluster-ca", "/ca.pem"}}) {
      arguments.push_back(option);
      arguments.push_back(how_.certificates + file);
    }
  arguments.insert(arguments.end(), how_.daemon_arguments.begin(), how_.daemon_arguments.end());
  member.daemon = std::make_unique<running_daemon>(arguments);
  return *member.daemon;
}

bool running_cluster::runs(const std::string& name) const {
  const auto found = nodes_.find(name);
  return found != nodes_.end() && found->second.daemon && found->second.daemon->program().running();
}

void running_cluster::kill_node(const std::string& name) {
  nodes_.at(name).daemon->program().kill_and_wait();
}

bool running_cluster::stop_node(const std::string& name, std::chrono::milliseconds limit) {
  auto& program = node(name).program();
  program.send_signal(SIGTERM);
  const auto end = program.wait(limit);
  return end && end->status == 0;
}

std::vector<std::string> running_cluster::nodes_running() const {
  std::vector<std::string> names;
  for (const auto& each : nodes_)
    if (runs(each.first))
      names.push_back(each.first);
  return names;
}

void running_cluster::start_worker(const std::string& name, unsigned slots, const std::string& kinds) {
  std::vector<std::string> arguments{
    folder_ / "ledger", name, std::to_string(slots), kinds, how_.certificates.empty() ? "-" : how_.certificates};
  for (const auto& each : nodes_)
    arguments.push_back(each.second.gate->address());
  workers_[name] = std::make_unique<running_program>(
    program_options{.program = "levain-ledger-worker", .arguments = std::move(arguments)});
}

void running_cluster::kill_worker(const std::string& name) {
  workers_.at(name)->kill_and_wait();
}

std::vector<std::string> running_cluster::workers_running() const {
  std::vector<std::string> names;
  for (const auto& each : workers_)
    if (each.second->running())
      names.push_back(each.first);
  return names;
}

running_cluster::work_done running_cluster::ledger() const {
  work_done all;
  std::ifstream file(folder_ / "ledger");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string what;
    std::string key;
    words >> what >> key;
    ++(what == "done" ? all.done : all.begun)[key];
  }
  return all;
}

std::optional<nlohmann::json> running_cluster::ask(const std::string& path) const {
  for (const auto& each : nodes_running())
    if (const auto answer = nodes_.at(each).daemon->get(path); answer && answer->status == 200)
      return answer->json();
  return std::nullopt;
}

size_t running_cluster::shards_ready(const std::string& name) const {
  const auto answer = nodes_.at(name).daemon->get("/v1/status");
  return answer && answer->status == 200 ? answer->json().at("shards_ready").get<size_t>() : 0;
}

size_t running_cluster::shards_ready() const {
  size_t ready = 0;
  for (const auto& each : nodes_running())
    ready += shards_ready(each);
  return ready;
}

} // namespace levain::test
