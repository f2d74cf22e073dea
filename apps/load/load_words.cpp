#include "apps/load/load_words.hpp"

#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "actors/gateway/api_start_request.hpp"
#include "actors/workflow/parse_definition.hpp"
#include "actors/workflow/strict_json.hpp"
#include "apps/client/exit_status.hpp"
#include "apps/program/node_settings.hpp"

namespace levain::load {

namespace {

constexpr size_t in_flight_max = 10'000'000;
constexpr double rate_max = 1'000'000;
constexpr size_t connections_max = 256;
/// Beside the JSON around it, an input or an output has to fit into what the engine takes.
constexpr size_t fill_bytes_max = 1024 * 1024;
/// A load without an end is none.
constexpr uint64_t runs_default = 10'000;

[[noreturn]] void refuse(const std::string& sentence) {
  throw command_failed(exit_status::wrong_command_line, sentence);
}

/// An option that takes a span such as `250ms`, also none at all.
CLI::Option* add_span(CLI::App& command, const std::string& name, duration& value, const std::string& meaning) {
  const auto take = [&value, name](const std::string& text) {
    const auto read = parse_duration(text);
    if (!read || *read < duration(0) || *read > step_timeout_max)
      throw CLI::ValidationError(
        name, fmt::format("must be a span such as 500ms, 30s, 5m or 2h, at most 7d, not '{}'", text));
    value = *read;
  };
  return command.add_option_function<std::string>(name, take, meaning)
    ->type_name("SPAN")
    ->default_str(format_duration(value));
}

void add_place(CLI::App& command, load_words& words) {
  const std::string group = "Where";
  command.add_option("--embedded", words.embedded, "Start a private PostgreSQL in this directory, and a node here")
    ->type_name("DIR")
    ->group(group);
  command.add_option("--database", words.database, "A node here on the PostgreSQL at this URL; with --daemon: theirs")
    ->type_name("URL")
    ->group(group);
  command.add_flag("--no-migrate", words.no_migrate, "Do not bring the database's schema up to date")->group(group);
  command.add_option("--daemon", words.daemons.urls, "Load the daemon at this URL; may come more than once")
    ->type_name("URL")
    ->allow_extra_args(false)
    ->group(group);
  command.add_option("--list", words.daemons.list_max, "Starts in one request to a daemon")
    ->check(CLI::Range(size_t{1}, start_list_max))
    ->capture_default_str()
    ->group(group);
  command.add_option("--connections", words.daemons.connections, "Requests with starts at a time, for each daemon")
    ->check(CLI::Range(size_t{1}, connections_max))
    ->capture_default_str()
    ->group(group);
}

void add_pace(CLI::App& command, load_options& load) {
  const std::string group = "How many, how fast";
  auto* in_flight = command.add_option("--in-flight", load.pace.in_flight, "Closed loop: so many runs in flight");
  in_flight->check(CLI::Range(size_t{1}, in_flight_max))->capture_default_str()->group(group);
  command.add_option("--rate", load.pace.rate, "Open loop: so many starts per second, whatever becomes of them")
    ->check(CLI::Range(0.001, rate_max))
    ->excludes(in_flight)
    ->group(group);
  command.add_option("--runs", load.runs, fmt::format("Start so many ({} without --duration)", runs_default))
    ->check(CLI::Range(uint64_t{1}, uint64_t{1'000'000'000'000}))
    ->group(group);
  const auto take_length = [&load](const std::string& text) {
    load.length = parse_duration(text);
    if (!load.length || *load.length <= duration(0))
      throw CLI::ValidationError("--duration", fmt::format("must be a span such as 30s, 5m or 2h, not '{}'", text));
  };
  command.add_option_function<std::string>("--duration", take_length, "Start for so long")
    ->type_name("SPAN")
    ->group(group);
  add_span(command, "--ramp", load.pace.ramp, "Grow from nothing for so long")->group(group);
  add_span(command, "--drain", load.drain, "For what was started to end, at the end")->group(group);
  add_span(command, "--interval", load.interval, "Between two rows of the figures over time")->group(group);
}

void add_shape(CLI::App& command, load_words& words) {
  auto& shape = words.load.shape;
  const std::string group = "What a run does";
  command.add_option("--shape", words.shape, "chain, wide, dag or wait")
    ->check(CLI::IsMember({"chain", "wide", "dag", "wait"}))
    ->capture_default_str()
    ->group(group);
  command.add_option("--steps", shape.steps, "Steps of a run; wait has two")
    ->check(CLI::Range(size_t{1}, definition_steps_max))
    ->capture_default_str()
    ->group(group);
  add_span(command, "--step-time", shape.step_time, "How long a step's call takes")->group(group);
  add_span(command, "--wait", shape.wait, "How long the long step of wait takes")->group(group);
  command.add_option("--distribution", shape.distribution, "Of that time: constant, uniform, exponential or lognormal")
    ->check(CLI::IsMember({"constant", "uniform", "exponential", "lognormal"}))
    ->capture_default_str()
    ->group(group);
  command.add_option("--sigma", shape.sigma, "Of lognormal")
    ->check(CLI::Range(0.0, simulate_sigma_max))
    ->capture_default_str()
    ->group(group);
  command.add_option("--fail-rate", shape.fail_rate, "The part of attempts that fail and are tried again")
    ->check(CLI::Range(0.0, 1.0))
    ->capture_default_str()
    ->group(group);
  command.add_option("--fail-final-rate", shape.fail_final_rate, "The part of attempts that fail for good")
    ->check(CLI::Range(0.0, 1.0))
    ->capture_default_str()
    ->group(group);
  command.add_option("--effect", words.effect, "external: strict; none: several events of a run may share a commit")
    ->check(CLI::IsMember({"external", "none"}))
    ->capture_default_str()
    ->group(group);
  auto* input_bytes = command.add_option("--input-bytes", words.load.input_bytes, "Of JSON, that each run gets");
  input_bytes->check(CLI::Range(size_t{0}, fill_bytes_max))->capture_default_str()->group(group);
  command.add_option("--input", words.input, "What each run gets instead: JSON or @FILE")
    ->excludes(input_bytes)
    ->type_name("JSON")
    ->group(group);
  command.add_option("--output-bytes", shape.output_bytes, "Of JSON, that each step answers")
    ->check(CLI::Range(size_t{0}, fill_bytes_max))
    ->capture_default_str()
    ->group(group);
  command.add_option("--workflow", words.workflow_file, "A definition of your own instead, as JSON")
    ->type_name("FILE")
    ->group(group);
  command
    .add_flag(
      "--may-fail", words.load.may_fail,
      "Runs that end as failed are meant; given by itself with --fail-rate and --fail-final-rate")
    ->group(group);
}

void add_mix(CLI::App& command, load_words& words) {
  const std::string group = "For whom";
  command.add_option("--tenants", words.tenants, "So many equal ones, or weights: 8,1,1 or 2x10,98x1")
    ->capture_default_str()
    ->group(group);
  command.add_option("--priorities", words.priorities, "Weights by name: normal=8,high=1,critical=1")
    ->capture_default_str()
    ->group(group);
  command.add_flag("--keys", words.load.keys, "Give every start an idempotency key")->group(group);
  command
    .add_option("--repeat-rate", words.load.mix.repeat_rate, "The part of starts that is asked twice, with one key")
    ->check(CLI::Range(0.0, 1.0))
    ->capture_default_str()
    ->group(group);
  command.add_option("--seed", words.load.mix.seed, "Of all chance")->capture_default_str()->group(group);
}

void add_answer(CLI::App& command, load_words& words) {
  const std::string group = "What comes of it";
  command.add_option("--out", words.out, "Write the result here, as JSON")->type_name("FILE")->group(group);
  command.add_option("--report", words.report, "Write a page for people here, as HTML")
    ->type_name("FILE")
    ->group(group);
  command.add_flag("--no-proof", words.no_proof, "Do not compare everything with the database at the end")
    ->group(group);
}

std::string text_in(const std::string& option, const std::string& file) {
  std::ifstream in(file);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in.good() && text.empty())
    refuse(fmt::format("{}: there is nothing to be read in '{}'", option, file));
  return text;
}

std::string read_input(const std::string& given) {
  auto text = given.starts_with('@') ? text_in("--input", given.substr(1)) : given;
  if (text.size() > fill_bytes_max)
    refuse(fmt::format("--input: must be at most {} bytes, not {}", fill_bytes_max, text.size()));
  if (const auto read = read_strict_json(text, request_depth_max); const auto* fault = std::get_if<field_error>(&read))
    refuse("--input: " + to_string(*fault));
  return text;
}

template <class Read>
auto read_weights(const char* option, Read read) {
  try {
    return read();
  } catch (const std::invalid_argument& wrong) {
    refuse(fmt::format("{}: {}", option, wrong.what()));
  }
}

void check_place(load_words& words) {
  const bool daemons = !words.daemons.urls.empty();
  if (words.embedded.empty() && words.database.empty() && !daemons)
    refuse("where? Give --embedded DIR, --database URL or --daemon URL");
  if (!words.embedded.empty() && (daemons || !words.database.empty()))
    refuse("--embedded is alone: give it without --database and --daemon");
  for (const auto& url : words.daemons.urls)
    if (!url.starts_with("http://"))
      refuse(fmt::format("--daemon: must begin with http:// as http://127.0.0.1:7400 does, not '{}'", url));
  const auto& shape = words.load.shape;
  if (shape.fail_rate + shape.fail_final_rate > 1)
    refuse(fmt::format(
      "--fail-rate and --fail-final-rate: must be at most 1 together, not {}",
      shape.fail_rate + shape.fail_final_rate));
  if (words.load.interval <= duration(0))
    refuse("--interval: must be at least 1ms, not 0s");
}

void check_definition(const std::string& option, const std::string& text) {
  const auto parsed = parse_definition(text);
  if (parsed.workflow)
    return;
  std::string all;
  for (const auto& each : parsed.errors)
    all += "\n  " + to_string(each);
  refuse(fmt::format("{}: the definition is not right:{}", option, all));
}

} // namespace

