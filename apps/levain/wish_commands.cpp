#include <memory>

#include <fmt/format.h>

#include "apps/levain/commands.hpp"

namespace levain {

namespace {

using terminal::ink;

struct wish_words {
  std::string run;
  std::string by = login_name();
  std::string reason;
  std::string note;
};

exit_status ask(const command_line& line, const std::string& wish, const wish_words& words) {
  auto client = client_of(line);
  nlohmann::ordered_json body{{"by", words.by}};
  if (!words.reason.empty())
    body["reason"] = words.reason;
  if (!words.note.empty())
    body["note"] = words.note;
  const auto granted = client.post(
    run_path(line, words.run) + "/" + wish,
    body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  answer(line, granted, fmt::format("{}  {} {}\n", words.run, wish, line.out.look(ink::good, "granted")));
  return exit_status::done;
}

} // namespace

void add_resolve_command(CLI::App& attention, command_line& line) {
  auto words = std::make_shared<wish_words>();
  auto* command = attention.add_subcommand("resolve", "Say that a run has been dealt with, and take it off the list");
  command->add_option("RUN", words->run, "Its id or its run number")->required();
  command->add_option("--by", words->by, "Who dealt with it")->capture_default_str();
  command->add_option("--note", words->note, "What was done about it")->required();
  add_daemon_options(*command, line);
  add_run_options(*command, line);
  command->callback([&line, words] { line.chosen = [&line, words] { return ask(line, "resolve", *words); }; });
}

void add_wish_commands(CLI::App& app, command_line& line) {
  const std::pair<const char*, const char*> wishes[] = {
    {"cancel", "Stop a run and undo what it did"},
    {"terminate", "End a run at once: await nothing, undo nothing more"},
    {"pause", "Let a run begin nothing new"},
    {"resume", "Let a paused run go on"},
    {"retry", "Let a failed run go on at what failed"},
  };
  for (const auto& [name, what] : wishes) {
    auto words = std::make_shared<wish_words>();
    auto* command = app.add_subcommand(name, what);
    command->add_option("RUN", words->run, "Its id or its run number")->required();
    command->add_option("--by", words->by, "Who asks")->capture_default_str();
    if (std::string_view(name) == "cancel" || std::string_view(name) == "terminate")
      command->add_option("--reason", words->reason, "Why");
    add_daemon_options(*command, line);
    add_run_options(*command, line);
    command->callback([&line, words, wish = std::string(name)] {
      line.chosen = [&line, words, wish] { return ask(line, wish, *words); };
    });
  }
}

} // namespace levain
