#pragma once

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "actors/gateway/api.hpp"
#include "actors/node.hpp"
#include "tests/support/http_client.hpp"

namespace levain::test {

/// A node with its HTTP interface on a loopback port, in this process, and a client for it.
class gateway_world {
public:
  static inline const std::string tenant = "11111111-1111-4111-8111-111111111111";
  static inline const std::string stranger = "22222222-2222-4222-8222-222222222222";

  /// Reads come from the database at `url`.
  gateway_world(node_options options, node_ports ports, const std::string& url)
    : engine_(std::move(options), std::move(ports))
    , api_(engine_, std::make_unique<reader>(reader_options{.queries = {.url = url}}), {"0.0.0"})
    , server_(std::make_unique<http_server>(http_server_options{}, api_.handler())) {}

  ~gateway_world() {
    server_->stop();
    api_.stop();
    engine_.stop();
  }

  api& interface() { return api_; }

  http_answer send(http_question question) {
    question.url = "http://127.0.0.1:" + std::to_string(server_->port()) + question.url;
    auto answer = ask(question);
    BOOST_TEST_REQUIRE(answer.has_value(), "no answer to " << question.method << ' ' << question.url);
    return *answer;
  }
  http_answer get(const std::string& path) { return send({"GET", path}); }
  http_answer post(const std::string& path, const nlohmann::json& body) { return send({"POST", path, body.dump()}); }

  /// Below the tenant's path.
  std::string path(const std::string& rest) const { return "/v1/tenants/" + tenant + rest; }

  /// Registers a workflow `name` of one simulated step; fails the test when it is refused.
  void register_simulated(const std::string& name, const nlohmann::json& simulate, const nlohmann::json& more = {}) {
    nlohmann::json step = {{"name", "bake"}, {"call", {{"simulate", simulate}}}};
    if (more.is_object())
      step.update(more);
    const auto answer = post("/v1/workflows", {{"workflow", name}, {"version", 1}, {"steps", {step}}});
    BOOST_TEST_REQUIRE(answer.status == 201, answer.body);
  }

  /// Starts a run; answers its acknowledgement.
  nlohmann::json start(const nlohmann::json& body) {
    const auto answer = post(path("/runs"), body);
    BOOST_TEST_REQUIRE(answer.status == 201, answer.body);
    return answer.json();
  }

  /// Asks until the answer pleases; fails the test when it never does.
  template <class Pleases>
  http_answer get_until(const std::string& where, Pleases pleases) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    for (;;) {
      auto answer = get(where);
      if (pleases(answer))
        return answer;
      BOOST_TEST_REQUIRE((std::chrono::steady_clock::now() < deadline), "still " << answer.body);
      std::this_thread::yield();
    }
  }

  /// Waits until the node has recovered all shards and takes starts, as `/v1/status` says.
  void wait_until_ready() {
    get_until("/v1/status", [](const http_answer& answer) {
      const auto status = answer.json();
      return status["shards_ready"] == shard_count && status["ready"] == true;
    });
  }

  /// Waits until the run's status is this.
  nlohmann::json wait_for(const std::string& run, const std::string& status) {
    return get_until(
             path("/runs/" + run),
             [&](const http_answer& answer) { return answer.status == 200 && answer.json()["status"] == status; })
      .json();
  }

private:
  node engine_;
  api api_;
  std::unique_ptr<http_server> server_;
};

} // namespace levain::test
