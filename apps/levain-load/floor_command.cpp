#include <cstdio>
#include <fstream>
#include <memory>
#include <random>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actors/workflow/parse_definition.hpp"
#include "apps/levain-load/commands.hpp"
#include "apps/load/floor.hpp"
#include "apps/load/floor_rows.hpp"
#include "apps/load/html_report.hpp"
#include "apps/load/load_database.hpp"
#include "apps/terminal/progress_line.hpp"
#include "apps/terminal/table.hpp"

namespace levain::load {

namespace {

using terminal::ink;

/// Of a run alone, when nobody says how many.
constexpr uint64_t runs_in_sequence_default = 500;

struct floor_words {
  database_words database;
  std::string write = "copy";
  std::optional<size_t> batch;
  std::optional<uint64_t> runs;
  std::string duration;
  std::optional<size_t> writers;
  bool in_sequence = false;
  bool no_proof = false;
  std::optional<uint64_t> seed;
  std::string out;
  std::string report;
};

floor_options options_of(const floor_words& words) {
  if (words.in_sequence && (words.batch || words.writers))
    throw command_failed(
      exit_status::wrong_command_line, "--in-sequence is one run at a time: leave out --batch and --writers");
  if (words.runs && !words.duration.empty())
    throw command_failed(exit_status::wrong_command_line, "give --runs or --duration, not both");
  floor_options options;
  options.method = words.write == "copy" ? bare_method::copy : bare_method::insert;
  options.batch_runs = words.in_sequence ? 1 : words.batch.value_or(options.batch_runs);
  options.writers = words.writers.value_or(options.writers);
  options.runs = words.runs.value_or(words.in_sequence ? runs_in_sequence_default : options.runs);
  if (!words.duration.empty()) {
    options.duration = parse_duration(words.duration);
    if (!options.duration || options.duration->count() <= 0)
      throw command_failed(
        exit_status::wrong_command_line,
        fmt::format("--duration must be a span such as 30s or 5m, not '{}'", words.duration));
  }
  options.proof = !words.no_proof;
  options.seed = words.seed ? *words.seed : std::random_device{}();
  return options;
}

void note_settings(const floor_options& options, const floor_words& words, load_result& result) {
  result.settings = {
    {"shape", "chain"},
    {"steps", std::to_string(floor_steps)},
    {"write", std::string(to_string(options.method))},
    {"batch", std::to_string(options.batch_runs)},
    {"writers", std::to_string(options.writers)},
    {"seed", std::to_string(options.seed)}};
  if (words.in_sequence)
    result.settings["in_sequence"] = "yes";
  if (options.duration)
    result.settings["duration"] = words.duration;
  else
    result.settings["runs"] = std::to_string(options.runs);
}

std::string text_of(const load_result& result, bool in_sequence, const terminal::paint& look) {
  terminal::table table({"FIGURE", "VALUE", ""});
  const auto add = [&table](const char* name, const std::string& value, const char* unit) {
    table.add({{name, ink::strong}, {value, ink::plain, true}, {unit, ink::quiet}});
  };
  const auto& latency = result.latency_ms;
  const auto number = [](double value) { return fmt::format("{:.3f}", value); };
  if (in_sequence)
    add("one run alone", number(latency.p50), "ms, six commits in sequence, p50");
  add("runs", std::to_string(result.runs), "");
  add("time", number(result.seconds), "s");
  add("rate", fmt::format("{:.0f}", result.runs_per_s), "runs/s");
  add("latency p50", number(latency.p50), "ms, from the first commit of a run to its last");
  add("latency p99", number(latency.p99), "ms");
  add("latency max", number(latency.max), "ms");
  add("first commit p50", number(result.start_ms.p50), "ms");
  add("commits", fmt::format("{:.4f}", *result.batches_per_run), "a run");
  add("events", fmt::format("{:.0f}", *result.rows_per_batch), "a commit");
  add("WAL", fmt::format("{:.0f}", *result.wal_bytes_per_run), "bytes a run");
  add("CPU of the loop", number(*result.engine_cpu_ms_per_run), "ms a run");
  if (result.postgres_cpu_ms_per_run)
    add("CPU of PostgreSQL", number(*result.postgres_cpu_ms_per_run), "ms a run");
  auto text = table.text(look);
  if (result.audit_differences)
    text += fmt::format(
      "\nproof: {} lost, {} double, {} differ from the fold of their journal\n", *result.lost, *result.duplicates,
      *result.audit_differences);
  return text;
}

void write_file(const std::string& file, const std::string& text) {
  std::ofstream out(file);
  out << text;
  out.close();
  if (!out)
    throw command_failed(exit_status::failed, "cannot write to " + file);
}

exit_status measure(const command_line& line, const floor_words& words) {
  auto options = options_of(words);
  const load_database database(words.database);
  options.database_url = database.url();
  terminal::progress_line progress("runs");
  options.progress = [&](const char* what, uint64_t runs) {
    progress.show(runs, options.duration ? 0 : options.runs, fmt::format(", {}", what));
  };
  auto result = measure_floor(options);
  note_settings(options, words, result);
  progress.clear();
  const auto document = to_json(result).dump(2) + '\n';
  if (!words.out.empty())
    write_file(words.out, document);
  if (!words.report.empty())
    write_html_report(words.report, {{"floor", result}});
  terminal::print(line.json ? document : text_of(result, words.in_sequence, line.out.look));
  return result.proven() ? exit_status::done : exit_status::failed;
}

} // namespace

void add_floor_command(CLI::App& app, command_line& line) {
  auto words = std::make_shared<floor_words>();
  auto* command =
    app.add_subcommand("floor", "Measure what this database does at best: the rows of runs, written by a bare loop");
  add_database_options(*command, words->database);
  command->add_option("--write", words->write, "How rows are added")
    ->check(CLI::IsMember({"copy", "insert"}))
    ->capture_default_str();
  command->add_option("--batch", words->batch, "Runs that share a commit; 500 when not said")
    ->check(CLI::Range(size_t{1}, floor_batch_runs_max));
  command->add_option("--writers", words->writers, "Connections that write at the same time; 1 when not said")
    ->check(CLI::Range(size_t{1}, floor_writers_max));
  command->add_option("--runs", words->runs, "How many runs; 40000 when not said, 500 in sequence")
    ->check(CLI::PositiveNumber);
  command->add_option("--duration", words->duration, "How long instead: 30s, 5m");
  command->add_flag("--in-sequence", words->in_sequence, "One run at a time: its six commits, one after another");
  command->add_flag("--no-proof", words->no_proof, "Do not verify the rows afterwards");
  command->add_option("--seed", words->seed, "Of ids and tenant; another each time when not said");
  command->add_option("--out", words->out, "Write the result to this file, as JSON");
  command->add_option("--report", words->report, "Write a page for people to this file, as HTML");
  command->add_flag("--json", line.json, "Print JSON");
  command->callback([&line, words] { line.chosen = [&line, words] { return measure(line, *words); }; });
}

} // namespace levain::load
