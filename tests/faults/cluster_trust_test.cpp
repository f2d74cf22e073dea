// Whom nodes and workers talk to, and what becomes of those who talk nonsense.
#include <boost/asio/ip/tcp.hpp>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <vector>

#include "tests/faults/fault_checks.hpp"
#include "tests/support/database.hpp"
#include "tests/support/has.hpp"
#include "tests/support/insistent_callers.hpp"
#include "tests/support/running_cluster.hpp"
#include "tests/support/tls_client.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

constexpr size_t steps = 2;
constexpr size_t shards = 64;

/// No attempt may be wasted: there is one.
nlohmann::json works() {
  return nlohmann::json::parse(R"({"workflow": "works", "version": 1, "steps": [
    {"name": "first", "call": {"worker": {"kind": "steady"}}, "timeout": "1m", "retry": {"max_attempts": 1}},
    {"name": "second", "needs": ["first"], "call": {"worker": {"kind": "steady"}}, "timeout": "1m",
     "retry": {"max_attempts": 1}}]})");
}

/// What `levain certs` makes.
std::string certificates(const std::string& folder) {
  const auto made = run_to_end({"levain", {"certs", folder}, {}}, generous);
  BOOST_TEST_REQUIRE(made.status == 0, made.errors);
  return folder;
}

/// Two nodes, a worker, and callers who start runs at `anna` all the time.
struct small_cluster {
  explicit small_cluster(const std::string& certificate_folder = {})
    : cluster({.database_url = database.url(), .certificates = certificate_folder}) {
    for (const auto& name : {"anna", "berta"})
      cluster.start_node(name).wait_until_ready();
    anna().register_workflow(works());
    BOOST_TEST_REQUIRE(eventually(
      [&] { return cluster.shards_ready("anna") == shards / 2 && cluster.shards_ready() == shards; }, generous));
    cluster.start_worker("w1", 40, "steady");
    BOOST_TEST_REQUIRE(
      eventually([&] { return workers_of("anna") == only_w1 && workers_of("berta") == only_w1; }, generous),
      cluster.worker("w1").errors());
    callers.turn_to(anna().url());
  }

  running_daemon& anna() { return cluster.node("anna"); }

  /// The names of the workers that a node sees.
  std::multiset<std::string> workers_of(const std::string& node) {
    std::multiset<std::string> names;
    const auto answer = cluster.node(node).get("/v1/operator/workers");
    if (!answer || answer->status != 200)
      return names;
    const auto document = answer->json();
    for (const auto& each : document.at("workers"))
      names.insert(each.at("name").get<std::string>());
    return names;
  }

  /// Until the callers got so many more lists taken.
  void go_on(size_t lists) {
    const auto until = callers.taken() + lists;
    BOOST_TEST(eventually([&] { return callers.taken() >= until; }, generous), anna().program().errors());
  }

  /// Every run has ended well, its steps done once each, and nodes and worker are as they were.
  void check() {
    BOOST_TEST(callers.finish(generous));
    BOOST_TEST(callers.contradictions().empty());
    evidence seen(database.url());
    BOOST_TEST(
      eventually([&] { return seen.all_ended(); }, generous),
      "only " << seen.runs_ended() << " of " << seen.runs() << " runs have ended");
    for (const auto& each : seen.contradictions())
      BOOST_ERROR(each);
    std::set<std::string> acknowledged;
    for (const auto& [start, run] : callers.acknowledged())
      acknowledged.insert(run);
    BOOST_TEST(seen.lost(acknowledged).empty());
    BOOST_TEST(seen.runs() == acknowledged.size());
    const auto work = cluster.ledger();
    BOOST_TEST(work.done.size() == acknowledged.size() * steps);
    for (const auto& [key, times] : work.done)
      BOOST_TEST(times == 1u, key);
    BOOST_TEST(workers_of("anna") == only_w1);
    BOOST_TEST(workers_of("berta") == only_w1);
    BOOST_TEST(!has(cluster.worker("w1").errors(), "node_lost"), cluster.worker("w1").errors());
    for (const auto& name : {"anna", "berta"}) {
      BOOST_TEST(cluster.runs(name), cluster.node(name).program().errors());
      BOOST_TEST(!has(cluster.node(name).program().errors(), "peer_lost"), cluster.node(name).program().errors());
    }
    const auto verified =
      run_to_end({.program = "levain", .arguments = {"verify", "--all", "--database", database.url()}}, generous);
    BOOST_TEST(verified.status == 0, verified.output);
  }

