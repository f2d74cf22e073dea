#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "actors/database_findings.hpp"
#include "apps/levain/commands.hpp"
#include "apps/levain/doctor_text.hpp"
#include "apps/levain/used_database.hpp"
#include "persistence/journal.hpp"

namespace levain {

namespace {

using nlohmann::ordered_json;

/// A daemon that does not answer such a question within so long is not well.
constexpr std::chrono::milliseconds answer_timeout{30'000};

struct doctor_page {
  std::vector<finding> findings;
  /// True when something that was to be asked could not be.
  bool unreachable = false;

  void add(finding one) {
    unreachable = unreachable || one.name == unreachable_name;
    findings.push_back(std::move(one));
  }
};

/// What the node says of itself and, where nobody asks the database directly, of its database.
void ask_node(const command_line& line, bool with_database, doctor_page& page) {
  try {
    const auto answer = api_client({.url = line.url, .answer_timeout = answer_timeout}).get("/v1/doctor");
    for (const auto& each : answer.at("findings")) {
      auto one = parse_finding(each);
      if (with_database || one.subject == finding_subject::node)
        page.add(std::move(one));
    }
  } catch (const command_failed& failed) {
    if (failed.status() == exit_status::wrong_command_line)
      throw;
    page.add(unreachable_finding(finding_subject::node, failed.what()));
  } catch (const std::exception& strange) {
    page.add(unreachable_finding(
      finding_subject::node,
      fmt::format("{} answers something else than a health page: {}", line.url, strange.what())));
  }
}

void ask_database(const command_line& line, doctor_page& page) {
  try {
    // Only one that runs: a server that was started for this page would tell nothing.
    const auto health = read_database_health(running_database_url(line));
    page.add(clock_finding(health.clock, finding_subject::database));
    for (auto& each : database_findings(health))
      page.add(std::move(each));
  } catch (const embedded_postgres_error& failed) {
    page.add(unreachable_finding(finding_subject::database, failed.what()));
  } catch (const journal_unavailable& failed) {
    page.add(unreachable_finding(finding_subject::database, failed.what()));
  }
}

exit_status examine(const command_line& line, bool url_given) {
  doctor_page page;
  const bool database_given = is_database_named(line);
  if (url_given || !database_given)
    ask_node(line, !database_given, page);
  if (database_given)
    ask_database(line, page);
  auto found = ordered_json::array();
  for (const auto& each : page.findings)
    found.push_back(finding_json(each));
  const auto worst = worst_of(page.findings);
  answer(
    line, {{"worst", to_string(worst)}, {"unreachable", page.unreachable}, {"findings", std::move(found)}},
    doctor_text(page.findings, line.out));
  if (page.unreachable)
    return exit_status::service_missing;
  return worst == finding_level::critical ? exit_status::failed : exit_status::done;
}

} // namespace

void add_doctor_command(CLI::App& app, command_line& line) {
  auto* command =
    app.add_subcommand("doctor", "One page on the health of a node and its database; fails when a finding is critical");
  auto* url = command->add_option("--url", line.url, "Where the daemon listens (LEVAIN_URL)")->capture_default_str();
  add_database_options(*command, line);
  command->callback([&line, url] {
    line.chosen = [&line, url] { return examine(line, url->count() > 0 || !from_environment("LEVAIN_URL").empty()); };
  });
}

} // namespace levain
