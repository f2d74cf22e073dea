#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>

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
  std::vector<std::string> columns;
  bool all_tenants = false;
  bool all_pages = false;
};

/// Runs that `--all-pages` gathers at most; a line says when there are more.
constexpr size_t gathered_runs_max = 10'000;

void add_moment(query_parameters& query, const std::string& name, const std::string& text) {
  if (!text.empty())
    query.emplace_back(name, to_rfc3339(moment_from("--" + name, text)));
}

void add_text(query_parameters& query, const std::string& name, const std::string& text) {
  if (!text.empty())
    query.emplace_back(name, text);
}

/// The rows that could be read with their number, and a line for each that could not. `more` says how to see others.
std::string table_or_nothing(
  const command_line& line, const list_words& words, const ordered_json& found, const std::string& more) {
  const auto& rows = found.at("runs");
  const auto table =
    terminal::runs_text(rows, line.out.look, {words.columns, words.all_tenants, line.out.live ? line.out.width : 0});
  auto notes = rows.empty() ? std::string("no runs") : terminal::counted(rows.size(), "run");
  if (!more.empty())
    notes += "; " + more;
  if (!table.left_out.empty())
    notes += fmt::format("\nleft out for want of room: {} (--columns)", fmt::join(table.left_out, ", "));
  auto text = table.text + line.out.look(ink::quiet, notes) + '\n';
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

void add_all(ordered_json& gathered, const ordered_json& page, const char* member) {
  const auto more = page.find(member);
  if (more == page.end())
    return;
  auto& list = gathered.emplace(member, ordered_json::array()).first.value();
  list.insert(list.end(), more->begin(), more->end());
}

/// One page, or with `--all-pages` it and those that follow.
exit_status show_pages(
  const command_line& line, const list_words& words, const std::string& path, const query_parameters& filters) {
  auto client = client_of(line);
  auto cursor = words.cursor;
  ordered_json gathered;
  while (true) {
    auto query = filters;
    query.emplace_back("limit", std::to_string(words.all_pages ? rows_per_answer_max : words.limit));
    add_text(query, "cursor", cursor);
    const auto page = client.get(path, query);
    if (gathered.is_null()) {
      gathered = page;
    } else {
      add_all(gathered, page, "runs");
      add_all(gathered, page, "unreadable");
      gathered["next_cursor"] = page.at("next_cursor");
    }
    if (!page.at("next_cursor").is_string())
      break;
    cursor = page["next_cursor"].get<std::string>();
    if (!words.all_pages || gathered["runs"].size() >= gathered_runs_max)
      break;
  }
  const auto& next = gathered.at("next_cursor");
  const auto more = next.is_string() ? fmt::format("more: --cursor {}", next.get<std::string>()) : std::string();
  answer(line, gathered, table_or_nothing(line, words, gathered, more));
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
  return show_pages(line, words, path, query);
}

/// A list that has no pages.
exit_status
show_rows(const command_line& line, const list_words& words, const std::string& path, const query_parameters& query) {
  const auto found = client_of(line).get(path, query);
  const auto more = found.value("limit_reached", false) ? "there may be more: raise --limit" : "";
  answer(line, found, table_or_nothing(line, words, found, more));
  return exit_status::done;
}

exit_status show_active(const command_line& line, const list_words& words) {
  return show_rows(line, words, tenant_path(line) + "/active", {{"limit", std::to_string(words.limit)}});
}

exit_status show_history(const command_line& line, const list_words& words) {
  query_parameters query{{"limit", std::to_string(words.limit)}};
  add_moment(query, "from", words.from);
  add_moment(query, "to", words.to);
  return show_rows(line, words, tenant_path(line) + "/history", query);
}

exit_status show_attention(const command_line& line, const list_words& words) {
  if (!words.all_tenants && line.tenant.empty())
    throw command_failed(
      exit_status::wrong_command_line, "whose runs? Give --tenant a UUID, or say so with --all-tenants");
  query_parameters query;
  add_text(query, "run_type", words.run_type);
  const auto path = words.all_tenants ? std::string("/v1/operator/attention") : tenant_path(line) + "/attention";
  return show_pages(line, words, path, query);
}

CLI::App* add_list(CLI::App& app, command_line& line, const char* name, const char* what, list_words& words) {
  auto* command = app.add_subcommand(name, what);
  command->add_option("--limit", words.limit, "Runs at most")
    ->check(CLI::Range(size_t{1}, rows_per_answer_max))
    ->capture_default_str();
  command->add_option("--columns", words.columns, "Which columns, separated by commas, in this order")
    ->delimiter(',')
    ->allow_extra_args(false)
    ->check(CLI::IsMember(terminal::run_columns()));
  add_daemon_options(*command, line);
  return command;
}

void add_pages(CLI::App& command, list_words& words, const std::string& names) {
  command.add_option("--cursor", words.cursor, "Cursor from the previous page");
  command.add_flag(names, words.all_pages, fmt::format("Every page from there on, {} runs at most", gathered_runs_max))
    ->excludes("--limit");
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
  add_pages(*runs, *words, "--all-pages,--all");
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
  add_pages(*attention, *words, "--all-pages");
  add_tenant_option(*attention, line);
  add_resolve_command(*attention, line);
  attention->callback([&line, words, attention] {
    // Its subcommand has been chosen before.
    if (attention->get_subcommands().empty())
      line.chosen = [&line, words] { return show_attention(line, *words); };
  });
}

} // namespace levain
