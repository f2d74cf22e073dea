#include "apps/levaind/daemon_options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <iostream>

#include "actors/workflow/parse_definition.hpp"

namespace levain {

namespace {

using std::chrono::milliseconds;

constexpr size_t node_name_bytes_max = 100;
/// Beyond what any machine has, so that a slip of the finger is caught.
constexpr size_t count_max = 1'000'000'000;
constexpr size_t threads_max = 1024;
/// What `reader` allows.
constexpr size_t read_connections_max = 64;
/// No wait of a daemon is sensibly longer.
constexpr duration span_max = std::chrono::hours(24 * 7);

/// Files beside those that a limit counts: programs, logs, pipes, timers, listening sockets.
constexpr size_t open_files_spare = 256;

/// What is read as text and becomes an option when all of it is known.
struct raw_options {
  std::string listen = "127.0.0.1:7400";
  std::vector<std::string> variables;
};

/// `runs-running-max` is also `LEVAIN_RUNS_RUNNING_MAX`.
std::string environment_name(const std::string& name) {
  std::string text = "LEVAIN_";
  for (const char c : name)
    text += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

/// The value of a variable of the environment; empty when there is none.
std::string environment_value(const std::string& name) {
  const char* value = name.empty() ? nullptr : std::getenv(name.c_str());
  return value ? value : "";
}

/// Reads TOML and leaves out what the environment says too: the environment goes before the file.
class file_behind_environment : public CLI::ConfigBase {
public:
  explicit file_behind_environment(const CLI::App& app)
    : app_(app) {}

  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override {
    auto items = ConfigBase::from_config(input);
    std::erase_if(items, [this](const CLI::ConfigItem& item) {
      const auto* option = item.parents.empty() ? app_.get_option_no_throw("--" + item.name) : nullptr;
      return option && !environment_value(option->get_envname()).empty();
    });
    return items;
  }

private:
  const CLI::App& app_;
};

class option_maker {
public:
  explicit option_maker(CLI::App& app)
    : app_(app) {}

  void group(std::string name) { group_ = std::move(name); }

  CLI::Option* text(const std::string& name, std::string& value, const std::string& meaning) {
    return finish(name, app_.add_option("--" + name, value, meaning));
  }

  template <class Count>
  void
  count(const std::string& name, Count& value, const std::string& meaning, size_t min = 1, size_t max = count_max) {
    finish(name, app_.add_option("--" + name, value, meaning))
      ->check(CLI::Range(min, max).description(""))
      ->type_name(std::to_string(min) + ".." + std::to_string(max))
      ->capture_default_str();
  }

  template <class Span>
  void span(const std::string& name, Span& value, const std::string& meaning) {
    auto take = [&value, name](const std::string& text) {
      const auto read = parse_duration(text);
      if (!read || *read <= duration::zero() || *read > span_max)
        throw CLI::ValidationError(
          "--" + name,
          "must be a span such as 500ms, 30s, 5m or 2h, at most " + format_duration(span_max) + ", not '" + text + "'");
      const auto whole = std::chrono::duration_cast<Span>(*read);
      if (whole == Span::zero())
        throw CLI::ValidationError("--" + name, "must be at least 1ms, not '" + text + "'");
      value = whole;
    };
    finish(name, app_.add_option_function<std::string>("--" + name, take, meaning))
      ->default_str(format_duration(value))
      ->type_name("SPAN");
  }

  void flag(const std::string& name, bool& value, const std::string& meaning) {
    finish(name, app_.add_flag("--" + name, value, meaning));
  }

private:
  CLI::Option* finish(const std::string& name, CLI::Option* option) {
    return option->envname(environment_name(name))->group(group_);
  }

  CLI::App& app_;
  std::string group_;
};

void add_admission(option_maker& add, node_options& node) {
  auto& dispatcher = node.dispatcher;
  add.group("Limits of admission");
  add.count("runs-running-max", dispatcher.runs_running_max, "Runs that act at the same time");
  add.count(
    "runs-running-per-tenant-max", dispatcher.runs_running_per_tenant_max, "Runs of one tenant that act at a time");
  add.count("runs-waiting-max", dispatcher.runs_waiting_max, "Runs that wait for a slot; further starts get 429");
  add.count(
    "starts-unsettled-max", dispatcher.starts_unsettled_max,
    "Starts on their way to the database; further ones get 429");
  add.span("ageing-interval", dispatcher.ageing_interval, "After so long a waiting run moves up one priority");
  add.count("round-robin-quantum", dispatcher.round_robin_quantum, "Steps that a tenant may begin in its turn");
  add.span("refusal-retry-after", dispatcher.refusal_retry_after, "What a refused caller is told to wait");
  add.count("run-numbers-block", dispatcher.run_numbers_block, "Run numbers reserved at a time");
  add.count("endings-kept-max", node.endings.kept_max, "Newest endings kept for those who ask which runs ended");
}

void add_journal(option_maker& add, node_options& node) {
  add.group("Journal and recovery");
  add.count("writers", node.writers, "Writers of the journal, each with a connection and a thread", 1, threads_max);
  add.count("batch-runs-max", node.persistence.batch_runs_max, "Runs in one transaction");
  add.count("batch-bytes-max", node.persistence.batch_bytes_max, "Bytes of JSON in one transaction, about");
  add.span(
    "journal-retry-interval-initial", node.persistence.retry_interval_initial, "First wait after a transient failure");
  add.span("journal-retry-interval-max", node.persistence.retry_interval_max, "Longest such wait");
  add.span(
    "projection-interval", node.run.projection_interval, "How often a long run's audit row is brought up to date");
  add.span("lease-duration", node.lease.lease_duration, "After so long without a heartbeat others take the shards");
  add.span("heartbeat-interval", node.lease.heartbeat_interval, "Between two heartbeats");
  add.span("handover-grace", node.dispatcher.handover_grace, "For calls of runs that another node is to go on with");
  add.span(
    "node-forgotten-after", node.lease.node_forgotten_after, "After so long a dead node is removed from the table");
  add.count("recovery-page-runs-max", node.recovery.page_runs_max, "Runs that recovery reads at a time");
  add.count("recovery-shards-at-a-time", node.recovery.shards_at_a_time, "Shards recovered together", 1, shard_count);
  add.count(
    "recovery-runs-per-second-max", node.recovery.runs_per_second_max, "Runs that recovery takes up per second");
  add.count(
    "recovery-appends-waiting-max", node.recovery.appends_waiting_max,
    "Recovery pauses while more wait for the database");
  add.span("recovery-retry-interval", node.recovery.retry_interval, "Wait of recovery after a failure");
}

void add_watchdog(option_maker& add, node_options& node) {
  auto& watchdog = node.watchdog;
  add.group("Watchdog");
  add.flag("watchdog-off", watchdog.off, "Do not look whether something will move every run");
  add.span("watchdog-look-interval", watchdog.look_interval, "Between two looks; a fault is found on two in a row");
  add.span("watchdog-overdue-grace", watchdog.overdue_grace, "How long something may be over its time");
  add.count("watchdog-page-runs-max", watchdog.page_runs_max, "Live runs asked at a time");
  add.count("watchdog-listed-rows-max", watchdog.listed_rows_max, "Open rows read in one look");
  add.count("watchdog-stopped-runs-max", watchdog.stopped_runs_max, "Damaged runs read back in one look");
  add.count("watchdog-heals-per-look-max", watchdog.heals_per_look_max, "Runs taken up anew in one look");
  add.count("watchdog-heals-max", watchdog.heals_max, "Times a run is taken up anew before it is given up");
}

void add_calls(option_maker& add, node_options& node) {
  add.group("Calls over HTTP");
  add.count("calls-in-flight-max", node.http.calls_in_flight_max, "Calls on the wire at once");
  add.count("calls-per-host-max", node.http.calls_per_host_max, "Of these, calls to one host and port");
  add.count("calls-waiting-max", node.http.calls_waiting_max, "Calls waiting for their turn");
  add.count("idle-connections-max", node.http.idle_connections_max, "Connections kept open for the next call");
  add.count("response-bytes-max", node.http.response_bytes_max, "Of an answer's body");
  add.span("connect-timeout-max", node.http.connect_timeout_max, "For a connection to a service");
  add.text("proxy", node.http.proxy, "URL of a proxy for all calls");
}

void add_server(option_maker& add, daemon_options& options) {
  auto& http = options.http;
  add.group("Serving HTTP");
  add.count("connections-max", http.connections_max, "Clients at a time; further ones get 503");
  add.count("refusals-max", http.refusals_max, "Clients being answered 503 at a time");
  add.count(
    "header-bytes-max", http.header_bytes_max, "Of a request's header; more gets 431", 1,
    std::numeric_limits<uint32_t>::max());
  add.count("body-bytes-max", http.body_bytes_max, "Of a request's body; more gets 413");
  add.span("request-timeout-max", http.request_timeout_max, "For a whole request to arrive");
  add.span("idle-timeout-max", http.idle_timeout_max, "For a connection to stay silent between requests");
  add.span("response-timeout-max", http.response_timeout_max, "For a request to be answered; then 504");
  add.span("write-timeout-max", http.write_timeout_max, "For a slow client to take its answer");
  add.span("linger-timeout-max", http.linger_timeout_max, "For a refused client to read why");
  add.count("read-connections", options.reads.connections, "Connections that answer reads", 1, read_connections_max);
  add.span("read-timeout-max", options.reads.queries.statement_timeout, "For the database to answer a read");
  add.span("read-reconnect-pause", options.reads.queries.reconnect_pause, "After a read that could not connect");
  add.count("reads-waiting-max", options.reads.reads_waiting_max, "Reads waiting for one; further ones get 503");
}

void add_program(option_maker& add, daemon_options& options, raw_options& raw) {
  auto& node = options.node;
  add.group("Program");
  add.text("embedded", options.embedded, "Start a private PostgreSQL in this directory")->type_name("DIR");
  add.text("database", options.database, "Use the PostgreSQL at this URL")->type_name("URL");
  add.flag("no-migrate", options.no_migrate, "Do not bring the database's schema up to date");
  add.text("listen", raw.listen, "Where to serve HTTP; port 0 lets the system choose")
    ->type_name("HOST:PORT")
    ->capture_default_str();
  add.flag("allow-remote", options.http.allow_remote, "Serve other machines too, although nothing authenticates them");
  add.text("port-file", options.port_file, "Write the port here once it is open")->type_name("FILE");
  add.text("name", node.name, "The node's name, for people")->capture_default_str();
  add.text("address", node.address, "Where others find its HTTP interface; by default where it listens")
    ->type_name("URL");
  add.text("log-level", options.log_level, "trace, debug, info, warn, error or off")
    ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}))
    ->capture_default_str();
  add.flag("json", options.log_json, "Write the log as JSON, one object a line");
  add.count("threads", node.threads, "Threads that run actors; 0: one per core", 0, threads_max);
  add.count("function-threads", node.function_threads, "Threads that run C++ functions", 1, threads_max);
  add.span("stop-grace", node.stop_grace, "For batches to reach the disk when the daemon stops");
  add.span("answer-grace", options.answer_grace, "For answers to leave when the daemon stops");
  add.span("upkeep-interval", options.upkeep_interval, "Between rounds of upkeep of the database");
}

