// Every command against a real daemon on a real PostgreSQL.
#include <boost/test/unit_test.hpp>

#include <fstream>
#include <memory>

#include <nlohmann/json.hpp>
#include <pqxx/pqxx>

#include "tests/support/daemon.hpp"
#include "tests/support/database.hpp"
#include "tests/support/has.hpp"

using namespace levain::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

const std::string ours = "6f1c2a90-5b7e-4d0a-8c31-0a4e5d2b7c01";
const std::string theirs = "6f1c2a90-5b7e-4d0a-8c31-0a4e5d2b7c02";

/// A daemon with two workflows, one that ends at once and one that waits a while and is undone when it fails.
struct served {
  served() {
    daemon.wait_until_ready();
    BOOST_TEST_REQUIRE(
      run({"workflow", "register", write("quick", R"({
      "workflow": "quick", "version": 1, "steps": [
        { "name": "bake", "audit": "production", "call": { "simulate": { "output": { "rate": 90 } } },
          "record": { "fulfillment_rate": "/rate" } } ] })")})
        .status == 0);
    BOOST_TEST_REQUIRE(
      run({"workflow", "register", write("slow", R"({
      "workflow": "slow", "version": 1, "steps": [
        { "name": "bake", "call": { "simulate": { "time": "600ms" } }, "compensate": { "simulate": {} } },
        { "name": "sell", "needs": ["bake"], "call": { "simulate": { "fail_final_rate": 1.0 } } } ] })")})
        .status == 0);
    // Long enough for any machine, and given up at once when the run is cancelled.
    BOOST_TEST_REQUIRE(
      run({"workflow", "register", write("long", R"({
      "workflow": "long", "version": 1, "steps": [
        { "name": "rise", "timeout": "1h", "effect": "none", "call": { "simulate": { "time": "30m" } } } ] })")})
        .status == 0);
  }

  std::string write(const std::string& name, const std::string& text) {
    auto file = folder / (name + ".json");
    std::ofstream(file) << text;
    return file;
  }

  program_result run(std::vector<std::string> arguments, const std::string& tenant = ours) {
    return run_to_end({"levain", std::move(arguments), {{"LEVAIN_URL", daemon.url()}, {"LEVAIN_TENANT", tenant}}}, 60s);
  }
  json asked(std::vector<std::string> arguments, int status = 0, const std::string& tenant = ours) {
    arguments.emplace_back("--json");
    const auto result = run(std::move(arguments), tenant);
    BOOST_TEST(result.status == status, result.errors);
    return json::parse(result.output, nullptr, false);
  }

  fresh_database database{fresh_database::contents::nothing};
  temporary_folder folder;
  running_daemon daemon{{"--database", database.url()}};
};

} // namespace

BOOST_AUTO_TEST_SUITE(cli_commands_test)

BOOST_AUTO_TEST_CASE(workflows_are_registered_listed_and_shown) {
  served it;
  BOOST_TEST(has(it.run({"workflow", "register", it.folder / "quick.json"}).output, "was registered before"));
  const auto changed = it.write("changed", R"({"workflow": "quick", "version": 1, "steps": [
    { "name": "other", "call": { "simulate": {} } } ] })");
  const auto conflict = it.run({"workflow", "register", changed});
  BOOST_TEST(conflict.status == 1);
  BOOST_TEST(has(conflict.errors, "register this one as version 2"));
  const auto wrong =
    it.run({"workflow", "register", it.write("wrong", R"({"workflow": "w", "version": 0, "stepps": []})")});
  BOOST_TEST(wrong.status == 1);
  BOOST_TEST(has(wrong.errors, "version: "));
  BOOST_TEST(has(wrong.errors, "stepps"));
  BOOST_TEST(it.asked({"workflow", "list"})["workflows"].size() == 3U);
  BOOST_TEST(it.asked({"workflow", "show", "quick", "1"})["definition"]["workflow"] == "quick");
  BOOST_TEST(json::parse(it.run({"workflow", "show", "quick"}).output)["version"] == 1);
  BOOST_TEST(it.run({"workflow", "show", "none"}).status == 1);
}