  const std::multiset<std::string> only_w1{"w1"};
  fresh_database database;
  running_cluster cluster;
  insistent_callers callers{{some_tenant}, "works", {.list = 10, .pause = 30ms}};
};

/// As `wire_security`; any of them may be empty.
struct wire_files {
  std::string certificate = {};
  std::string key = {};
  std::string ca = {};
};

/// A program that speaks wrongly in this way; what it said when it is over.
std::string rogue(const std::string& how, const std::string& address, const wire_files& files = {}) {
  return run_to_end({"levain-rogue-peer", {how, address, files.certificate, files.key, files.ca}, {}}, generous).output;
}

} // namespace

BOOST_AUTO_TEST_SUITE(cluster_trust_test)

BOOST_AUTO_TEST_CASE(who_has_no_certificate_of_the_same_ca_gets_nowhere) {
  // Given
  const temporary_folder folder;
  const auto ours = certificates(folder / "ours");
  const auto theirs = certificates(folder / "theirs");
  small_cluster world(ours);
  auto& cluster = world.cluster;
  const auto address = cluster.gate_of("anna").address();

  // When: workers come without a certificate, and with those of another CA.
  const auto worker = [&](const std::string& certificates_used) {
    return std::make_unique<running_program>(program_options{
      .program = "levain-ledger-worker",
      .arguments = {folder / "ledger", "stranger", "40", "steady", certificates_used, address}});
  };
  const auto plain = worker("-");
  const auto strange = worker(theirs);
  const auto unreachable = "node_unreachable address=" + address;
  for (const auto* each : {plain.get(), strange.get()})
    BOOST_TEST(eventually([&] { return has(each->errors(), unreachable); }, generous), each->errors());
  BOOST_TEST(has(plain->errors(), "it speaks TLS, and this program has no certificate"), plain->errors());

  // And: one that trusts our CA, and shows what another has signed.
  const auto our_ca = ours + "/ca.pem";
  const auto foreign = rogue("foreign_answer", address, {theirs + "/worker.pem", theirs + "/worker.key", our_ca});
  BOOST_TEST(foreign.starts_with("not connected: "), foreign);
  // Which is not because it could not have been.
  const auto said = rogue("unknown_node", address, {ours + "/worker.pem", ours + "/worker.key", our_ca});
  BOOST_TEST(has(said, "refused: the database knows no node"), said << world.anna().program().errors());

  // And: one that speaks TLS, trusts our CA, and shows no certificate at all; the gate speaks first with who has one.
  const auto nameless = greeting_over_tls(address, {{}, {}, our_ca}, generous);
  BOOST_TEST(nameless.bytes.empty());
  BOOST_TEST(has(nameless.error, "certificate required"), nameless.error);
  const auto known = greeting_over_tls(address, {ours + "/worker.pem", ours + "/worker.key", our_ca}, generous);
  BOOST_TEST(!known.bytes.empty(), known.error);

  // And: a node that the database lists, and whose certificate is another CA's.
  running_program stranger(
    {"levaind",
     {"--listen", "127.0.0.1:0", "--name", "stranger", "--database", world.database.url(), "--cluster", "127.0.0.1:0",
      "--cluster-certificate", theirs + "/node.pem", "--cluster-key", theirs + "/node.key", "--cluster-ca",
      theirs + "/ca.pem"}});
  const auto ended = stranger.wait(generous);
  BOOST_TEST_REQUIRE(ended.has_value());
  BOOST_TEST((ended->status == 1), stranger.errors());
  const auto said_at_end = stranger.errors();
  BOOST_TEST(
    has(said_at_end, "this node fits none of the living nodes and does not join them: node 'anna' at " + address),
    said_at_end);
  BOOST_TEST(has(said_at_end, "its certificate is refused"), said_at_end);
  BOOST_TEST(!has(said_at_end, "node_joined"), said_at_end);

  // And: one that is listed, and has no certificates at all.
  running_program bare(
    {"levaind",
     {"--listen", "127.0.0.1:0", "--name", "bare", "--database", world.database.url(), "--cluster", "127.0.0.1:0"}});
  const auto bare_ended = bare.wait(generous);
  BOOST_TEST_REQUIRE(bare_ended.has_value(), bare.errors());
  BOOST_TEST((bare_ended->status == 1), bare.errors());
  BOOST_TEST(
    has(bare.errors(), "this node fits none of the living nodes and does not join them: node 'anna' at " + address),
    bare.errors());
  BOOST_TEST(has(bare.errors(), "it speaks TLS, and this program has no certificate"), bare.errors());
  BOOST_TEST(!has(bare.errors(), "node_joined"), bare.errors());

  // Then: nobody sees them, and runs begin and end as before.
  for (const auto& node : {"anna", "berta"}) {
    BOOST_TEST((world.workers_of(node) == world.only_w1));
    BOOST_TEST(!has(cluster.node(node).program().errors(), "name=\"stranger\""), cluster.node(node).program().errors());
  }
  BOOST_TEST(std::filesystem::file_size(folder / "ledger") == 0u);
  world.go_on(5);
  world.check();
}

