#include <memory>

#include <fmt/format.h>

#include "apps/levain/commands.hpp"
#include "apps/terminal/run_text.hpp"

namespace levain {

namespace {

using nlohmann::ordered_json;
using terminal::ink;

exit_status show_metrics(const command_line& line, const std::string& since) {
  query_parameters query;
  if (!since.empty())
    query.emplace_back("since", to_rfc3339(moment_from("--since", since)));
  const auto figures = client_of(line).get(tenant_path(line) + "/metrics-summary", query);
  auto text = fmt::format(
    "{} since {}\n", terminal::counted(figures.at("runs").get<uint64_t>(), "completed run"),
    terminal::moment_of(figures.at("since")));
  for (const auto* metric : {"fulfillment_rate", "on_time_delivery_rate", "cost_accuracy", "quality_score"})
    text += fmt::format(
      "  {:<22} {}\n", metric,
      figures.at(metric).is_null() ? "none" : fmt::format("{:.1f}", figures[metric].get<double>()));
  const auto& duration = figures.at("duration_seconds");
  text += fmt::format(
    "  {:<22} {}\n", "duration", duration.is_null() ? "none" : fmt::format("{:.3f} s", duration.get<double>()));
  answer(line, figures, text);
  return exit_status::done;
}

std::string counted_batches(uint64_t count) {
  return fmt::format("{} batch{}", count, count == 1 ? "" : "es");
}

exit_status show_status(const command_line& line) {
  const auto status = client_of(line).get("/v1/status");
  const auto& look = line.out.look;
  const auto& runs = status.at("runs");
  const auto& database = status.at("database");
  const bool ready = status.value("ready", false);
  std::string why;
  for (const auto& each : status.value("reasons", ordered_json::array()))
    why += (why.empty() ? ": " : "; ") + terminal::harmless(each.get<std::string>());
  const auto number = [](const ordered_json& of, const char* name) { return terminal::value_text(of.at(name)); };
  const auto count = [](const ordered_json& of, const char* name, const char* what) {
    return terminal::counted(of.at(name).get<uint64_t>(), what);
  };
  answer(
    line, status,
    fmt::format(
      "levaind {} at {}: {}{}\n  since {}\n  {}, {} running, {} waiting; {} ready\n  the database {}\n"
      "  {} in {}, {} waiting\n",
      number(status, "version"), line.url, ready ? look(ink::good, "ready") : look(ink::bad, "not ready"), why,
      number(status, "started_at"), count(runs, "live", "run"), number(runs, "running"), number(runs, "waiting"),
      count(status, "shards_ready", "shard"),
      database.value("answers", false) ? look(ink::good, "answers") : look(ink::bad, "does not answer"),
      count(status.at("journal"), "events", "event"),
      counted_batches(status.at("journal").at("batches").get<uint64_t>()),
      count(status.at("journal"), "appends_waiting", "append")));
  return ready ? exit_status::done : exit_status::failed;
}

} // namespace

void add_figure_commands(CLI::App& app, command_line& line) {
  auto since = std::make_shared<std::string>();
  auto* metrics = app.add_subcommand("metrics", "Average the metrics of completed runs");
  metrics->add_option("--since", *since, "A time, a day, or how long ago (7d); 30 days when it is not given");
  add_daemon_options(*metrics, line);
  add_tenant_option(*metrics, line);
  metrics->callback([&line, since] { line.chosen = [&line, since] { return show_metrics(line, *since); }; });

  auto* status = app.add_subcommand("status", "Show how the daemon is; fails when it is not ready");
  add_daemon_options(*status, line);
  status->callback([&line] { line.chosen = [&line] { return show_status(line); }; });
}

} // namespace levain
