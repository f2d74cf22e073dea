// What the command line says to words that are wrong and to services that are not there, and how it ends.
#include <boost/test/unit_test.hpp>

#include <fstream>

#include "tests/support/processes.hpp"

using namespace levain::test;

namespace {

const std::string tenant = "6f1c2a90-5b7e-4d0a-8c31-0a4e5d2b7c01";
/// Nobody listens on the port that is for finding out who listens.
const std::string nowhere = "http://127.0.0.1:1";

program_result run(std::vector<std::string> arguments, std::map<std::string, std::string> environment = {}) {
  return run_to_end({"levain", std::move(arguments), std::move(environment)});
}

void check_ends(const program_result& result, int status, const std::string& sentence) {
  BOOST_TEST(result.status == status);
  BOOST_TEST(result.errors.find(sentence) != std::string::npos, "'" << result.errors << "' lacks '" << sentence << "'");
  BOOST_TEST(result.output.empty());
}

} // namespace

BOOST_AUTO_TEST_SUITE(cli_test)

BOOST_AUTO_TEST_CASE(wrong_command_lines_end_with_2_and_name_what_was_wrong) {
  const std::pair<std::vector<std::string>, std::string> cases[] = {
    {{}, "which command? One of demo, workflow, start"},
    {{"strat"}, "there is no command 'strat'; there are demo, workflow, start"},
    {{"workflow"}, "which command? One of register, list, show"},
    {{"workflow", "put"}, "there is no command 'put'; there are register, list, show"},
    {{"workflow", "register"}, "FILE is required"},
    {{"workflow", "register", "/nonexistent.json"}, "the file '/nonexistent.json', which cannot be opened"},
    {{"workflow", "show", "w", "0"}, "VERSION: "},
    {{"list"}, "whose runs? Give --tenant a UUID, or set LEVAIN_TENANT"},
    {{"list", "--tenant", "bakery"}, "--tenant is 'bakery': must be a UUID such as"},
    {{"list", "--tenant", tenant, "--limit", "0"}, "--limit: Value 0 not in range 1 to 1000"},
    {{"list", "--tenant", tenant, "--limit", "1001"}, "--limit: Value 1001 not in range 1 to 1000"},
    {{"list", "--tenant", tenant, "--status", "done"}, "--status: done not in {pending,running,"},
    {{"list", "--tenant", tenant, "--from", "soon"}, "--from is 'soon': must be a time such as"},
    {{"list", "--colour"}, "--colour"},
    {{"list", "--tenant", tenant, "--columns", "run,colour"}, "--columns: colour not in {run,id,status,"},
    {{"list", "--tenant", tenant, "--all", "--limit", "2"}, "--limit excludes --all-pages"},
    {{"show", "r"}, "whose run? Give --tenant a UUID, set LEVAIN_TENANT to one, or say --all-tenants"},
    {{"show", "r", "--tenant", tenant, "--all-tenants"}, "--tenant excludes --all-tenants"},
    {{"history", "--tenant", tenant}, "--from is required"},
    {{"start", "w", "--tenant", tenant, "--key", ""}, "--key: must not be empty; leave it out"},
    {{"start", "w", "--tenant", tenant, "--input", ""}, "--input: must not be empty; leave it out"},
    {{"metrics", "--tenant", tenant, "--since", "2026-13-01"}, "--since is '2026-13-01': must be a time such as"},
    {{"metrics", "--tenant", tenant, "--since", "999999d"}, "--since is '999999d': must be a time such as"},
    {{"attention"}, "whose runs? Give --tenant a UUID, or say so with --all-tenants"},
    {{"attention", "--all", "--run-type", "auto"}, "--run-type: auto not in {scheduled,manual,test}"},
    {{"show", "--tenant", tenant}, "RUN is required"},
    {{"show", "", "--tenant", tenant}, "which run? Give its id or its run number"},
    {{"watch", "r", "--interval", "1ms"}, "--interval is '1ms': must be a span such as 500ms, from 20ms to 1m"},
    {{"watch", "r", "--interval", "often"}, "--interval is 'often'"},
    {{"watch", "r", "--patience", "2d"}, "--patience is '2d': must be a span such as 500ms, from 0s to 1d"},
    {{"start", "--tenant", tenant}, "WORKFLOW is required"},
    {{"start", "w", "--tenant", tenant, "--priority", "urgent"}, "--priority: urgent not in {normal,high,critical}"},
    {{"start", "w", "--tenant", tenant, "--run-type", "auto"}, "--run-type: auto not in {scheduled,manual,test}"},
    {{"start", "w", "--tenant", tenant, "--version", "-1"}, "--version: "},
    {{"start", "w", "--tenant", tenant, "--input", "{"}, "--input is not JSON, at byte 2"},
    {{"start", "w", "--tenant", tenant, "--input", "@/nonexistent"}, "--input names the file '/nonexistent'"},
    {{"status", "--url", "127.0.0.1:7400"}, "the daemon's URL is '127.0.0.1:7400': it must begin with http://"},
    {{"cancel", "r", "--tenant", tenant, "--by"}, "--by"},
    {{"migrate"}, "which command? One of up, status, verify, close-adopted"},
    {{"migrate", "up"}, "which database? Give --database a PostgreSQL URL"},
    {{"migrate", "up", "--database", "u", "--embedded", "d"}, "two databases are named"},
    {{"migrate", "close-adopted", "--older-than", "soon", "--database", "u"}, "--older-than is 'soon': must be a time"},
    {{"indexes"}, "which command? One of list, create, drop"},
    {{"indexes", "list"}, "which database? Give --database a PostgreSQL URL"},
    {{"retention", "--database", "u"}, "--older-than is required"},
    {{"retention", "--older-than", "1h", "--database", "u"}, "--older-than is '1h': must be at least 24h ago"},
    {{"retention", "--older-than", "90d", "--batch", "0"}, "--batch: Value 0 not in range 1 to 10000"},
    {{"retention", "--older-than", "90d", "--batch", "10001"}, "--batch: Value 10001 not in range 1 to 10000"},
    {{"verify", "--all"}, "which database? Give --database a PostgreSQL URL"},
    {{"verify", "--all", "--jobs", "0"}, "--jobs: Value 0 not in range 1 to 64"},
    {{"verify", "--all", "--jobs", "65"}, "--jobs: Value 65 not in range 1 to 64"},
    {{"doctor", "--database", "u", "--embedded", "d"}, "two databases are named"},
    {{"doctor", "--url", "ftp://there"}, "the daemon's URL is 'ftp://there'"},
    {{"--log-level", "loud", "status"}, "--log-level: loud not in {trace,"},
  };
  for (const auto& [arguments, sentence] : cases)
    check_ends(run(arguments), 2, sentence);
}

