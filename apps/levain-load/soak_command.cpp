#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actors/workflow/parse_definition.hpp"
#include "apps/levain-load/commands.hpp"
#include "apps/load/load_database.hpp"
#include "apps/load/soak.hpp"
#include "apps/program/signal_watch.hpp"
#include "apps/terminal/progress_line.hpp"
#include "apps/terminal/table.hpp"

namespace levain::load {

namespace {

namespace fs = std::filesystem;
using terminal::ink;

constexpr double mebibyte = 1024 * 1024;

struct soak_words {
  database_words database;
  std::string duration = "30m";
  soak_options options;
};

/// For the daemon's log, as long as the soak lasts.
class log_directory {
public:
  log_directory() {
    auto pattern = (fs::temp_directory_path() / "levain-soak-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
      throw command_failed(exit_status::failed, fmt::format("cannot make {}: {}", pattern, std::strerror(errno)));
    path_ = pattern;
  }
  ~log_directory() {
    std::error_code error;
    fs::remove_all(path_, error);
  }
  log_directory(const log_directory&) = delete;
  log_directory& operator=(const log_directory&) = delete;

  const fs::path& path() const { return path_; }

private:
  fs::path path_;
};

nlohmann::ordered_json to_json(const soak_options& options, const soak_result& result) {
  return {
    {"runs", result.load.result.runs},
    {"runs_per_s", result.load.result.runs_per_s},
    {"refused", result.load.result.refused},
    {"rss_begin_bytes", result.rss_begin},
    {"rss_peak_bytes", result.rss_peak},
    {"rss_end_bytes", result.rss_end},
    {"runs_bytes_peak", result.runs_bytes_peak},
    {"runs_bytes_max", options.runs_bytes_max},
    {"calls_bytes_peak", result.calls_bytes_peak},
    {"calls_bytes_max", options.calls_bytes_max},
    {"other_bytes_max", options.other_bytes_max},
    {"looks", result.looks},
    {"looks_with_waiting_calls", result.looks_with_waiting_calls},
    {"complaints", result.complaints}};
}

std::string text_of(const soak_options& options, const soak_result& result, const terminal::paint& look) {
  terminal::table table({"FIGURE", "VALUE", ""});
  const auto add = [&table](const char* name, const std::string& value, const std::string& unit) {
    table.add({{name, ink::strong}, {value, ink::plain, true}, {unit, ink::quiet}});
  };
  const auto size = [](uint64_t bytes) { return fmt::format("{:.1f}", static_cast<double>(bytes) / mebibyte); };
  const auto of = [&](uint64_t bytes, const char* name) { return fmt::format("MiB, {} {}", name, size(bytes)); };
  uint64_t refused = 0;
  for (const auto& each : result.load.result.refused)
    refused += each.second;
  add("runs", std::to_string(result.load.result.runs), fmt::format("{:.2f} a second", result.load.result.runs_per_s));
  add("starts refused", std::to_string(refused), "and asked for again");
  add("memory at the begin", size(result.rss_begin), "MiB, resident");
  add("memory at its peak", size(result.rss_peak), "MiB");
  add("memory at the end", size(result.rss_end), "MiB");
  add("of runs, at most", size(result.runs_bytes_peak), of(options.runs_bytes_max, "runs_bytes_max"));
  add("of calls, at most", size(result.calls_bytes_peak), of(options.calls_bytes_max, "calls_bytes_max"));
  add(
    "looks at it", std::to_string(result.looks),
    fmt::format("{} of them saw calls that waited for room", result.looks_with_waiting_calls));
  auto text = table.text(look);
  for (const auto& each : result.complaints)
    text += fmt::format("{} {}\n", look(ink::bad, "wrong:"), each);
  return text;
}

exit_status soak(const command_line& line, soak_words& words) {
  const auto length = parse_duration(words.duration);
  if (!length || length->count() <= 0)
    throw command_failed(
      exit_status::wrong_command_line,
      fmt::format("--duration: must be a span such as 30s, 5m or 2h, not '{}'", words.duration));
  auto& options = words.options;
  options.length = *length;
  const load_database database(words.database);
  const log_directory logs;
  options.database_url = database.url();
  options.directory = logs.path();
  options.daemon_program = fs::read_symlink("/proc/self/exe").parent_path() / "levaind";
  signal_watch signals;
  terminal::progress_line progress("runs");
  const load_watch watch{
    [&](const load_progress& now) {
      progress.show(
        now.ended, 0,
        fmt::format(
          ", {} in flight, {} refused{}", now.in_flight, now.refused, now.draining ? ", waiting for the rest" : ""));
    },
    [&] { return signals.asked(); }};
  const auto result = run_soak(options, watch);
  progress.clear();
  terminal::print(line.json ? to_json(options, result).dump(2) + '\n' : text_of(options, result, line.out.look));
  return result.complaints.empty() ? exit_status::done : exit_status::failed;
}

} // namespace

void add_soak_command(CLI::App& app, command_line& line) {
  auto words = std::make_shared<soak_words>();
  auto& options = words->options;
  auto* command = app.add_subcommand("soak", "Load a daemon with large inputs and outputs, and watch its memory");
  add_database_options(*command, words->database);
  command->add_option("--duration", words->duration, "How long runs are started")->capture_default_str();
  command->add_option("--body-bytes", options.body_bytes, "Of each input and each answer")
    ->check(CLI::Range(size_t{2}, size_t{1024 * 1024}))
    ->capture_default_str();
  command->add_option("--steps", options.steps, "Of each run")->check(CLI::Range(1U, 20U))->capture_default_str();
  command->add_option("--in-flight", options.in_flight, "Runs that are wanted at a time")
    ->check(CLI::PositiveNumber)
    ->capture_default_str();
  command->add_option("--runs-bytes-max", options.runs_bytes_max, "As the daemon's")
    ->check(CLI::PositiveNumber)
    ->capture_default_str();
  command->add_option("--calls-bytes-max", options.calls_bytes_max, "As the daemon's")
    ->check(CLI::PositiveNumber)
    ->capture_default_str();
  command->add_option("--other-bytes-max", options.other_bytes_max, "What the daemon may take beside these")
    ->check(CLI::PositiveNumber)
    ->capture_default_str();
  command->add_flag("--json", line.json, "Print JSON");
  command->callback([&line, words] { line.chosen = [&line, words] { return soak(line, *words); }; });
}

} // namespace levain::load
