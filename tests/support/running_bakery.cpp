#include "tests/support/running_bakery.hpp"

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <system_error>

#include "tests/support/http_client.hpp"

namespace levain::test {

using namespace std::chrono_literals;
using nlohmann::json;

namespace {

constexpr auto start_limit = 60s;

} // namespace

running_bakery::running_bakery() {
  start("0");
}

void running_bakery::start(const std::string& port) {
  program_.emplace(
    program_options{.program = "levain-bakery", .arguments = {"--state", folder_ / "state", "--port", port}});
  eventually([this] { return program_->output().ends_with("\n") || !program_->running(); }, start_limit);
  url_ = program_->output();
  if (!url_.ends_with("\n"))
    throw std::runtime_error("the bakery does not serve; it said: " + program_->errors());
  url_.pop_back();
}

std::vector<std::string> running_bakery::variables() const {
  std::vector<std::string> arguments;
  for (const std::string service : {"forecasting", "production", "procurement", "notification", "insights"}) {
    arguments.emplace_back("--var");
    arguments.push_back(service + "_url=" + url_);
  }
  return arguments;
}

std::vector<std::string> running_bakery::tenants() const {
  std::vector<std::string> ids;
  const auto known = ask({.method = "GET", .url = url_ + "/bakeries"}).value().json();
  for (const auto& each : known.at("bakeries"))
    ids.push_back(each.at("tenant"));
  return ids;
}

void running_bakery::set_faults(const json& faults) {
  const auto answer = ask({.method = "PUT", .url = url_ + "/faults", .body = faults.dump()});
  if (!answer || answer->status != 200)
    throw std::runtime_error("the bakery refused its faults: " + (answer ? answer->body : "no answer"));
}

void running_bakery::kill() {
  program_->kill_and_wait();
}

void running_bakery::start_again() {
  start(url_.substr(url_.rfind(':') + 1));
}

std::vector<json> running_bakery::lines_of(const std::string& file) const {
  std::vector<json> all;
  std::ifstream in(folder_ / ("state/" + file));
  for (std::string line; std::getline(in, line);)
    all.push_back(json::parse(line));
  return all;
}

std::vector<ledger_call> running_bakery::ledger() const {
  std::vector<ledger_call> calls;
  for (const auto& line : lines_of("ledger.jsonl"))
    calls.push_back(
      {.at = line.at("at"),
       .method = line.at("method"),
       .path = line.at("path"),
       .service = line.at("service"),
       .key = line.at("key"),
       .attempt = line.at("attempt"),
       .tenant = line.at("tenant"),
       .run = line.at("run"),
       .status = line.at("status"),
       .repeated = line.at("repeated"),
       .fault = line.at("fault")});
  return calls;
}

size_t running_bakery::ledger_bytes() const {
  std::error_code none;
  const auto size = std::filesystem::file_size(folder_ / "state/ledger.jsonl", none);
  return none ? 0 : size;
}

std::vector<json> running_bakery::done() const {
  return lines_of("done.jsonl");
}

std::vector<json> running_bakery::outbox() const {
  return lines_of("outbox.jsonl");
}

} // namespace levain::test