BOOST_AUTO_TEST_CASE(a_run_is_started_followed_and_shown) {
  served it;
  const auto followed = it.run({"start", "quick", "--input", R"({"day": 1})", "--priority", "critical", "--wait"});
  BOOST_TEST(followed.status == 0, followed.errors);
  BOOST_TEST(has(followed.output, "run_completed"));
  const auto listed = it.asked({"list"});
  BOOST_TEST_REQUIRE(listed["runs"].size() == 1U);
  const auto number = listed["runs"][0]["run_number"].get<std::string>();
  const auto shown = it.run({"show", number, "--audit"});
  BOOST_TEST(shown.status == 0);
  for (const auto* part : {"bake", "succeeded", "critical", "fulfillment_rate", "saga_steps_total"})
    BOOST_TEST(has(shown.output, part), part);
  const auto view = it.asked({"show", listed["runs"][0]["id"]});
  BOOST_TEST(view["run_number"] == number);
  BOOST_TEST(view["timeline"][0]["attempts"].size() == 1U);
  BOOST_TEST(it.asked({"events", number})["events"].size() == 4U);
  BOOST_TEST(has(it.run({"events", number}).output, "step_succeeded"));
  BOOST_TEST(has(it.run({"explain", number}).output, "the run completed"));
  BOOST_TEST(it.run({"watch", number}).status == 0);
}

BOOST_AUTO_TEST_CASE(a_failed_run_makes_waiting_and_watching_fail) {
  served it;
  const auto failed = it.asked({"start", "slow", "--wait"}, 1);
  BOOST_TEST(failed["status"] == "failed");
  const auto watched = it.run({"watch", failed["run_number"].get<std::string>()});
  BOOST_TEST(watched.status == 1);
  BOOST_TEST(has(watched.output, "undo bake"));
  BOOST_TEST(has(it.run({"attention", "--all-tenants"}).output, failed["run_number"].get<std::string>()));
  BOOST_TEST(it.asked({"attention"})["runs"].size() == 1U);
  BOOST_TEST(it.asked({"attention"}, 0, theirs)["runs"].empty());
  BOOST_TEST(it.asked({"attention", "--run-type", "test"})["runs"].empty());
}

BOOST_AUTO_TEST_CASE(the_same_key_starts_once) {
  served it;
  const auto first = it.asked({"start", "quick", "--key", "monday"});
  const auto second = it.asked({"start", "quick", "--key", "monday"});
  BOOST_TEST(second["id"] == first["id"]);
  BOOST_TEST(second["repeated"] == true);
  const auto other = it.run({"start", "quick", "--key", "monday", "--priority", "high"});
  BOOST_TEST(other.status == 1);
  BOOST_TEST(has(other.errors, "another content"));
}

BOOST_AUTO_TEST_CASE(wishes_are_granted_or_refused_with_a_sentence) {
  served it;
  const auto run = it.asked({"start", "long"})["run_number"].get<std::string>();
  BOOST_TEST(it.asked({"pause", run, "--by", "tester"})["granted"] == "pause");
  BOOST_TEST(has(it.run({"explain", run}).output, "paused by tester"));
  BOOST_TEST(it.asked({"active"})["runs"].size() == 1U);
  BOOST_TEST(it.asked({"resume", run})["granted"] == "resume");
  BOOST_TEST(it.asked({"cancel", run, "--reason", "holiday"})["granted"] == "cancel");
  const auto ended = it.asked({"watch", run}, 1);
  BOOST_TEST(ended["status"] == "cancelled");
  BOOST_TEST(has(ended["error_message"].get<std::string>(), "holiday"));
  const auto refused = it.run({"retry", run});
  BOOST_TEST(refused.status == 1);
  BOOST_TEST(has(refused.errors, "cancelled"));
  BOOST_TEST(it.run({"cancel", "ORCH-none"}).status == 1);
}

BOOST_AUTO_TEST_CASE(a_failed_run_can_be_retried) {
  served it;
  const auto failed = it.asked({"start", "slow", "--wait"}, 1);
  const auto run = failed["run_number"].get<std::string>();
  BOOST_TEST(it.asked({"retry", run})["granted"] == "retry");
  BOOST_TEST(it.asked({"watch", run}, 1)["retry_count"] == 1);
}