BOOST_AUTO_TEST_CASE(who_speaks_wrongly_is_cut_off_and_no_run_notices) {
  small_cluster world;
  const auto address = world.cluster.gate_of("anna").address();
  const auto log = [&] { return world.anna().program().errors(); };

  // The way, and what the node says of it.
  const std::pair<std::string, std::string> ways[] = {
    {"foreign_answer", "it speaks of call 1, which is not out with 'rogue'"},
    {"unheard_of_answer", "it speaks of call 18446744073709551615, and no call has that number"},
    {"wrong_key", "it answers call "},
    {"wrong_epoch", "it answers call "},
    {"hello_out_of_range", "it offers 10001 calls of kind 'steady' at once, 1 to 10000 are allowed"},
    {"change_before_hello", "it asks before it has introduced itself"},
    {"word_before_hello", "it tells before it has introduced itself"},
    {"integer", "a gate takes no (42)"},
    {"integer_to_desk", "it sends what is not for this node's desk"},
    {"end", "it asks this program's gate to end"},
    {"kill", "it asks this program's gate to end"},
    {"kill_desk", "it asks this program's worker_desk to end"},
  };
  for (const auto& way : ways) {
    const auto& how = way.first;
    const auto& fault = way.second;
    world.go_on(3);
    const auto before = log().size();
    const auto said = rogue(how, address);
    BOOST_TEST(said.ends_with("the connection was closed\n"), how << ": " << said);
    BOOST_TEST(
      eventually(
        [&] {
          const auto since = log().substr(before);
          const auto line = since.find("peer_cut_off");
          return line != std::string::npos && has(since.substr(line), fault);
        },
        10s),
      how << ": " << log().substr(before));
    BOOST_TEST((world.workers_of("anna") == world.only_w1), how);
  }
  // A node that is not listed yet may ask again; words that nobody sent go nowhere.
  for (const auto& how : {"unknown_node", "nameless_node", "nameless_kill", "error", "servants"}) {
    world.go_on(3);
    const auto said = rogue(how, address);
    BOOST_TEST(has(said, "refused: the database knows no node deadbeef-"), how << ": " << said);
    BOOST_TEST(!has(said, "closed"), how << ": " << said);
    BOOST_TEST(!has(said, "found"), how << ": " << said);
  }
  world.check();
}

BOOST_AUTO_TEST_CASE(who_connects_and_says_nothing_is_cut_off) {
  const temporary_folder folder;
  small_cluster world(certificates(folder / "ours"));
  const auto port = world.cluster.gate_of("anna").address().substr(std::string("127.0.0.1:").size());
  std::vector<std::unique_ptr<boost::asio::ip::tcp::iostream>> silent;
  for (size_t i = 0; i < 20; ++i) {
    auto& stream = *silent.emplace_back(std::make_unique<boost::asio::ip::tcp::iostream>());
    stream.connect("127.0.0.1", port);
    BOOST_TEST_REQUIRE(!!stream);
    stream.expires_after(20s);
  }
  for (const auto& each : silent) {
    // Whatever the gate says first, it closes.
    const std::string said{std::istreambuf_iterator<char>(*each), {}};
    BOOST_TEST((each->error() != boost::asio::error::operation_aborted), "the connection stays open");
  }
  BOOST_TEST(
    eventually([&] { return has(world.anna().program().errors(), "strangers_cut_off connections="); }, generous),
    world.anna().program().errors());
  world.go_on(3);
  world.check();
}