BOOST_AUTO_TEST_CASE(the_environment_is_held_to_the_same_rules) {
  check_ends(run({"list"}, {{"LEVAIN_TENANT", "bakery"}}), 2, "--tenant is 'bakery': must be a UUID");
  check_ends(run({"status"}, {{"LEVAIN_URL", "ftp://there"}}), 2, "the daemon's URL is 'ftp://there'");
  check_ends(
    run({"verify", "--all"}, {{"LEVAIN_DATABASE", "u"}, {"LEVAIN_EMBEDDED", "d"}}), 2, "two databases are named");
}

BOOST_AUTO_TEST_CASE(an_option_beats_the_environment) {
  check_ends(
    run({"list", "--tenant", "option"}, {{"LEVAIN_TENANT", tenant}}), 2, "--tenant is 'option': must be a UUID");
  check_ends(run({"status", "--url", nowhere}, {{"LEVAIN_URL", "ftp://there"}}), 3, nowhere);
  check_ends(
    run({"verify", "--all", "--embedded", "/nonexistent"}, {{"LEVAIN_DATABASE", "u"}}), 3,
    "--embedded is '/nonexistent', which holds no database");
}

BOOST_AUTO_TEST_CASE(a_daemon_that_is_not_there_ends_with_3) {
  const std::vector<std::vector<std::string>> cases{
    {"status"},
    {"workflow", "list"},
    {"list", "--tenant", tenant},
    {"start", "w", "--tenant", tenant},
    {"show", "r", "--tenant", tenant},
    {"watch", "r", "--tenant", tenant},
    {"cancel", "r", "--tenant", tenant},
    {"attention", "--all-tenants"},
  };
  for (auto arguments : cases) {
    arguments.insert(arguments.end(), {"--url", nowhere});
    check_ends(run(arguments), 3, "no daemon answers at " + nowhere);
  }
}