BOOST_AUTO_TEST_CASE(a_run_is_terminated_and_says_by_whom_and_why) {
  served it;
  const auto run = it.asked({"start", "long"})["run_number"].get<std::string>();
  BOOST_TEST(it.run({"terminate", run}, theirs).status == 1);
  const auto granted = it.run({"terminate", run, "--by", "tester", "--reason", "fire"});
  BOOST_TEST(granted.status == 0, granted.errors);
  BOOST_TEST(granted.output == run + "  terminate granted\n");
  BOOST_TEST(it.asked({"watch", run}, 1)["status"] == "cancelled");
  BOOST_TEST(has(it.run({"explain", run}).output, "the run was terminated by tester (fire)"));
  BOOST_TEST(has(it.run({"events", run}).output, "terminate_requested"));
  const auto refused = it.run({"terminate", run});
  BOOST_TEST(refused.status == 1);
  BOOST_TEST(has(refused.errors, "only a run that has not ended can be terminated"), refused.errors);
}

BOOST_AUTO_TEST_CASE(what_was_dealt_with_is_taken_off_the_attention_list) {
  served it;
  const auto run = it.asked({"start", "slow", "--wait"}, 1)["run_number"].get<std::string>();
  BOOST_TEST(has(it.run({"attention"}).output, run));
  const auto unsaid = it.run({"attention", "resolve", run});
  BOOST_TEST(unsaid.status == 2);
  BOOST_TEST(has(unsaid.errors, "--note"), unsaid.errors);
  BOOST_TEST(it.run({"attention", "resolve", run, "--note", "refunded"}, theirs).status == 1);
  const auto granted = it.run({"attention", "resolve", run, "--by", "tester", "--note", "refunded"});
  BOOST_TEST(granted.status == 0, granted.errors);
  BOOST_TEST(granted.output == run + "  resolve granted\n");
  // The list reads the table, which follows the journal.
  BOOST_TEST(eventually([&] { return it.asked({"attention"})["runs"].empty(); }, 30s));
  const auto said = it.asked({"show", run})["error_details"]["attention_resolved"];
  BOOST_TEST(said["by"] == "tester", said);
  BOOST_TEST(said["note"] == "refunded", said);
  const auto refused = it.run({"attention", "resolve", run, "--note", "again"});
  BOOST_TEST(refused.status == 1);
  BOOST_TEST(has(refused.errors, "its attention was resolved already, by tester"), refused.errors);
}

BOOST_AUTO_TEST_CASE(lists_have_filters_and_pages) {
  served it;
  for (int i = 0; i < 5; ++i)
    it.asked({"start", "quick", "--wait", "--run-type", i == 0 ? "test" : "manual"});
  auto page = it.asked({"list", "--limit", "2"});
  size_t seen = page["runs"].size();
  BOOST_TEST(has(it.run({"list", "--limit", "2"}).output, "more: --cursor "));
  while (page["next_cursor"].is_string()) {
    page = it.asked({"list", "--limit", "2", "--cursor", page["next_cursor"]});
    seen += page["runs"].size();
  }
  BOOST_TEST(seen == 5U);
  const auto every = it.asked({"list", "--all"});
  BOOST_TEST(every["runs"].size() == 5U);
  BOOST_TEST(every["next_cursor"].is_null());
  BOOST_TEST(has(it.run({"list", "--all"}).output, "5 runs\n"));
  BOOST_TEST(it.run({"list", "--all", "--limit", "2"}).status == 2);
  const auto chosen = it.run({"list", "--limit", "1", "--columns", "status,run"}).output;
  BOOST_TEST(chosen.starts_with("STATUS     RUN\ncompleted  ORCH-"), chosen);
  BOOST_TEST(has(chosen, "1 run; more: --cursor "), chosen);
  BOOST_TEST(it.asked({"list", "--run-type", "test"})["runs"].size() == 1U);
  BOOST_TEST(it.asked({"list", "--status", "failed", "--status", "running"})["runs"].empty());
  BOOST_TEST(it.asked({"list", "--workflow", "slow"})["runs"].empty());
  BOOST_TEST(it.asked({"list", "--from", "1h"})["runs"].size() == 5U);
  BOOST_TEST(it.asked({"list", "--to", "1h"})["runs"].empty());
  BOOST_TEST(it.asked({"history", "--from", "1d"})["runs"].size() == 5U);
  BOOST_TEST(it.asked({"metrics"})["fulfillment_rate"] == 90.0);
  BOOST_TEST(has(it.run({"metrics"}).output, "5 completed runs since "));
  BOOST_TEST(it.run({"list", "--cursor", "none"}).status == 2);
}

