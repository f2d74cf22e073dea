#include <chrono>
#include <map>
#include <memory>

#include <fmt/format.h>

#include "apps/levain/commands.hpp"
#include "apps/levain/watched_run.hpp"

namespace levain {

namespace {

using nlohmann::ordered_json;
using terminal::ink;

/// How long a daemon that takes no starts is asked again.
constexpr std::chrono::seconds busy_patience(30);

struct start_words {
  std::string workflow;
  int32_t version = 0;
  std::string input;
  std::string metadata;
  std::string key;
  std::string priority = "normal";
  std::string run_type = "manual";
  std::string triggered_by = login_name();
  bool wait = false;
};

/// JSON text as it was given: members in their order and none dropped, so that the daemon judges what was typed.
std::string json_text(const std::string& option, const std::string& given) {
  auto text = text_or_file(option, given);
  try {
    [[maybe_unused]] const auto parsed = ordered_json::parse(text);
  } catch (const ordered_json::parse_error& failure) {
    throw command_failed(
      exit_status::wrong_command_line, fmt::format("{} is not JSON, at byte {}", option, failure.byte));
  }
  return text;
}

/// An empty variable of a script is not to be taken for an option that was left out.
CLI::Validator is_not_empty() {
  return {
    [](const std::string& given) {
      return given.empty() ? std::string("must not be empty; leave it out for a start without one") : std::string();
    },
    "TEXT"};
}

std::string body_of(const start_words& words) {
  ordered_json body{{"workflow", words.workflow}, {"priority", words.priority}, {"run_type", words.run_type}};
  if (words.version > 0)
    body["version"] = words.version;
  if (!words.triggered_by.empty())
    body["triggered_by"] = words.triggered_by;
  if (!words.key.empty())
    body["idempotency_key"] = words.key;
  std::string text;
  try {
    text = body.dump();
  } catch (const ordered_json::type_error&) {
    throw command_failed(exit_status::wrong_command_line, "the command line is not UTF-8");
  }
  text.pop_back();
  if (!words.input.empty())
    text += ",\"input\":" + json_text("--input", words.input);
  if (!words.metadata.empty())
    text += ",\"metadata\":" + json_text("--metadata", words.metadata);
  return text + '}';
}

exit_status start(const command_line& line, const start_words& words) {
  api_client client({.url = line.url, .busy_patience = busy_patience});
  const auto started = client.post(tenant_path(line) + "/runs", body_of(words));
  const auto id = started.value("id", "");
  if (!words.wait || !line.json)
    answer(
      line, started,
      fmt::format(
        "{}  {}  {}\n",
        line.out.look(ink::strong, started.at("run_number").is_string() ? started.value("run_number", "") : id), id,
        started.value("repeated", false) ? "was started before, by the same key" : "started"));
  return words.wait ? watch_until_ended(line, id, watch_interval_default, watch_patience_default, true)
                    : exit_status::done;
}

} // namespace

void add_start_command(CLI::App& app, command_line& line) {
  auto words = std::make_shared<start_words>();
  auto* command = app.add_subcommand("start", "Start a run; it is durable once this has answered");
  command->add_option("WORKFLOW", words->workflow, "The name of a registered workflow")->required();
  command->add_option("--version", words->version, "Its version; the newest when it is not given")
    ->check(CLI::PositiveNumber);
  command->add_option("--input", words->input, "JSON, @FILE, or @- for standard input")->check(is_not_empty());
  command->add_option("--metadata", words->metadata, "A JSON object or @FILE, for the column run_metadata");
  command->add_option("--key", words->key, "Idempotency key: the same key starts once")->check(is_not_empty());
  command->add_option("--priority", words->priority, "normal, high or critical")
    ->check(CLI::IsMember({"normal", "high", "critical"}))
    ->capture_default_str();
  command->add_option("--run-type", words->run_type, "scheduled, manual or test")
    ->check(CLI::IsMember({"scheduled", "manual", "test"}))
    ->capture_default_str();
  command->add_option("--triggered-by", words->triggered_by, "Who or what starts it")
    ->check(is_not_empty())
    ->capture_default_str();
  command->add_flag("--wait", words->wait, "Follow the run until it has ended; a failed run makes this fail");
  add_daemon_options(*command, line);
  add_tenant_option(*command, line);
  command->callback([&line, words] { line.chosen = [&line, words] { return start(line, *words); }; });
}

} // namespace levain