bool is_variable_name(const std::string& name) {
  const auto fits = [](unsigned char c) { return std::isalnum(c) || c == '_'; };
  return !name.empty() && !std::isdigit(static_cast<unsigned char>(name.front())) &&
         std::all_of(name.begin(), name.end(), fits);
}

call_variables read_variables(const std::vector<std::string>& given) {
  call_variables variables;
  for (const auto& each : given) {
    const auto equals = each.find('=');
    if (equals == std::string::npos || !is_variable_name(each.substr(0, equals)))
      throw CLI::ValidationError(
        "--var",
        "must be NAME=VALUE with a name of letters, digits and _, such as forecasting_url=http://127.0.0.1:8001, "
        "not '" +
          each + "'");
    if (!variables.emplace(each.substr(0, equals), each.substr(equals + 1)).second)
      throw CLI::ValidationError("--var", "gives '" + each.substr(0, equals) + "' twice");
  }
  return variables;
}

/// A libpq connection URL, or its `name=value` form.
bool is_database_url(const std::string& text) {
  const auto scheme = text.find("://");
  return scheme == std::string::npos ? text.find('=') != std::string::npos
                                     : text.starts_with("postgresql://") || text.starts_with("postgres://");
}

void check_together(daemon_options& options, const raw_options& raw) {
  if (options.embedded.empty() == options.database.empty())
    throw CLI::ValidationError(
      "--embedded, --database", options.embedded.empty() ? "give one of them: --embedded DIR or --database URL"
                                                         : "give one of them, not both (LEVAIN_DATABASE counts)");
  const auto endpoint = parse_endpoint(raw.listen);
  if (!endpoint)
    throw CLI::ValidationError(
      "--listen", "must be ADDRESS:PORT such as 127.0.0.1:7400 or [::1]:7400, not '" + raw.listen + "'");
  std::tie(options.http.host, options.http.port) = *endpoint;
  try {
    check_address(options.http);
  } catch (const std::runtime_error& refused) {
    throw CLI::ValidationError("--listen", refused.what());
  }
  auto& node = options.node;
  if (node.name.empty() || node.name.size() > node_name_bytes_max)
    throw CLI::ValidationError(
      "--name",
      "must be 1 to " + std::to_string(node_name_bytes_max) + " bytes long, not " + std::to_string(node.name.size()));
  if (node.lease.heartbeat_interval * 2 > node.lease.lease_duration)
    throw CLI::ValidationError(
      "--heartbeat-interval", "must be at most half of --lease-duration (" +
                                format_duration(node.lease.lease_duration) + "), not " +
                                format_duration(node.lease.heartbeat_interval));
  if (node.persistence.retry_interval_initial > node.persistence.retry_interval_max)
    throw CLI::ValidationError(
      "--journal-retry-interval-initial", "must be at most --journal-retry-interval-max (" +
                                            format_duration(node.persistence.retry_interval_max) + "), not " +
                                            format_duration(node.persistence.retry_interval_initial));
  node.variables = read_variables(raw.variables);
  if (!options.database.empty() && !is_database_url(options.database))
    throw CLI::ValidationError(
      "--database", "must be a URL such as postgresql:///levain?host=/run/postgresql, not '" + options.database + "'");
}