BOOST_AUTO_TEST_CASE(runs_of_others_are_not_there) {
  served it;
  const auto run = it.asked({"start", "quick", "--wait"})["run_number"].get<std::string>();
  BOOST_TEST(it.asked({"list"}, 0, theirs)["runs"].empty());
  const auto refused = it.run({"show", run}, theirs);
  BOOST_TEST(refused.status == 1);
  BOOST_TEST(has(refused.errors, "this tenant has no run '" + run + "'"));
  BOOST_TEST(it.asked({"list", "--all-tenants"}, 0, theirs)["runs"].size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_run_is_found_and_asked_across_tenants_when_that_is_said) {
  served it;
  const auto run = it.asked({"start", "long"})["run_number"].get<std::string>();
  for (const std::string command : {"show", "events", "explain"}) {
    BOOST_TEST(it.run({command, run}, theirs).status == 1, command);
    BOOST_TEST(it.run({command, run, "--all-tenants"}, theirs).status == 0, command);
  }
  BOOST_TEST(it.asked({"cancel", run, "--all-tenants"}, 0, theirs)["granted"] == "cancel");
  BOOST_TEST(it.asked({"watch", run, "--all-tenants"}, 1, "")["status"] == "cancelled");
  const auto whose = it.run({"show", run}, "");
  BOOST_TEST(whose.status == 2);
  BOOST_TEST(has(whose.errors, "whose run? Give --tenant a UUID, set LEVAIN_TENANT to one, or say --all-tenants"));
  BOOST_TEST(it.run({"show", run, "--all-tenants", "--tenant", ours}).status == 2);
}

BOOST_AUTO_TEST_CASE(the_daemon_tells_how_it_is) {
  served it;
  BOOST_TEST(it.asked({"status"})["ready"] == true);
  BOOST_TEST(has(it.run({"status"}).output, "64 shards ready"));
  BOOST_TEST(it.asked({"workers"})["workers"].empty());
  BOOST_TEST(it.run({"workers"}).output == "no workers are connected with this node\n");
}

BOOST_AUTO_TEST_CASE(what_it_remembers_is_verified_beside_it) {
  served it;
  const auto run = it.asked({"start", "quick", "--wait"})["run_number"].get<std::string>();
  it.asked({"start", "slow"});
  const auto all = it.asked({"verify", "--database", it.database.url(), "--all"});
  BOOST_TEST(all["runs"] == 2);
  BOOST_TEST(all["differences"] == 0);
  BOOST_TEST(it.asked({"verify", "--database", it.database.url(), "--run", run})["equal"] == 1);
  BOOST_TEST(it.asked({"verify", "--database", it.database.url(), "--since", "1h"})["runs"] == 2);
  BOOST_TEST(it.asked({"verify", "--database", it.database.url()}, 0, theirs)["runs"] == 0);
  BOOST_TEST(it.run({"verify", "--database", it.database.url(), "--run", "ORCH-none"}).status == 1);
  BOOST_TEST(it.asked({"migrate", "up", "--database", it.database.url()})["up_to_date"] == true);
  BOOST_TEST(it.asked({"migrate", "verify", "--database", it.database.url()})["differences"].empty());
}

BOOST_AUTO_TEST_CASE(a_database_without_the_schema_is_said_to_be_so) {
  fresh_database database(fresh_database::contents::nothing);
  const auto run = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--database", database.url()});
    return run_to_end({"levain", std::move(arguments)});
  };
  BOOST_TEST(run({"migrate", "status"}).status == 1);
  const auto refused = run({"verify", "--all"});
  BOOST_TEST(refused.status == 1);
  BOOST_TEST(has(refused.errors, "run levain migrate up first"));
  BOOST_TEST(has(run({"indexes", "list"}).errors, "run levain migrate up first"));
  BOOST_TEST(has(run({"retention", "--older-than", "90d"}).errors, "run levain migrate up first"));
  BOOST_TEST(has(run({"migrate", "up", "--dry-run"}).output, "would apply 001_initial_schema"));
  BOOST_TEST(run({"migrate", "status"}).status == 1);
  BOOST_TEST(has(run({"migrate", "up"}).output, "applied 001_initial_schema"));
  BOOST_TEST(run({"migrate", "status"}).status == 0);
  BOOST_TEST(has(run({"verify", "--all"}).output, "0 runs verified"));
}