void add_load_options(CLI::App& command, load_words& words) {
  add_place(command, words);
  add_pace(command, words.load);
  add_shape(command, words);
  add_mix(command, words);
  add_answer(command, words);
  option_maker add(command);
  add.group("The node here");
  add.count("threads", words.node.threads, "Threads that run actors; 0: one per core", 0, threads_max);
  add_admission(add, words.node);
  add_journal(add, words.node);
}

void finish_words(load_words& words) {
  check_place(words);
  auto& load = words.load;
  load.shape.kind = parse_shape_kind(words.shape).value_or(shape_kind::chain);
  load.shape.external = words.effect == "external";
  load.shape.seed = load.mix.seed;
  load.mix.tenants = read_weights("--tenants", [&] { return parse_tenant_weights(words.tenants); });
  load.mix.priorities = read_weights("--priorities", [&] { return parse_priority_weights(words.priorities); });
  load.proof = !words.no_proof;
  if (!load.runs && !load.length)
    load.runs = runs_default;
  if (!words.input.empty())
    load.input = read_input(words.input);
  if (words.workflow_file.empty() && (load.shape.fail_rate > 0 || load.shape.fail_final_rate > 0))
    load.may_fail = true;
  if (!words.workflow_file.empty())
    load.definition = text_in("--workflow", words.workflow_file);
  check_definition(
    words.workflow_file.empty() ? "--shape" : "--workflow",
    load.definition.empty() ? shape_definition(load.shape) : load.definition);
}

} // namespace levain::load
