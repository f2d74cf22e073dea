// Frames that no program of ours sends, against a living node and a living worker.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>
#include <memory>
#include <vector>

#include "actors/cluster/wire_address.hpp"
#include "tests/faults/fault_checks.hpp"
#include "tests/support/database.hpp"
#include "tests/support/has.hpp"
#include "tests/support/running_cluster.hpp"
#include "tests/support/seed.hpp"
#include "tests/support/tcp_gate.hpp"
#include "tests/support/wire_frames.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;
using boost::asio::ip::tcp;

namespace {

constexpr size_t connections = 20'000;
/// What a node of this size may have at most, in bytes.
constexpr size_t memory_max = size_t{400} * 1024 * 1024;

nlohmann::json works() {
  return nlohmann::json::parse(R"({"workflow": "works", "version": 1, "steps": [
    {"name": "only", "call": {"worker": {"kind": "steady"}}, "timeout": "1m", "retry": {"max_attempts": 1}}]})");
}

/// A node with a worker.
struct small_world {
  small_world() {
    auto& anna = cluster.start_node("anna");
    anna.wait_until_ready();
    anna.register_workflow(works());
    cluster.start_worker("w1", 40, "steady");
    BOOST_TEST_REQUIRE(eventually([&] { return sees_worker(); }, generous), cluster.worker("w1").errors());
  }

  running_daemon& anna() { return cluster.node("anna"); }
  tcp::endpoint gate() {
    const auto at = parse_wire_address(cluster.gate_of("anna").address()).value();
    return {boost::asio::ip::make_address(at.host), at.port};
  }
  bool sees_worker() {
    const auto answer = anna().get("/v1/operator/workers");
    return answer && answer->status == 200 && has(answer->body, "\"w1\"");
  }
  /// Steps are done as before, by the worker that was there before.
  void check() {
    starter starts(some_tenant, "works");
    BOOST_TEST(starts.start(anna().url(), 20) == 20u);
    evidence seen(database.url());
    BOOST_TEST(eventually([&] { return seen.runs() == 20u && seen.all_ended(); }, generous), anna().program().errors());
    BOOST_TEST(sees_worker());
    BOOST_TEST(!has(cluster.worker("w1").errors(), "node_lost"), cluster.worker("w1").errors());
    BOOST_TEST(cluster.runs("anna"), anna().program().errors());
  }

  fresh_database database;
  running_cluster cluster{{.database_url = database.url()}};
};

} // namespace

BOOST_AUTO_TEST_SUITE(bent_frames_test)

BOOST_AUTO_TEST_CASE(bent_frames_end_no_node_and_cost_it_little) {
  small_world world;
  const auto seed = std::to_string(announced_seed() % 1'000'000'000);
  running_program rogue(
    {"levain-rogue-peer",
     {"bent_frames", world.cluster.gate_of("anna").address(), std::to_string(connections), seed, "-"}});

  // When: they come, HTTP answers meanwhile.
  size_t memory = 0;
  while (rogue.running()) {
    const auto live = world.anna().get("/health/live");
    BOOST_TEST_REQUIRE((live && live->status == 200), "seed " << seed << ": " << world.anna().program().errors());
    memory = std::max(memory, world.anna().program().memory());
    rogue.wait(100ms);
  }

  // Then
  BOOST_TEST(rogue.output() == "connections: " + std::to_string(connections) + "\n", "seed " << seed);
  BOOST_TEST(memory < memory_max, "seed " << seed);
  BOOST_TEST(has(world.anna().program().errors(), "strangers_cut_off"));
  world.check();
}

BOOST_AUTO_TEST_CASE(announced_bytes_take_no_memory) {
  small_world world;
  boost::asio::io_context context;
  std::vector<std::unique_ptr<tcp::socket>> open;
  const auto speak = [&](const std::string& bytes) {
    auto& each = *open.emplace_back(std::make_unique<tcp::socket>(context));
    each.connect(world.gate());
    boost::system::error_code closed;
    boost::asio::write(each, boost::asio::buffer(bytes), closed);
  };

  // When: 4 GiB are announced by strangers, and the most that is allowed by those who have introduced themselves.
  for (int i = 0; i < 20; ++i)
    speak(frames::to_bytes({.operation = frames::client_handshake, .payload = 0xffffffff}));
  for (uint32_t i = 1; i <= 40; ++i)
    speak(
      frames::both_connecting(frames::name(i, 'z')) +
      frames::to_bytes({.operation = frames::direct, .payload = 64 * 1024 * 1024, .dest = 1}));

  // Then: those who have to wait for room are cut off no later than those who have it and send nothing.
  BOOST_TEST(
    eventually([&] { return has(world.anna().program().errors(), "4294967295 bytes, 4096 are allowed"); }, generous));
  BOOST_TEST(world.anna().program().memory() < memory_max);
  world.check();
}

BOOST_AUTO_TEST_CASE(a_gate_that_means_ill_ends_no_worker) {
  small_world world;
  const auto port = free_port();
  const auto at = "127.0.0.1:" + std::to_string(port);
  running_program rogue(
    {"levain-rogue-peer", {"bent_gate", at, "8", std::to_string(announced_seed() % 1'000'000'000), "-"}});
  running_program worker(
    {"levain-worker", {"--node", at, "--node", world.cluster.gate_of("anna").address(), "--exec", "other=/bin/true"}});
  BOOST_TEST(
    eventually(
      [&] { return has(worker.errors(), "it sends a handshake of the accepting side without payload"); }, generous),
    worker.errors());
  BOOST_TEST(eventually([&] { return has(worker.errors(), "node_connected"); }, generous), worker.errors());
  BOOST_TEST(eventually([&] { return !rogue.running(); }, generous), worker.errors());
  BOOST_TEST(worker.running());
  BOOST_TEST(!has(worker.errors(), "node_lost"), worker.errors());
}

BOOST_AUTO_TEST_CASE(strangers_who_say_nothing_leave_descriptors_for_others) {
  small_world world;
  boost::asio::io_context context;
  std::vector<std::unique_ptr<tcp::socket>> idle;

  // When: far more come than may stay.
  for (int i = 0; i < 1'000; ++i) {
    auto& each = *idle.emplace_back(std::make_unique<tcp::socket>(context));
    each.connect(world.gate());
  }

  // Then
  BOOST_TEST(
    eventually(
      [&] {
        return has(world.anna().program().errors(), "connections from one address have not introduced themselves yet");
      },
      generous),
    world.anna().program().errors());
  const auto ready = world.anna().get("/health/ready");
  BOOST_TEST((ready && ready->status == 200));
  world.check();
}

BOOST_AUTO_TEST_SUITE_END()
