// The node's desk and the program `levain-worker`, with the wire between them and nothing else of a node.
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <csignal>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>

#include <caf/actor_system.hpp>
#include <caf/send.hpp>

#include "actors/cluster/wire_system.hpp"
#include "actors/cluster/worker_desk_actor.hpp"
#include "tests/support/processes.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

constexpr const char* tenant = "6f1c2a90-5b7e-4d0a-8c31-0a4e5d2b7c01";

/// What calls came to, by their keys.
class answers {
public:
  call_done taker(const std::string& key) {
    return [this, key](call_result result) {
      std::lock_guard lock(mutex_);
      all_[key].push_back(std::move(result));
    };
  }
  bool has(const std::string& key) const {
    std::lock_guard lock(mutex_);
    return all_.contains(key);
  }
  size_t count() const {
    std::lock_guard lock(mutex_);
    return all_.size();
  }
  /// The one answer to a call; throws `std::runtime_error` when there is none, or more than one.
  call_result of(const std::string& key) const {
    std::lock_guard lock(mutex_);
    const auto found = all_.find(key);
    if (found == all_.end() || found->second.size() != 1)
      throw std::runtime_error("not one answer to " + key);
    return found->second[0];
  }

private:
  mutable std::mutex mutex_;
  std::map<std::string, std::vector<call_result>> all_;
};

struct desk_world {
  desk_world() {
    gate = system.spawn(worker_desk_actor, desk, "desk");
    port = open_gate(gate, {"127.0.0.1", 0});
  }
  ~desk_world() {
    in_flight.clear();
    desk->close();
    caf::anon_send(gate, close_wire{});
    gate = nullptr;
  }

  std::string script(const std::string& name, const std::string& text) {
    const auto file = folder / name;
    std::ofstream(file) << "#!/bin/sh\n" << text << '\n';
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
    return file;
  }

  std::unique_ptr<running_program> start_worker(const std::vector<std::string>& more) {
    std::vector<std::string> words{"--node", "127.0.0.1:" + std::to_string(port)};
    words.insert(words.end(), more.begin(), more.end());
    const auto before = desk->figures().connected;
    auto worker = std::make_unique<running_program>(program_options{.program = "levain-worker", .arguments = words});
    BOOST_TEST_REQUIRE(eventually([&] { return desk->figures().connected == before + 1; }, 20s), worker->errors());
    return worker;
  }

  /// Of the calls to come.
  std::string body = R"({"run":{"id":"none"},"input":{},"results":{}})";

  void begin(const std::string& kind, const std::string& key, duration heartbeat = {}) {
    call_request request;
    request.run = make_run_id(now_utc(), {++made, made}, 1);
    request.run_number = "ORCH-20261123-00000001";
    request.tenant = {uuid::parse(tenant).value()};
    request.step = "step";
    request.attempt = 1;
    request.idempotency_key = key;
    request.timeout = 1min;
    request.call = worker_call{kind, heartbeat};
    request.epoch = 7;
    request.body = body;
    in_flight[key] = desk->begin(std::move(request), got.taker(key));
  }