/// What CLI11 says of a wrong file, in our words: names only, without the marks of its own sections.
std::string config_complaint(const CLI::ConfigError& error) {
  constexpr std::string_view lead = "INI was not able to parse ";
  constexpr std::string_view section_mark = ".++";
  std::string name = error.what();
  if (!name.starts_with(lead))
    return name;
  name.erase(0, lead.size());
  if (name.ends_with(section_mark))
    name.erase(name.size() - section_mark.size());
  return "--config: the file sets '" + name + "', which is no option; names are those of the options, without sections";
}

} // namespace

size_t open_files_wanted(const daemon_options& options) {
  const auto& calls = options.node.http;
  return options.http.connections_max + options.http.refusals_max + calls.calls_in_flight_max +
         calls.idle_connections_max + options.reads.connections + options.node.writers + open_files_spare;
}

std::optional<std::pair<std::string, uint16_t>> parse_endpoint(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0)
    return std::nullopt;
  auto host = text.substr(0, colon);
  if (host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string::npos)
    return std::nullopt;
  uint16_t port = 0;
  const char* begin = text.data() + colon + 1;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(begin, end, port);
  if (host.empty() || error != std::errc() || stopped != end)
    return std::nullopt;
  return std::pair(std::move(host), port);
}

std::variant<daemon_options, int> read_daemon_options(int argc, const char* const* argv) {
  daemon_options options;
  raw_options raw;
  CLI::App app{"The daemon of Levain: runs workflows and remembers every step in PostgreSQL.", "levaind"};
  app.set_version_flag("--version", std::string("levaind ") + LEVAIN_VERSION);
  // CLI11 asks the environment only after it has read the file.
  const auto file = environment_value("LEVAIN_CONFIG");
  app.set_config("--config", file, "Read options from this TOML file (LEVAIN_CONFIG)", !file.empty());
  app.config_formatter(std::make_shared<file_behind_environment>(app));
  app.allow_config_extras(CLI::config_extras_mode::error);
  option_maker add(app);
  add_program(add, options, raw);
  app.add_option("--var", raw.variables, "What ${NAME} in definitions stands for; may come more than once")
    ->type_name("NAME=VALUE")
    ->allow_extra_args(false)
    ->group("Program");
  add_server(add, options);
  add_admission(add, options.node);
  add_journal(add, options.node);
  add_watchdog(add, options.node);
  add_calls(add, options.node);
  try {
    app.parse(argc, argv);
    check_together(options, raw);
  } catch (const CLI::Success& said) {
    return app.exit(said);
  } catch (const CLI::ConfigError& error) {
    std::cerr << "levaind: " << config_complaint(error) << "\nSee levaind --help.\n";
    return 2;
  } catch (const CLI::ParseError& error) {
    std::cerr << "levaind: " << error.what() << "\nSee levaind --help.\n";
    return 2;
  }
  return options;
}

} // namespace levain
