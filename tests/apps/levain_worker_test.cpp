// The program `levain-worker` against a gate of the test's own.
#include <boost/test/unit_test.hpp>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>

#include "actors/workflow/parse_definition.hpp"
#include "apps/bakery/bakery_service.hpp"
#include "test_paths.hpp"
#include "tests/support/deaf_listener.hpp"
#include "tests/support/processes.hpp"
#include "tests/support/stand_in_gate.hpp"
#include "tests/support/tcp_gate.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

using heard = heard_of_worker;

/// A worker with one command for the kind `bake`, connected with a gate.
struct worker_world {
  std::string script(const std::string& name, const std::string& text) {
    auto file = folder / name;
    std::ofstream(file) << "#!/bin/sh\n" << text << '\n';
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
    return file;
  }

  /// Offers `bake`, twice at once.
  void start(const std::string& text, std::vector<std::string> more = {}) {
    std::vector<std::string> words{"--node", gate->address(), "--exec", "bake=" + script("bake.sh", text), "--at-once",
                                   "2"};
    words.insert(words.end(), more.begin(), more.end());
    start_with(words);
  }

  void start_with(const std::vector<std::string>& words) {
    const auto rooms = gate->all().rooms.size();
    worker.emplace(program_options{.program = "levain-worker", .arguments = words});
    BOOST_TEST_REQUIRE(gate->heard([rooms](const heard& x) { return x.rooms.size() > rooms; }), worker->errors());
  }

  bool says(const std::string& words) {
    return eventually([&] { return worker->errors().find(words) != std::string::npos; }, 20s);
  }

  /// Heeds no signal, and leaves its number in the file `pid`.
  std::string deaf_script() { return "trap '' TERM; echo $$ > " + (folder / "pid") + "; while true; do sleep 1; done"; }

  pid_t deaf_pid() {
    pid_t pid = 0;
    BOOST_TEST_REQUIRE(eventually(
      [&] {
        std::ifstream(folder / "pid") >> pid;
        return pid > 0;
      },
      20s));
    return pid;
  }

  void open(const std::string& name) { std::ofstream(folder / name) << "open\n"; }