  std::string lines_of(const std::string& file) const {
    std::ifstream in(folder / file);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  uint64_t made = 0;
  temporary_folder folder;
  wire_config config{wire_security{}, wire_pace{}};
  caf::actor_system system{config};
  std::shared_ptr<worker_desk> desk = std::make_shared<worker_desk>(worker_roster_options{}, now_utc);
  caf::actor gate;
  uint16_t port = 0;
  answers got;
  std::map<std::string, call_in_flight> in_flight;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(worker_wire_test, desk_world)

BOOST_AUTO_TEST_CASE(many_calls_are_done_once_each_and_nobody_is_cut_off) {
  constexpr size_t count = 500;
  const auto worker = start_worker({"--bakery", "forecasting", "--at-once", "3"});
  for (size_t i = 0; i < count; ++i)
    begin("bakery.forecasting", "key" + std::to_string(i));
  BOOST_TEST_REQUIRE(eventually([&] { return got.count() == count; }, 60s), worker->errors());
  for (size_t i = 0; i < count; ++i)
    BOOST_TEST(std::holds_alternative<std::string>(got.of("key" + std::to_string(i))));
  BOOST_TEST(worker->errors().find("node_lost") == std::string::npos, worker->errors());
}

BOOST_AUTO_TEST_CASE(two_workers_share_the_calls) {
  constexpr size_t count = 40;
  const auto text = [&](const std::string& name) { return "echo $LEVAIN_KEY >> " + (folder / name) + "; echo '{}'"; };
  const auto one = start_worker({"--exec", "bake=" + script("one.sh", text("one")), "--at-once", "1"});
  const auto two = start_worker({"--exec", "bake=" + script("two.sh", text("two")), "--at-once", "1"});
  for (size_t i = 0; i < count; ++i)
    begin("bake", "key" + std::to_string(i));
  BOOST_TEST_REQUIRE(eventually([&] { return got.count() == count; }, 60s));
  BOOST_TEST(!lines_of("one").empty());
  BOOST_TEST(!lines_of("two").empty());
}

BOOST_AUTO_TEST_CASE(calls_that_are_given_up_again_and_again_harm_nobody) {
  const auto worker = start_worker({"--exec", "bake=" + script("bake.sh", "echo '{}'"), "--at-once", "4"});
  constexpr size_t count = 200;
  size_t given_up = 0;
  for (size_t i = 0; i < count; ++i) {
    begin("bake", "key" + std::to_string(i));
    if (i % 3 != 2)
      continue;
    // One that has just begun, is being done, or has ended.
    in_flight["key" + std::to_string(i - i % 2)].give_up();
    ++given_up;
  }
  begin("bake", "last");
  BOOST_TEST(eventually([&] { return got.count() >= count - given_up + 1; }, 60s), worker->errors());
  BOOST_TEST(std::holds_alternative<std::string>(got.of("last")));
  BOOST_TEST(worker->errors().find("node_lost") == std::string::npos, worker->errors());
}

BOOST_AUTO_TEST_CASE(the_calls_of_a_worker_that_is_killed_are_done_by_another) {
  const auto text = "echo $LEVAIN_KEY >> " + (folder / "begun") + "; while [ ! -e " + (folder / "door") +
                    " ]; do sleep 0.05; done; echo '{}'";
  const auto one = start_worker({"--exec", "bake=" + script("bake.sh", text), "--at-once", "2"});
  begin("bake", "a");
  begin("bake", "b");
  BOOST_TEST_REQUIRE(eventually([&] { return lines_of("begun").size() == 4; }, 20s));
  const auto two = start_worker({"--exec", "bake=" + script("bake.sh", text), "--at-once", "2"});
  one->kill_and_wait();
  BOOST_TEST_REQUIRE(eventually([&] { return lines_of("begun").size() == 8; }, 20s));
  std::ofstream(folder / "door") << "open\n";
  BOOST_TEST(eventually([&] { return got.count() == 2; }, 20s));
  BOOST_TEST(std::holds_alternative<std::string>(got.of("a")));
}

BOOST_AUTO_TEST_CASE(a_worker_that_leaves_ends_its_calls_and_gets_no_more) {
  const auto text = "echo $LEVAIN_KEY >> " + (folder / "begun") + "; while [ ! -e " + (folder / "door") +
                    " ]; do sleep 0.05; done; echo '{}'";
  const auto worker = start_worker({"--exec", "bake=" + script("bake.sh", text), "--at-once", "2"});
  begin("bake", "a");
  BOOST_TEST_REQUIRE(eventually([&] { return lines_of("begun") == "a\n"; }, 20s));
  worker->send_signal(SIGTERM);
  BOOST_TEST_REQUIRE(eventually([&] { return desk->list().at(0).leaving; }, 20s));
  begin("bake", "b");
  std::ofstream(folder / "door") << "open\n";
  BOOST_TEST(eventually([&] { return got.count() == 1; }, 20s));
  BOOST_TEST(std::holds_alternative<std::string>(got.of("a")));
  const auto end = worker->wait(20s);
  BOOST_TEST_REQUIRE(end.has_value());
  BOOST_TEST(end->status.value_or(-1) == 0);
  BOOST_TEST(desk->figures().calls_waiting == 1U);
}

BOOST_AUTO_TEST_CASE(a_call_without_heartbeats_ends_and_one_with_them_goes_on) {
  const auto worker = start_worker(
    {"--exec", "silent=" + script("silent.sh", "sleep 60"), "--exec",
     "lively=" +
       script("lively.sh", "for i in 1 2 3 4 5 6 7 8 9 10; do echo progress: $i >&2; sleep 0.1; done; echo '{}'"),
     "--at-once", "1"});
  begin("silent", "a", 500ms);
  begin("lively", "b", 500ms);
  BOOST_TEST(eventually([&] { return got.count() == 2; }, 30s));
  const auto silent = got.of("a");
  BOOST_TEST_REQUIRE(std::holds_alternative<call_failure>(silent));
  BOOST_TEST(std::get<call_failure>(silent).message.find("no heartbeat within 500ms") == 0U);
  BOOST_TEST(std::holds_alternative<std::string>(got.of("b")));
  // Its command was ended, so the slot is free again.
  begin("silent", "c");
  BOOST_TEST(eventually([&] { return desk->figures().calls_out == 1; }, 20s));
}

BOOST_AUTO_TEST_CASE(small_calls_pass_large_ones_and_what_is_on_its_way_is_no_silence) {
  const auto worker = start_worker(
    {"--exec", "pack=" + script("pack.sh", "cat >/dev/null; echo '{}'"), "--exec",
     "tiny=" + script("tiny.sh", "echo 1"), "--at-once", "4"});
  body = R"({"run":{},"input":{},"results":{"large":")" + std::string(30'000'000, 'x') + R"("}})";
  for (const std::string name : {"a", "b", "c", "d"})
    begin("pack", name, 2s);
  body = R"({"run":{},"input":{},"results":{}})";
  for (int count = 0; count < 5; ++count) {
    const auto name = "tiny" + std::to_string(count);
    begin("tiny", name);
    BOOST_TEST_REQUIRE(eventually([&] { return got.has(name); }, 30s), worker->errors());
  }
  BOOST_TEST_REQUIRE(eventually([&] { return got.count() == 9; }, 120s), worker->errors());
  for (const std::string name : {"a", "b", "c", "d"})
    BOOST_TEST(std::holds_alternative<std::string>(got.of(name)), name);
  BOOST_TEST(worker->errors().find("node_lost") == std::string::npos, worker->errors());
}

BOOST_AUTO_TEST_SUITE_END()
