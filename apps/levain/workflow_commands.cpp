#include <memory>

#include <fmt/format.h>

#include "apps/levain/commands.hpp"
#include "apps/terminal/json_text.hpp"
#include "apps/terminal/run_text.hpp"
#include "apps/terminal/table.hpp"

namespace levain {

namespace {

using nlohmann::ordered_json;
using terminal::ink;

exit_status register_workflow(const command_line& line, const std::string& file) {
  auto client = client_of(line);
  const auto definition = text_or_file("FILE", file.starts_with('@') ? file : "@" + file);
  const auto registered = client.post("/v1/workflows", definition);
  const bool fresh = registered.value("registered", false);
  auto text = fmt::format(
    "{} v{} {}\n", registered.value("workflow", ""), registered.value("version", 0),
    fresh ? line.out.look(ink::good, "registered") : std::string("was registered before, with the same content"));
  for (const auto& each : registered.value("warnings", ordered_json::array()))
    text += fmt::format(
      "{} {}: {}\n", line.out.look(ink::warning, "warning:"), each.value("field", ""), each.value("message", ""));
  answer(line, registered, text);
  return exit_status::done;
}

exit_status list_workflows(const command_line& line) {
  auto client = client_of(line);
  auto all = client.get("/v1/workflows");
  while (!all.at("next_cursor").is_null()) {
    auto page = client.get("/v1/workflows", {{"cursor", all.at("next_cursor").get<std::string>()}});
    for (auto& each : page.at("workflows"))
      all.at("workflows").push_back(std::move(each));
    all["next_cursor"] = page.at("next_cursor");
  }
  all.erase("next_cursor");
  terminal::table table({"WORKFLOW", "VERSION", "REGISTERED", "CONTENT"});
  for (const auto& each : all.at("workflows"))
    table.add({
      {each.value("workflow", ""), ink::strong},
      {terminal::value_text(each.at("version")), ink::plain, true},
      {terminal::moment_of(each.at("registered_at"))},
      {each.value("content_hash", "").substr(0, 12), ink::quiet},
    });
  answer(line, all, table.empty() ? "no workflow is registered\n" : table.text(line.out.look));
  return exit_status::done;
}

exit_status show_workflow(const command_line& line, const std::string& name, int32_t version) {
  auto client = client_of(line);
  auto path = "/v1/workflows/" + percent_encoded(name);
  if (version > 0)
    path += "/" + std::to_string(version);
  const auto found = client.get(path);
  // A definition is JSON for people too.
  answer(line, found, terminal::json_text(found.at("definition"), line.out.live));
  return exit_status::done;
}

} // namespace

void add_workflow_commands(CLI::App& app, command_line& line) {
  auto* workflow = app.add_subcommand("workflow", "Registers and shows workflow definitions");
  workflow->require_subcommand(1);

  auto* put = workflow->add_subcommand("register", "Register a definition");
  auto file = std::make_shared<std::string>();
  put->add_option("FILE", *file, "The definition, JSON; - reads standard input")->required();
  add_daemon_options(*put, line);
  put->callback([&line, file] { line.chosen = [&line, file] { return register_workflow(line, *file); }; });

  auto* list = workflow->add_subcommand("list", "List what is registered");
  add_daemon_options(*list, line);
  list->callback([&line] { line.chosen = [&line] { return list_workflows(line); }; });

  auto* show = workflow->add_subcommand("show", "Print a definition");
  auto name = std::make_shared<std::string>();
  auto version = std::make_shared<int32_t>(0);
  show->add_option("NAME", *name, "The workflow")->required();
  show->add_option("VERSION", *version, "The newest when it is not given")->check(CLI::PositiveNumber);
  add_daemon_options(*show, line);
  show->callback(
    [&line, name, version] { line.chosen = [&line, name, version] { return show_workflow(line, *name, *version); }; });
}

} // namespace levain