BOOST_AUTO_TEST_CASE(what_is_left_after_retention_is_verified) {
  served it;
  it.asked({"start", "quick", "--wait"});
  // A run of long ago, with a journal that no program of today wrote.
  const std::string old = "0170c9a1-7a00-7000-8000-000000000005";
  pqxx::connection connection(it.database.url());
  pqxx::work transaction(connection);
  transaction.exec(
    "insert into orchestration_runs (id, run_number, tenant_id, status, workflow, started_at, completed_at) values ('" +
    old + "', 'OLD', '" + ours + "', 'completed', 'gone', '2020-03-11 10:00', '2020-03-11 11:00')");
  transaction.exec(
    "insert into run_events (run_id, seq, at, kind) values ('" + old + "', 1, '2020-03-11', 'run_accepted'), ('" + old +
    "', 2, '2020-03-11', 'run_completed')");
  transaction.commit();
  const std::vector<std::string> verify{"verify", "--database", it.database.url(), "--all"};
  BOOST_TEST(it.run(verify).status == 1);
  const auto deleted = it.run({"retention", "--database", it.database.url(), "--older-than", "90d"});
  BOOST_TEST(has(deleted.output, "deleted 1 run that ended before"), deleted.output);
  BOOST_TEST(has(deleted.output, ", with 2 events and 0 start keys"), deleted.output);
  const auto verified = it.run(verify);
  BOOST_TEST(verified.status == 0, verified.output);
  BOOST_TEST(has(verified.output, "1 run verified"), verified.output);
}

BOOST_AUTO_TEST_CASE(terminated_runs_and_resolved_attention_are_asked_for_by_the_command_line) {
  served it;
  const auto run = it.asked({"start", "long"})["run_number"].get<std::string>();
  BOOST_TEST(it.asked({"terminate", run, "--by", "tester", "--reason", "power cut"})["granted"] == "terminate");
  BOOST_TEST(it.asked({"watch", run}, 1)["status"] == "cancelled");
  const auto failed = it.asked({"start", "slow", "--wait"}, 1)["run_number"].get<std::string>();
  BOOST_TEST(has(it.run({"attention"}).output, failed));
  BOOST_TEST(it.asked({"attention", "resolve", failed, "--note", "sold by hand"})["granted"] == "resolve");
  BOOST_TEST(!has(it.run({"attention"}).output, failed));
  BOOST_TEST(it.run({"attention", "resolve", failed}).status == 2);
}

BOOST_AUTO_TEST_CASE(a_database_is_kept_up_from_the_command_line) {
  fresh_database database;
  const auto run = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--database", database.url()});
    return run_to_end({"levain", std::move(arguments)});
  };
  BOOST_TEST(has(run({"indexes", "list"}).output, "missing"));
  BOOST_TEST(has(run({"indexes", "create"}).output, "created ix_orchestration_runs_forecast_data"));
  BOOST_TEST(run({"indexes", "create"}).output == "all of them are there\n");
  BOOST_TEST(has(run({"indexes", "list"}).output, "present"));
  BOOST_TEST(has(run({"indexes", "drop"}).output, "dropped ix_orchestration_runs_error_details"));
  BOOST_TEST(
    has(run({"retention", "--older-than", "90d", "--dry-run"}).output, "would delete 0 runs that ended before"));
  BOOST_TEST(has(run({"retention", "--older-than", "90d"}).output, "deleted 0 runs that ended before"));
  const auto refused = run({"migrate", "close-adopted"});
  BOOST_TEST(refused.status == 1);
  BOOST_TEST(has(refused.errors, "no table of another program was adopted here"));
}

BOOST_AUTO_TEST_SUITE_END()