BOOST_AUTO_TEST_CASE(certificates_may_be_replaced_while_nodes_run) {
  const temporary_folder folder;
  const auto files = certificates(folder / "ours");
  const auto worker = wire_files{folder / "worker.pem", folder / "worker.key", folder / "ca.pem"};
  for (const auto* name : {"worker.pem", "worker.key", "ca.pem"})
    std::filesystem::copy(files + "/" + name, folder / name);
  small_cluster world(files);
  const auto address = world.cluster.gate_of("anna").address();

  // When: only half of it is done, and then nothing is there.
  std::filesystem::copy(folder / "worker.key", files + "/node.key", std::filesystem::copy_options::overwrite_existing);
  const auto during = rogue("unknown_node", address, worker);
  std::filesystem::remove_all(files);
  const auto after = rogue("unknown_node", address, worker);

  // Then: what counts is what the node was started with.
  for (const auto& said : {during, after})
    BOOST_TEST(has(said, "refused: the database knows no node"), said << world.anna().program().errors());
  world.go_on(3);
  world.check();
}

BOOST_AUTO_TEST_CASE(bytes_of_another_protocol_close_the_connection) {
  small_cluster world;
  const auto port = world.cluster.gate_of("anna").address().substr(std::string("127.0.0.1:").size());
  std::string noise(100'000, '\0');
  for (size_t i = 0; i < noise.size(); ++i)
    noise[i] = static_cast<char>(i * i >> 3);
  for (const auto& bytes : {std::string("GET /v1/status HTTP/1.1\r\nHost: anna\r\nAccept: */*\r\n\r\n"), noise}) {
    world.go_on(3);
    boost::asio::ip::tcp::iostream stream;
    stream.expires_after(10s);
    stream.connect("127.0.0.1", port);
    BOOST_TEST_REQUIRE(!!stream);
    stream << bytes << std::flush;
    stream.clear();
    std::string answer{std::istreambuf_iterator<char>(stream), {}};
    BOOST_TEST((stream.error() != boost::asio::error::operation_aborted), "the connection stays open");
  }
  world.check();
}

BOOST_AUTO_TEST_CASE(a_step_whose_worker_falls_silent_is_tried_again_long_before_its_deadline) {
  // Given: a worker that hangs in the first attempt, and says in the second how far it is.
  const temporary_folder folder;
  fresh_database database;
  running_cluster cluster({.database_url = database.url()});
  auto& anna = cluster.start_node("anna");
  anna.wait_until_ready();
  anna.register_workflow(nlohmann::json::parse(R"({"workflow": "bread", "version": 1, "steps": [
    {"name": "bake", "call": {"worker": {"kind": "bake", "heartbeat": "500ms"}}, "timeout": "1h",
     "retry": {"max_attempts": 3, "initial_interval": "50ms"}}]})"));
  const auto script = folder / "bake.sh";
  std::ofstream(script) << "#!/bin/sh\n"
                           "[ $LEVAIN_ATTEMPT = 1 ] && exec sleep 600\n"
                           "while [ ! -e '"
                        << folder / "done"
                        << "' ]; do echo 'progress: 3 of 10 loaves' >&2; sleep 0.1; done\n"
                           "echo '{\"loaves\": 10}'\n";
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  running_program worker(
    {"levain-worker",
     {"--node", cluster.gate_of("anna").address(), "--exec", "bake=" + script, "--at-once", "2", "--stop-grace",
      "1s"}});
  starter starts(some_tenant, "bread");
  BOOST_TEST_REQUIRE(starts.start(anna.url(), 1) == 1u);
  const auto run = *starts.acknowledged().begin();
  const auto levain = [&](const std::string& command) {
    return run_to_end({"levain", {command, run, "--url", anna.url(), "--tenant", some_tenant}, {}}, generous);
  };

  // Then
  BOOST_TEST(
    eventually([&] { return has(levain("explain").output, "3 of 10 loaves"); }, 20s), levain("explain").output);
  std::ofstream(folder / "done") << "yes\n";
  BOOST_TEST(
    eventually([&] { return has(levain("show").output, "completed"); }, 20s), levain("show").output << worker.errors());
  const auto events = anna.get("/v1/tenants/" + some_tenant + "/runs/" + run + "/events");
  BOOST_TEST_REQUIRE((events && events->status == 200));
  BOOST_TEST(has(events->body, "no heartbeat within 500ms from worker"), events->body);
}

BOOST_AUTO_TEST_SUITE_END()
