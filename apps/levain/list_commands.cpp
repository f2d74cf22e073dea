#include <memory>

#include <fmt/format.h>

#include "apps/levain/commands.hpp"
#include "apps/terminal/run_text.hpp"
#include "persistence/queries.hpp"

namespace levain {

namespace {

using nlohmann::ordered_json;
using terminal::ink;

struct list_words {
  std::vector<std::string> statuses;
  std::string run_type;
  std::string workflow;
  std::string from;
  std::string to;
  size_t limit = rows_per_answer_default;
  std::string cursor;
  bool all_tenants = false;
};

void add_moment(query_parameters& query, const std::string& name, const std::string& text) {
  if (!text.empty())
    query.emplace_back(name, to_rfc3339(moment_from("--" + name, text)));
}

void add_text(query_parameters& query, const std::string& name, const std::string& text) {
  if (!text.empty())
    query.emplace_back(name, text);
}

/// The rows that could be read, and a line for each that could not.
std::string table_or_nothing(const command_line& line, const ordered_json& found, bool with_tenant) {
  const auto& rows = found.at("runs");
  auto text = rows.empty() ? "no runs\n" : terminal::runs_text(rows, line.out.look, with_tenant);
  const auto unreadable = found.find("unreadable");
  if (unreadable == found.end())
    return text;
  for (const auto& each : *unreadable)
    text += line.out.look(
              ink::bad, terminal::harmless(fmt::format(
                          "run {} cannot be read: {}", each.value("run_number", ""), each.value("message", "")))) +
            '\n';
  return text;
}

exit_status
show_page(const command_line& line, const std::string& path, const query_parameters& query, bool with_tenant) {
  const auto page = client_of(line).get(path, query);
  auto text = table_or_nothing(line, page, with_tenant);
  if (page.at("next_cursor").is_string())
    text += line.out.look(ink::quiet, fmt::format("more: --cursor {}\n", page["next_cursor"].get<std::string>()));
  answer(line, page, text);
  return exit_status::done;
}

exit_status list(const command_line& line, const list_words& words) {
  const auto path = words.all_tenants ? std::string("/v1/operator/runs") : tenant_path(line) + "/runs";
  query_parameters query;
  for (const auto& each : words.statuses)
    query.emplace_back("status", each);
  add_text(query, "run_type", words.run_type);
  add_text(query, "workflow", words.workflow);
  add_moment(query, "from", words.from);
  add_moment(query, "to", words.to);
  query.emplace_back("limit", std::to_string(words.limit));
  add_text(query, "cursor", words.cursor);
  return show_page(line, path, query, words.all_tenants);
}

/// A list that has no pages.
exit_status
show_rows(const command_line& line, const std::string& path, const query_parameters& query, bool with_tenant) {
  const auto found = client_of(line).get(path, query);
  auto text = table_or_nothing(line, found, with_tenant);
  if (found.value("limit_reached", false))
    text += line.out.look(ink::quiet, "there may be more: raise --limit\n");
  answer(line, found, text);
  return exit_status::done;
}

exit_status show_active(const command_line& line, const list_words& words) {
  return show_rows(line, tenant_path(line) + "/active", {{"limit", std::to_string(words.limit)}}, false);
}

exit_status show_history(const command_line& line, const list_words& words) {
  query_parameters query{{"limit", std::to_string(words.limit)}};
  add_moment(query, "from", words.from);
  add_moment(query, "to", words.to);
  return show_rows(line, tenant_path(line) + "/history", query, false);
}

exit_status show_attention(const command_line& line, const list_words& words) {
  if (!words.all_tenants && line.tenant.empty())
    throw command_failed(
      exit_status::wrong_command_line, "whose runs? Give --tenant a UUID, or say so with --all-tenants");
  query_parameters query;
  add_text(query, "run_type", words.run_type);
  query.emplace_back("limit", std::to_string(words.limit));
  add_text(query, "cursor", words.cursor);
  const auto path = words.all_tenants ? std::string("/v1/operator/attention") : tenant_path(line) + "/attention";
  return show_page(line, path, query, words.all_tenants);
}

CLI::App* add_list(CLI::App& app, command_line& line, const char* name, const char* what, list_words& words) {
  auto* command = app.add_subcommand(name, what);
  command->add_option("--limit", words.limit, "Runs at most")
    ->check(CLI::Range(size_t{1}, rows_per_answer_max))
    ->capture_default_str();
  add_daemon_options(*command, line);
  return command;
}

void add_run_type(CLI::App& command, list_words& words, const char* what) {
  command.add_option("--run-type", words.run_type, what)->check(CLI::IsMember({"scheduled", "manual", "test"}));
}

void choose(CLI::App* command, command_line& line, std::shared_ptr<list_words> words, auto work) {
  command->callback([&line, words, work] { line.chosen = [&line, words, work] { return work(line, *words); }; });
}

} // namespace

void add_list_commands(CLI::App& app, command_line& line) {
  auto words = std::make_shared<list_words>();
  auto* runs = add_list(app, line, "list", "List runs, newest first", *words);
  runs->add_option("--status", words->statuses, "Only these; may be repeated")
    ->check(CLI::IsMember(
      {"pending", "running", "completed", "partial_success", "failed", "cancelled", "paused", "cancelling"}));
  add_run_type(*runs, *words, "scheduled, manual or test");
  runs->add_option("--workflow", words->workflow, "Only runs of this workflow");
  runs->add_option("--from", words->from, "Began then or later: a time, a day, or how long ago (2h)");
  runs->add_option("--to", words->to, "Began before");
  runs->add_option("--cursor", words->cursor, "Cursor from the previous page");
  runs->add_flag("--all-tenants", words->all_tenants, "The operator's list, across all tenants");
  add_tenant_option(*runs, line);
  choose(runs, line, words, list);

  auto* active = add_list(app, line, "active", "List the runs that have not ended", *words);
  add_tenant_option(*active, line);
  choose(active, line, words, show_active);

  auto* history = add_list(app, line, "history", "List the runs that began in a span of time", *words);
  history->add_option("--from", words->from, "A time, a day, or how long ago (7d)")->required();
  history->add_option("--to", words->to, "Now when it is not given");
  add_tenant_option(*history, line);
  choose(history, line, words, show_history);

  auto* attention = add_list(app, line, "attention", "List the runs that a person has to look at", *words);
  attention->add_flag("--all-tenants,--all", words->all_tenants, "The operator's list, across all tenants");
  add_run_type(*attention, *words, "Only scheduled, manual or test; without it, all but test");
  attention->add_option("--cursor", words->cursor, "Cursor from the previous page");
  add_tenant_option(*attention, line);
  add_resolve_command(*attention, line);
  attention->callback([&line, words, attention] {
    // Its subcommand has been chosen before.
    if (attention->get_subcommands().empty())
      line.chosen = [&line, words] { return show_attention(line, *words); };
  });
}

} // namespace levain