BOOST_AUTO_TEST_CASE(a_database_that_is_not_there_ends_with_3) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"migrate", "up"}, {"migrate", "status"}, {"migrate", "verify"}, {"verify", "--all"}}) {
    auto arguments = words;
    arguments.insert(arguments.end(), {"--database", "postgresql://127.0.0.1:1/none"});
    check_ends(run(arguments), 3, "the database cannot be asked");
  }
}

BOOST_AUTO_TEST_CASE(help_and_version_are_no_failures) {
  const auto help = run({"--help"});
  BOOST_TEST(help.status == 0);
  for (const auto* word : {"demo", "start", "verify", "Exit status: 0 done, 1 the work failed", "LEVAIN_TENANT"})
    BOOST_TEST(help.output.find(word) != std::string::npos, word);
  BOOST_TEST(run({"list", "--help"}).status == 0);
  BOOST_TEST(run({"--version"}).status == 0);
}

BOOST_AUTO_TEST_CASE(shared_options_may_stand_before_the_command) {
  for (const auto& words :
       {std::vector<std::string>{"--json", "--url", nowhere, "status"},
        {"--url=" + nowhere, "status"},
        {"--log-level", "error", "--tenant", tenant, "--url", nowhere, "list"}})
    BOOST_TEST(run(words).status == 3);
  check_ends(run({"--tenant", tenant, "--url", nowhere, "certs", "/tmp"}), 2, "--tenant");
  check_ends(run({"--url"}), 2, "");
}

BOOST_AUTO_TEST_CASE(help_and_version_are_commands_too) {
  BOOST_TEST(run({"help"}).output == run({"--help"}).output);
  BOOST_TEST(run({"help", "list"}).output == run({"list", "--help"}).output);
  BOOST_TEST(run({"version"}).output == run({"--version"}).output);
}

BOOST_AUTO_TEST_CASE(every_program_says_its_name_and_version_in_one_form) {
  const auto levain = run({"--version"}).output;
  BOOST_TEST_REQUIRE(levain.starts_with("levain "), levain);
  for (const std::string program : {"levaind", "levain-worker", "levain-bakery", "levain-load"}) {
    const auto said = run_to_end({program, {"--version"}});
    BOOST_TEST(said.status == 0);
    BOOST_TEST(said.output == program + levain.substr(6));
  }
}

BOOST_AUTO_TEST_CASE(moments_are_taken_as_people_write_them) {
  for (const std::string moment :
       {"2026-11-27 10:00", "2026-11-27 10:00:30", "2026-11-27T10:00", "2026-11-27 10:00+01:00", "2026-11-27", "now",
        "today", "yesterday", "1 hour ago", "90 minutes ago", "2h ago", "2 weeks ago", "7d"})
    BOOST_TEST(run({"list", "--tenant", tenant, "--url", nowhere, "--from", moment}).status == 3, moment);
  for (const std::string wrong : {"2026-11-27 10", "2026-13-27 10:00", "tomorrow", "an hour ago", "1 fortnight ago"})
    check_ends(run({"list", "--tenant", tenant, "--url", nowhere, "--from", wrong}), 2, "must be a time such as");
}

BOOST_AUTO_TEST_CASE(what_could_not_be_written_to_standard_output_is_a_failure) {
  const auto levain = (program_folder() / "levain").string();
  const temporary_folder folder;
  // No file may grow, and who writes is told by an error.
  const auto full = "trap '' XFSZ; ulimit -f 0; " + levain + " completion bash >" + (folder / "script");
  const auto result = run_to_end({"/bin/sh", {"-c", full}});
  BOOST_TEST(result.status == 1);
  const auto closed = run_to_end({"/bin/sh", {"-c", levain + " completion bash >&-"}});
  BOOST_TEST(closed.status == 1);
}

BOOST_AUTO_TEST_SUITE_END()