  temporary_folder folder;
  std::optional<stand_in_gate> gate{std::in_place};
  std::optional<running_program> worker;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(levain_worker_test, worker_world)

BOOST_AUTO_TEST_CASE(it_introduces_itself_and_says_how_much_room_there_is) {
  start("cat", {"--name", "oven 7"});
  const auto all = gate->all();
  BOOST_TEST_REQUIRE(all.hellos.size() == 1U);
  const auto& hello = all.hellos[0];
  BOOST_TEST(hello.name == "oven 7");
  BOOST_TEST(!hello.host.empty());
  BOOST_TEST((hello.worker != uuid{}));
  BOOST_TEST_REQUIRE(hello.offers.size() == 1U);
  BOOST_TEST(hello.offers[0].kind == "bake");
  BOOST_TEST(hello.offers[0].at_once == 2U);
  BOOST_TEST(all.rooms[0].free == 2U);
}

BOOST_AUTO_TEST_CASE(a_machine_that_does_not_answer_keeps_it_from_no_other) {
  // Nodes are tried in the order of their addresses.
  const deaf_listener deaf;
  worker.emplace(program_options{
    .program = "levain-worker",
    .arguments = {
      "--node", deaf.address(), "--node", "localhost:" + std::to_string(gate->port()), "--exec",
      "bake=" + script("bake.sh", "cat")}});
  BOOST_TEST(gate->heard([](const heard& x) { return !x.rooms.empty(); }, 3s), worker->errors());
  BOOST_TEST(says("node_unreachable address=" + deaf.address() + " tries=1 reason=\"nobody answers within 5.0 s\""));
  // And not from its end.
  worker->send_signal(SIGTERM);
  const auto ended = worker->wait(15s);
  BOOST_TEST_REQUIRE(ended.has_value());
  BOOST_TEST((ended->status == 0));
}

BOOST_AUTO_TEST_CASE(a_node_far_away_is_reached_all_the_same) {
  // Each word takes longer than CAF's heartbeats are apart.
  tcp_gate far(gate->port());
  far.delay(700ms);
  worker.emplace(program_options{
    .program = "levain-worker", .arguments = {"--node", far.address(), "--exec", "bake=" + script("bake.sh", "cat")}});
  BOOST_TEST(gate->heard([](const heard& x) { return !x.rooms.empty(); }, 20s), worker->errors());
  BOOST_TEST(worker->errors().find("node_unreachable") == std::string::npos, worker->errors());
}

BOOST_AUTO_TEST_CASE(a_call_is_begun_and_answered) {
  start("cat");
  gate->say(some_call(7, "bake", R"({"loaves":2})"));
  const auto ended = gate->end_of(7);
  BOOST_TEST(ended.succeeded, ended.result);
  BOOST_TEST(ended.key == "bake/7");
  BOOST_TEST(ended.epoch == 1);
  BOOST_TEST(nlohmann::json::parse(ended.result).at("input").at("loaves") == 2);
  BOOST_TEST(gate->all().begun.at(0).number == 7U);
}

BOOST_AUTO_TEST_CASE(what_fails_says_why_and_whether_to_try_again) {
  start("echo the oven is cold >&2; exit 75");
  gate->say(some_call(1, "bake"));
  const auto ended = gate->end_of(1);
  BOOST_TEST(!ended.succeeded);
  BOOST_TEST(ended.retry);
  BOOST_TEST(ended.result == "the oven is cold");
}

BOOST_AUTO_TEST_CASE(no_more_than_it_offers_is_done_at_once) {
  start("while [ ! -e " + (folder / "door") + " ]; do sleep 0.05; done; echo '{}'");
  for (uint64_t number = 1; number <= 3; ++number)
    gate->say(some_call(number, "bake"));
  BOOST_TEST_REQUIRE(gate->heard([](const heard& x) { return x.begun.size() == 2 && x.declined.size() == 1; }));
  BOOST_TEST(gate->all().declined[0].number == 3U);
  open("door");
  gate->end_of(1);
  gate->end_of(2);
  BOOST_TEST(gate->heard([](const heard& x) { return x.rooms.back().free == 2; }));
  gate->say(some_call(3, "bake"));
  BOOST_TEST(gate->end_of(3).succeeded);
}

BOOST_AUTO_TEST_CASE(heartbeats_reach_the_node_with_their_words) {
  start("echo 'progress: 12 of 40 loaves' >&2; echo '{}'");
  gate->say(some_call(1, "bake"));
  BOOST_TEST_REQUIRE(gate->heard([](const heard& x) { return !x.heartbeats.empty(); }));
  BOOST_TEST(gate->all().heartbeats[0].progress == "12 of 40 loaves");
  gate->end_of(1);
}

BOOST_AUTO_TEST_CASE(a_dropped_call_ends_its_command) {
  start(
    "trap 'echo ended > " + (folder / "mark") + "; exit 0' TERM; echo progress: >&2; while true; do sleep 0.05; done");
  gate->say(some_call(1, "bake"));
  BOOST_TEST_REQUIRE(gate->heard([](const heard& x) { return !x.heartbeats.empty(); }));
  gate->say(call_dropped{1});
  BOOST_TEST(eventually([&] { return std::filesystem::exists(folder / "mark"); }, 20s));
  BOOST_TEST(gate->heard([](const heard& x) { return x.rooms.size() > 1 && x.rooms.back().free == 2; }));
  BOOST_TEST(gate->all().ended.empty());
}

BOOST_AUTO_TEST_CASE(a_call_past_its_time_ends_its_command) {
  start("trap 'echo ended > " + (folder / "mark") + "; exit 0' TERM; while true; do sleep 0.05; done");
  auto call = some_call(1, "bake");
  call.time_left = 300;
  gate->say(call);
  BOOST_TEST(eventually([&] { return std::filesystem::exists(folder / "mark"); }, 20s));
}

BOOST_AUTO_TEST_CASE(work_outlives_its_node_and_answers_the_next_one) {
  start(
    "echo again >> " + (folder / "count") + "; while [ ! -e " + (folder / "door") +
    " ]; do sleep 0.05; done; echo '{}'");
  gate->say(some_call(1, "bake"));
  BOOST_TEST_REQUIRE(gate->heard([](const heard& x) { return !x.begun.empty(); }));
  const auto port = gate->port();
  gate.reset();
  BOOST_TEST_REQUIRE(says("node_lost"));
  gate.emplace(port);
  BOOST_TEST_REQUIRE(gate->heard([](const heard& x) { return !x.rooms.empty(); }), worker->errors());
  const auto hello = gate->all().hellos[0];
  BOOST_TEST_REQUIRE(hello.held.size() == 1U);
  BOOST_TEST(hello.held[0].key == "bake/1");
  BOOST_TEST(hello.held[0].attempt == 1U);
  auto again = some_call(50, "bake");
  again.key = "bake/1";
  again.epoch = 2;
  gate->say(again);
  BOOST_TEST_REQUIRE(gate->heard([](const heard& x) { return !x.begun.empty(); }), worker->errors());
  open("door");
  const auto ended = gate->end_of(50);
  BOOST_TEST(ended.succeeded);
  BOOST_TEST(ended.epoch == 2);
  std::ifstream in(folder / "count");
  BOOST_TEST(std::string(std::istreambuf_iterator<char>(in), {}) == "again\n");
}

BOOST_AUTO_TEST_CASE(a_node_that_refuses_is_named_with_its_reason) {
  gate->refuse("it speaks protocol 9");
  worker.emplace(program_options{"levain-worker", {"--node", gate->address(), "--bakery", "all"}});
  BOOST_TEST(says("node_refused address=" + gate->address() + " reason=\"it speaks protocol 9\""), worker->errors());
}

BOOST_AUTO_TEST_CASE(a_node_that_talks_nonsense_is_cut_off_and_the_worker_lives) {
  start("cat");
  auto nonsense = some_call(1, "bake");
  nonsense.body = "{";
  gate->say(nonsense);
  BOOST_TEST(says("peer_cut_off name=\"stand-in\" reason=\"the call's body is not JSON"), worker->errors());
  BOOST_TEST(gate->heard([](const heard& x) { return x.lost == 1; }));
  BOOST_TEST(gate->all().begun.empty());
  BOOST_TEST(worker->running());
}

BOOST_AUTO_TEST_CASE(a_message_that_is_none_of_a_nodes_cuts_it_off) {
  start("cat");
  gate->say(node_welcome{});
  BOOST_TEST(says("peer_cut_off name=\"stand-in\" reason=\"it sent a message that no node sends"), worker->errors());
  BOOST_TEST(worker->running());
}

BOOST_AUTO_TEST_CASE(sigterm_lets_what_is_being_done_end_and_its_answer_arrive) {
  start(
    "while [ ! -e " + (folder / "door") +
    " ]; do sleep 0.05; done; head -c 5000000 /dev/zero | tr '\\0' x | sed 's/^/\"/; s/$/\"/'");
  gate->say(some_call(1, "bake"));
  BOOST_TEST_REQUIRE(gate->heard([](const heard& x) { return !x.begun.empty(); }));
  worker->send_signal(SIGTERM);
  BOOST_TEST_REQUIRE(gate->heard([](const heard& x) { return x.leaving == 1; }));
  gate->say(some_call(2, "bake"));
  BOOST_TEST(gate->heard([](const heard& x) { return x.declined.size() == 1; }));
  open("door");
  BOOST_TEST(gate->end_of(1).result.size() == 5'000'002U);
  const auto end = worker->wait(20s);
  BOOST_TEST_REQUIRE(end.has_value());
  BOOST_TEST(end->status.value_or(-1) == 0, worker->errors());
}

BOOST_AUTO_TEST_CASE(what_does_not_end_within_the_grace_is_cancelled) {
  start(
    "trap 'echo ended > " + (folder / "mark") + "; exit 0' TERM; while true; do sleep 0.05; done",
    {"--stop-grace", "100ms"});
  gate->say(some_call(1, "bake"));
  BOOST_TEST_REQUIRE(gate->heard([](const heard& x) { return !x.begun.empty(); }));
  worker->send_signal(SIGTERM);
  const auto end = worker->wait(20s);
  BOOST_TEST_REQUIRE(end.has_value());
  BOOST_TEST(end->status.value_or(-1) == 0, worker->errors());
  BOOST_TEST(std::filesystem::exists(folder / "mark"));
}

BOOST_AUTO_TEST_CASE(what_fails_because_it_was_cancelled_is_another_worker_s) {
  start("trap 'exit 1' TERM; while true; do sleep 0.05; done", {"--stop-grace", "100ms"});
  gate->say(some_call(1, "bake"));
  BOOST_TEST_REQUIRE(gate->heard([](const heard& x) { return !x.begun.empty(); }));
  worker->send_signal(SIGTERM);
  BOOST_TEST(worker->wait(20s).has_value());
  BOOST_TEST_REQUIRE(gate->heard([](const heard& x) { return x.lost > 0; }));
  BOOST_TEST(gate->all().ended.empty());
}

BOOST_AUTO_TEST_CASE(every_signal_that_asks_it_to_end_ends_it_in_order) {
  for (const int number : {SIGHUP, SIGQUIT, SIGINT}) {
    std::filesystem::remove(folder / "door");
    start("while [ ! -e " + (folder / "door") + " ]; do sleep 0.05; done; echo '{}'");
    const auto heard_before = gate->all();
    const auto call = static_cast<uint64_t>(number);
    gate->say(some_call(call, "bake"));
    BOOST_TEST_REQUIRE(gate->heard([&](const heard& x) { return x.begun.size() > heard_before.begun.size(); }));
    worker->send_signal(number);
    BOOST_TEST_REQUIRE(gate->heard([&](const heard& x) { return x.leaving > heard_before.leaving; }), number);
    open("door");
    BOOST_TEST(gate->end_of(call).succeeded);
    const auto end = worker->wait(20s);
    BOOST_TEST_REQUIRE(end.has_value());
    BOOST_TEST(end->status.value_or(-1) == 0, worker->errors());
  }
}

BOOST_AUTO_TEST_CASE(a_second_signal_ends_it_at_once_and_its_commands) {
  start(deaf_script());
  gate->say(some_call(1, "bake"));
  const auto command = deaf_pid();
  worker->send_signal(SIGTERM);
  BOOST_TEST_REQUIRE(says("stop_asked"));
  worker->send_signal(SIGTERM);
  const auto end = worker->wait(5s);
  BOOST_TEST_REQUIRE(end.has_value());
  BOOST_TEST((end->signal == SIGTERM));
  BOOST_TEST(eventually([&] { return kill(command, 0) != 0; }, 5s));
}

BOOST_AUTO_TEST_CASE(a_worker_that_is_killed_takes_its_commands_along) {
  start("setsid " + (folder / "deaf.sh") + " & " + deaf_script());
  std::ofstream(folder / "deaf.sh") << "#!/bin/sh\ntrap '' TERM\necho $$ > " << (folder / "other") << "\nsleep 300\n";
  std::filesystem::permissions(folder / "deaf.sh", std::filesystem::perms::owner_all);
  gate->say(some_call(1, "bake"));
  const auto command = deaf_pid();
  pid_t other = 0;
  BOOST_TEST_REQUIRE(eventually(
    [&] {
      std::ifstream(folder / "other") >> other;
      return other > 0;
    },
    20s));
  worker->kill_and_wait();
  BOOST_TEST(eventually([&] { return kill(command, 0) != 0; }, 5s));
  BOOST_TEST(eventually([&] { return kill(other, 0) != 0; }, 5s));
}

BOOST_AUTO_TEST_CASE(what_commands_say_on_standard_error_is_in_the_log_with_the_key) {
  start("echo 'the oven is warm' >&2; echo '{}'");
  gate->say(some_call(7, "bake"));
  BOOST_TEST(gate->end_of(7).succeeded);
  BOOST_TEST(says("command_stderr key=bake/7 line=\"the oven is warm\""), worker->errors());
}

BOOST_AUTO_TEST_CASE(a_worker_that_is_killed_is_noticed) {
  start("cat");
  worker->kill_and_wait();
  BOOST_TEST(gate->heard([](const heard& x) { return x.lost == 1; }));
}

BOOST_AUTO_TEST_CASE(gates_that_a_node_lists_are_connected_with) {
  // One that does not answer is enough to see it tried.
  start("cat");
  gate->say(gates_known{{gate->address(), "127.0.0.1:9"}});
  BOOST_TEST(says("node_unreachable address=127.0.0.1:9"), worker->errors());
  BOOST_TEST(gate->all().hellos.size() == 1U);
}

BOOST_AUTO_TEST_CASE(two_names_of_one_node_are_one_node) {
  start("cat", {"--node", "localhost:" + std::to_string(gate->port())});
  gate->say(some_call(1, "bake"));
  BOOST_TEST(gate->end_of(1).succeeded);
  BOOST_TEST(gate->all().hellos.size() == 1U);
  BOOST_TEST(gate->all().ended.size() == 1U);
}

// ---- the bakery -------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(the_bakerys_kinds_do_the_samples_work) {
  start_with({"--node", gate->address(), "--bakery", "all"});
  BOOST_TEST(gate->all().hellos.at(0).offers.size() == 5U);
  auto call = some_call(1, "bakery.forecasting");
  call.tenant = sample_tenants().at(0).id.value;
  gate->say(call);
  const auto ended = gate->end_of(1);
  BOOST_TEST_REQUIRE(ended.succeeded, ended.result);
  const auto forecast = nlohmann::json::parse(ended.result);
  BOOST_TEST(forecast.at("forecasts_generated") > 0);
  call = some_call(2, "bakery.production");
  call.tenant = sample_tenants().at(0).id.value;
  call.body =
    nlohmann::json{{"run", {{"id", "none"}}}, {"input", nullptr}, {"results", {{"forecasting", forecast}}}}.dump();
  gate->say(call);
  const auto schedule = gate->end_of(2);
  BOOST_TEST_REQUIRE(schedule.succeeded, schedule.result);
  BOOST_TEST(nlohmann::json::parse(schedule.result).at("batches_created") > 0);
}

