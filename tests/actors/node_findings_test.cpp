// What a node's figures mean: every finding at its threshold and beyond.
#include <boost/test/unit_test.hpp>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "actors/node_findings.hpp"

using namespace levain;
using namespace std::chrono_literals;

namespace {

const timestamp at_six = std::chrono::sys_days(std::chrono::year(2026) / 11 / 27) + 6h;
const outage_report none_is_served{2, 2, at_six, "no room"};
const outage_report one_is_not_served{1, 2, at_six, "no room"};

node_status healthy() {
  node_status status;
  status.runs.shards_ready = 64;
  status.runs.has_run_numbers = true;
  status.batch_runs_max = 500;
  status.runs_running_max = 1000;
  status.runs_waiting_max = 1000;
  status.commit_micros = {100, 2'000, 9'000, 20'000};
  status.batch_runs = {100, 3, 40, 41};
  return status;
}

finding finding_of(const node_status& status, const std::string& name) {
  const auto all = node_findings(status);
  const auto found = std::find_if(all.begin(), all.end(), [&](const finding& each) { return each.name == name; });
  BOOST_REQUIRE_MESSAGE(found != all.end(), "no finding is named " << name);
  BOOST_TEST((found->subject == finding_subject::node));
  BOOST_TEST((found->level == finding_level::ok) == found->right.empty());
  BOOST_TEST((found->level == finding_level::ok) == found->advice.empty());
  return *found;
}

finding_level level_of(const node_status& status, const std::string& name) {
  return finding_of(status, name).level;
}

} // namespace

BOOST_TEST_DONT_PRINT_LOG_VALUE(finding_level)

BOOST_AUTO_TEST_SUITE(node_findings_test)

BOOST_AUTO_TEST_CASE(a_healthy_node_has_nothing_to_complain_of) {
  BOOST_TEST(worst_of(node_findings(healthy())) == finding_level::ok);
}

BOOST_AUTO_TEST_CASE(a_node_that_takes_no_starts_is_critical_and_says_why) {
  const std::pair<void (*)(node_status&), const char*> reasons[] = {
    {[](node_status& status) { status.database_outage = none_is_served; },
     "the database has taken nothing since 2026-11-27T06:00:00.000000Z: no room"},
    {[](node_status& status) { status.database_outage = one_is_not_served; },
     "the database has taken nothing from 1 of 2 writers since 2026-11-27T06:00:00.000000Z: no room"},
    {[](node_status& status) { status.runs.shards_ready = 0; }, "owns no shards"},
    {[](node_status& status) { status.runs.has_run_numbers = false; }, "waits for run numbers"},
    {[](node_status& status) { status.runs.admitting = false; }, "shutting down"},
  };
  for (const auto& [spoil, words] : reasons) {
    auto status = healthy();
    spoil(status);
    const auto found = finding_of(status, "ready");
    BOOST_TEST(found.level == finding_level::critical);
    BOOST_TEST(found.value.find(words) != std::string::npos, found.value);
  }
}

BOOST_AUTO_TEST_CASE(a_drained_node_is_not_ready_and_nothing_is_wrong_with_it) {
  auto status = healthy();
  status.draining = true;
  BOOST_TEST(level_of(status, "ready") == finding_level::ok);
  BOOST_TEST(finding_of(status, "ready").value == "yes, 64 shards, draining");
  status.runs.shards_ready = 0;
  const auto found = finding_of(status, "ready");
  BOOST_TEST(found.level == finding_level::notice);
  BOOST_TEST(found.value == "no: the node is drained: an operator wants it to hold no shards, and others hold them");
  BOOST_TEST((why_not_ready(status) == std::vector<std::string>{found.value.substr(4)}));
  status.database_outage = none_is_served;
  BOOST_TEST(level_of(status, "ready") == finding_level::critical);
}

BOOST_AUTO_TEST_CASE(a_node_that_lacks_what_unfinished_runs_need_is_critical_and_names_it) {
  auto status = healthy();
  status.lacks = "variable shop_url";
  status.runs.shards_ready = 0;
  BOOST_TEST(level_of(status, "ready") == finding_level::critical);
  for (const auto* name : {"ready", "calls_waiting"})
    BOOST_TEST(finding_of(status, name).value.find("variable shop_url") != std::string::npos, name);
  BOOST_TEST(level_of(status, "calls_waiting") == finding_level::critical);
}

BOOST_AUTO_TEST_CASE(calls_that_wait_for_what_the_node_lacks_are_critical_and_named) {
  auto status = healthy();
  status.calls_wanting = {{"gate for workers", 1}, {"variable shop_url", 32}};
  const auto found = finding_of(status, "calls_waiting");
  BOOST_TEST(found.level == finding_level::critical);
  BOOST_TEST(found.value == "1 waits for gate for workers; 32 wait for variable shop_url");
}

BOOST_AUTO_TEST_CASE(slow_commits_are_judged_by_their_99th_percentile) {
  auto status = healthy();
  const auto with_p99 = [&](duration p99) {
    status.commit_micros = {100, 1, static_cast<uint64_t>(p99.count()), 9'000'000};
    return level_of(status, "commit_latency");
  };
  BOOST_TEST(with_p99(commit_slow) == finding_level::ok);
  BOOST_TEST(with_p99(commit_slow + 1us) == finding_level::warning);
  BOOST_TEST(with_p99(commit_very_slow) == finding_level::warning);
  BOOST_TEST(with_p99(commit_very_slow + 1us) == finding_level::critical);
  status.commit_micros = {};
  BOOST_TEST(level_of(status, "commit_latency") == finding_level::ok);
}

BOOST_AUTO_TEST_CASE(a_backlog_of_many_batches_is_a_warning) {
  auto status = healthy();
  status.appends_waiting = batches_waiting_warning * 500;
  BOOST_TEST(level_of(status, "appends_waiting") == finding_level::ok);
  ++status.appends_waiting;
  BOOST_TEST(level_of(status, "appends_waiting") == finding_level::warning);
}

BOOST_AUTO_TEST_CASE(a_node_that_runs_all_it_may_says_so) {
  auto status = healthy();
  status.runs.runs_running = 999;
  BOOST_TEST(level_of(status, "runs_running") == finding_level::ok);
  status.runs.runs_running = 1000;
  BOOST_TEST(level_of(status, "runs_running") == finding_level::notice);
}

BOOST_AUTO_TEST_CASE(a_waiting_room_that_fills_up_is_noticed_before_it_is_full) {
  auto status = healthy();
  const std::pair<size_t, finding_level> levels[] = {
    {499, finding_level::ok},
    {500, finding_level::warning},
    {949, finding_level::warning},
    {950, finding_level::critical},
  };
  for (const auto& [waiting, level] : levels) {
    status.runs.runs_waiting = waiting;
    BOOST_TEST(level_of(status, "waiting_room") == level);
  }
}

BOOST_AUTO_TEST_CASE(findings_survive_the_wire) {
  const finding full{finding_level::warning, finding_subject::node, "clock", "2 s", "less", "mend it"};
  BOOST_TEST((parse_finding(finding_json(full)) == full));
  const finding bare{finding_level::ok, finding_subject::database, "schema", "009"};
  BOOST_TEST((parse_finding(finding_json(bare)) == bare));
  BOOST_TEST(finding_json(bare)["advice"].is_null());
}

BOOST_AUTO_TEST_CASE(what_is_no_finding_is_refused_by_name) {
  const std::pair<const char*, const char*> strange[] = {
    {"[]", "a finding is no object"},
    {R"({"level": "bad", "about": "node", "name": "n", "value": "v"})", "level is 'bad', which is unknown"},
    {R"({"level": "ok", "about": "moon", "name": "n", "value": "v"})", "about is 'moon', which is unknown"},
    {R"({"level": "ok", "about": "node", "value": "v"})", "name is no text"},
    {R"({"level": "ok", "about": "node", "name": "n", "value": "v", "advice": 3})", "advice is no text"},
  };
  for (const auto& [text, words] : strange)
    BOOST_CHECK_EXCEPTION(
      parse_finding(nlohmann::ordered_json::parse(text)), std::invalid_argument,
      [words = words](const std::invalid_argument& refused) {
        return std::string(refused.what()).find(words) != std::string::npos;
      });
}

BOOST_AUTO_TEST_CASE(runs_that_nothing_would_move_are_told_by_kind) {
  auto status = healthy();
  BOOST_TEST(level_of(status, "liveness") == finding_level::ok);
  auto& liveness = status.liveness;
  liveness.looks = 7;
  liveness.looked_at = timestamp(std::chrono::sys_days{std::chrono::year{2026} / 11 / 23});
  BOOST_TEST(level_of(status, "liveness") == finding_level::ok);
  liveness.violations[static_cast<size_t>(liveness_kind::orphaned)] = 2;
  liveness.violations[static_cast<size_t>(liveness_kind::overdue)] = 1;
  liveness.last.push_back({*liveness.looked_at, {}, liveness_kind::overdue, "something was due"});
  const auto healed = finding_of(status, "liveness");
  BOOST_TEST(healed.level == finding_level::warning);
  for (const char* words : {"7 looks", "2 orphaned, 1 overdue", "something was due"})
    BOOST_TEST(healed.value.find(words) != std::string::npos, healed.value);
  liveness.given_up = 1;
  const auto given_up = finding_of(status, "liveness");
  BOOST_TEST(given_up.level == finding_level::critical);
  BOOST_TEST(given_up.value.find("1 given up") != std::string::npos, given_up.value);
}

BOOST_AUTO_TEST_CASE(memory_of_runs_is_told_before_starts_are_refused) {
  auto status = healthy();
  status.runs_bytes_max = 1000;
  for (const auto& [bytes, level] :
       {std::pair{799, finding_level::ok}, std::pair{800, finding_level::notice}, std::pair{999, finding_level::notice},
        std::pair{1000, finding_level::warning}, std::pair{5000, finding_level::warning}}) {
    status.runs_bytes = static_cast<uint64_t>(bytes);
    BOOST_TEST(level_of(status, "runs_memory") == level);
  }
  BOOST_TEST(finding_of(status, "runs_memory").right.find("runs_bytes_max") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(calls_that_wait_for_memory_are_told) {
  auto status = healthy();
  status.calls_memory = {1000, 1000, 1000, 0, 0};
  BOOST_TEST(level_of(status, "calls_memory") == finding_level::ok);
  status.calls_memory.calls_waiting = 1;
  BOOST_TEST(finding_of(status, "calls_memory").value == "1000 of at most 1000 bytes; 1 call waits for room");
  BOOST_TEST(level_of(status, "calls_memory") == finding_level::notice);
  status.calls_memory.answers_waiting = 1;
  BOOST_TEST(finding_of(status, "calls_memory").value == "1000 of at most 1000 bytes; 2 calls wait for room");
}

BOOST_AUTO_TEST_SUITE_END()