BOOST_AUTO_TEST_CASE(a_call_that_the_bakery_cannot_work_with_fails_for_good_and_says_why) {
  start_with({"--node", gate->address(), "--bakery", "production"});
  gate->say(some_call(1, "bakery.production"));
  const auto stranger = gate->end_of(1);
  BOOST_TEST(!stranger.succeeded);
  BOOST_TEST(!stranger.retry);
  BOOST_TEST(stranger.result == "there is no bakery of tenant 00000000-0000-0000-0000-000000000000");
  auto call = some_call(2, "bakery.production");
  call.tenant = sample_tenants().at(0).id.value;
  gate->say(call);
  BOOST_TEST(gate->end_of(2).result.find("results.forecasting: ") == 0U, gate->end_of(2).result);
}

BOOST_AUTO_TEST_CASE(with_a_folder_the_bakery_does_each_key_once_and_undoes_it) {
  start_with({"--node", gate->address(), "--bakery", "forecasting", "--state", folder / "state"});
  auto call = some_call(1, "bakery.forecasting");
  call.step = "forecasting";
  call.tenant = sample_tenants().at(0).id.value;
  gate->say(call);
  const auto first = gate->end_of(1);
  BOOST_TEST_REQUIRE(first.succeeded, first.result);
  call.number = 2;
  call.attempt = 2;
  gate->say(call);
  BOOST_TEST(gate->end_of(2).result == first.result);
  call.number = 3;
  call.undo = true;
  call.key += "/undo";
  call.body = R"({"run":{"id":"none"},"input":{},"results":{"forecasting":)" + first.result + "}}";
  gate->say(call);
  const auto undone = nlohmann::json::parse(gate->end_of(3).result);
  BOOST_TEST(undone.at("undone") == true);
  std::ifstream ledger(folder / "state/ledger.jsonl");
  std::string line;
  std::string repeated;
  while (std::getline(ledger, line))
    repeated += nlohmann::json::parse(line).at("repeated").get<bool>() ? "r" : "-";
  BOOST_TEST(repeated == "-r-");
}

BOOST_AUTO_TEST_CASE(the_bakery_fails_when_it_is_told_to) {
  start_with({"--node", gate->address(), "--bakery", "insights", "--fail", "insights"});
  auto call = some_call(1, "bakery.insights");
  call.tenant = sample_tenants().at(0).id.value;
  gate->say(call);
  const auto ended = gate->end_of(1);
  BOOST_TEST(!ended.succeeded);
  BOOST_TEST(ended.retry);
  BOOST_TEST(ended.result == "insights is told to fail by its faults");
}

BOOST_AUTO_TEST_CASE(the_bakerys_workflow_for_workers_is_a_good_one) {
  std::ifstream in(LEVAIN_SOURCE_DIR "/apps/bakery/daily_bakery_workers.json");
  const auto read = parse_definition(std::string(std::istreambuf_iterator<char>(in), {}));
  BOOST_TEST(read.errors.empty());
  BOOST_TEST_REQUIRE(read.workflow);
  BOOST_TEST(read.workflow->steps.size() == 5U);
}

BOOST_AUTO_TEST_SUITE_END()
