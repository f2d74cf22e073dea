#include "apps/levaind/daemon_options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <unistd.h>

#include "actors/cluster/wire_limits.hpp"
#include "actors/cluster/wire_system.hpp"
#include "actors/gateway/host_rules.hpp"
#include "actors/workflow/parse_definition.hpp"
#include "apps/program/node_settings.hpp"

namespace levain {

namespace {

using std::chrono::milliseconds;

/// What `reader` allows.
constexpr size_t read_connections_max = 64;

/// Beyond what any machine has.
constexpr size_t bytes_max = 1'000'000'000'000;

/// Files beside those that a limit counts: programs, logs, pipes, timers, listening sockets.
constexpr size_t open_files_spare = 256;

/// Of a variable that a file holds.
constexpr size_t variable_bytes_max = 64 * 1024;

/// What is read as text and becomes an option when all of it is known.
struct raw_options {
  std::string listen = "127.0.0.1:7400";
  std::string cluster;
  std::string cluster_advertise;
  bool cluster_insecure = false;
  std::vector<std::string> variables;
  std::vector<std::string> variable_files;
  std::vector<std::string> allowed_hosts;
};

/// The tables of a file, each with the option that takes `KEY=VALUE` for every line of it.
constexpr std::array<std::string_view, 2> table_options = {"var", "var-file"};

/// Makes the lines of such tables values of their options. CLI11 takes an option from a file once, so that all values
/// of one have to be in one place; what it says of a table's beginning and end goes, too.
void flatten_tables(std::vector<CLI::ConfigItem>& items) {
  for (const auto table : table_options) {
    const auto is_in_it = [&](const CLI::ConfigItem& item) {
      return item.parents.size() == 1 && item.parents.front() == table;
    };
    std::vector<std::string> values;
    for (const auto& item : items)
      if (is_in_it(item))
        for (const auto& value : item.inputs)
          values.push_back(item.name + '=' + value);
    std::erase_if(items, is_in_it);
    if (values.empty())
      continue;
    const auto is_list = [&](const CLI::ConfigItem& item) { return item.parents.empty() && item.name == table; };
    auto list = std::find_if(items.begin(), items.end(), is_list);
    if (list == items.end())
      list = items.insert(items.end(), {{}, std::string(table), {}});
    list->inputs.insert(list->inputs.end(), values.begin(), values.end());
  }
}

/// Reads TOML and leaves out what the environment says too: the environment goes before the file.
class file_behind_environment : public CLI::ConfigBase {
public:
  explicit file_behind_environment(const CLI::App& app)
    : app_(app) {}

  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override {
    auto items = ConfigBase::from_config(input);
    flatten_tables(items);
    std::erase_if(items, [this](const CLI::ConfigItem& item) {
      const auto* option = item.parents.empty() ? app_.get_option_no_throw("--" + item.name) : nullptr;
      return option && !environment_value(option->get_envname()).empty();
    });
    return items;
  }

private:
  const CLI::App& app_;
};

void add_server(option_maker& add, daemon_options& options) {
  auto& http = options.http;
  add.group("Serving HTTP");
  add.count("connections-max", http.connections_max, "Clients at a time; further ones get 503");
  add.count("refusals-max", http.refusals_max, "Clients being answered 503 at a time");
  add.count(
    "header-bytes-max", http.header_bytes_max, "Of a request's header; more gets 431", 1,
    std::numeric_limits<uint32_t>::max());
  add.count("body-bytes-max", http.body_bytes_max, "Of a request's body; more gets 413");
  add.count(
    "http-bodies-bytes-max", http.bodies_bytes_max, "Of the bodies of all requests; more gets 503", 1, bytes_max);
  add.count("answer-bytes-max", http.answer_bytes_max, "Of an answer's body; a larger one is a 500", 1, bytes_max);
  add.count("http-answers-bytes-max", http.answers_bytes_max, "Of all large answers being taken", 1, bytes_max);
  add.count("inline-body-bytes-max", http.inline_body_bytes_max, "Larger bodies are read by the handler threads");
  add.count("handler-threads", http.handler_threads, "Threads that read large bodies", 1, threads_max);
  add.count("handlings-waiting-max", http.handlings_waiting_max, "Large bodies waiting for one; further ones get 503");
  add.span("request-timeout-max", http.request_timeout_max, "For a header, and for the next part of a body; then 408");
  add.span("request-total-timeout-max", http.request_total_timeout_max, "For a whole request to arrive; then 408");
  add.span("idle-timeout-max", http.idle_timeout_max, "For a connection to stay silent between requests");
  add.span("response-timeout-max", http.response_timeout_max, "For a request to be answered; then 504");
  add.span("write-timeout-max", http.write_timeout_max, "For a client to take the next part of its answer");
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

void add_cluster(option_maker& add, daemon_options& options, raw_options& raw) {
  auto& cluster = options.node.cluster;
  add.group("Cluster and workers");
  add.text("cluster", raw.cluster, "Where other nodes and workers find this one; port 0 lets the system choose")
    ->type_name("HOST:PORT");
  add.text("cluster-advertise", raw.cluster_advertise, "What they are told instead, where another address leads here")
    ->type_name("HOST:PORT");
  add.text("cluster-certificate", cluster.security.certificate, "This node's certificate, for mutual TLS")
    ->type_name("PEM");
  add.text("cluster-key", cluster.security.key, "Its key")->type_name("PEM");
  add.text("cluster-ca", cluster.security.ca, "The CA whose certificates are let in")->type_name("PEM");
  add.flag("cluster-insecure", raw.cluster_insecure, "Without TLS beyond loopback too: anybody may then join");
  add.span("cluster-heartbeat-interval", cluster.pace.heartbeat, "Between two signs of life on a connection");
  add.span("cluster-silence-max", cluster.pace.silence_max, "After so long without one a connection is given up");
  add.span("cluster-connect-timeout-max", cluster.connect_time_max, "For a connection to another node");
  add.span("route-time-max", cluster.router.route_time_max, "For another node to answer what was asked here");
  add.count("routed-max", cluster.router.routed_max, "Wishes on their way to other nodes; further ones get 503");
  add.count(
    "start-imbalance-max", cluster.router.imbalance_max,
    "A start goes to the node with the most free slots when it has so many more");
}

bool is_variable_name(const std::string& name) {
  const auto fits = [](unsigned char c) { return std::isalnum(c) || c == '_'; };
  return !name.empty() && !std::isdigit(static_cast<unsigned char>(name.front())) &&
         std::all_of(name.begin(), name.end(), fits);
}

/// The name before the `=`; complains in the name of `option`.
std::pair<std::string, std::string>
read_assignment(const char* option, const std::string& text, const char* form, const char* example) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || !is_variable_name(text.substr(0, equals)))
    // What stands behind the `=` may be a secret.
    throw CLI::ValidationError(
      option, std::string("must be ") + form + " with a name of letters, digits and _, such as " + example + ", not '" +
                text.substr(0, std::min(equals, text.size())) + (equals == std::string::npos ? "'" : "=...'"));
  return {text.substr(0, equals), text.substr(equals + 1)};
}

/// What the file holds, without the line's end behind it.
std::string read_variable_file(const std::string& name, const std::string& path) {
  std::ifstream file(path);
  std::string text(variable_bytes_max + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad())
    throw CLI::ValidationError("--var-file", "the file '" + path + "' for '" + name + "' cannot be read");
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > variable_bytes_max)
    throw CLI::ValidationError(
      "--var-file",
      "the file '" + path + "' for '" + name + "' must have at most " + std::to_string(variable_bytes_max) + " bytes");
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r'))
    text.pop_back();
  return text;
}

/// Those of the command line and of files, and `LEVAIN_VAR_NAME` for names that neither gives.
call_variables read_variables(const raw_options& raw) {
  call_variables variables;
  for (const auto& each : raw.variables) {
    auto [name, value] = read_assignment("--var", each, "NAME=VALUE", "forecasting_url=http://127.0.0.1:8001");
    if (!variables.emplace(name, std::move(value)).second)
      throw CLI::ValidationError("--var", "gives '" + name + "' twice");
  }
  for (const auto& each : raw.variable_files) {
    const auto [name, path] = read_assignment("--var-file", each, "NAME=FILE", "token=/run/secrets/token");
    if (!variables.emplace(name, read_variable_file(name, path)).second)
      throw CLI::ValidationError("--var-file", "gives '" + name + "', which has a value already");
  }
  constexpr std::string_view prefix = "LEVAIN_VAR_";
  for (char** each = environ; *each; ++each) {
    const std::string_view line(*each);
    const auto equals = line.find('=');
    if (!line.starts_with(prefix) || equals == std::string_view::npos)
      continue;
    const std::string name(line.substr(prefix.size(), equals - prefix.size()));
    if (is_variable_name(name))
      variables.emplace(name, line.substr(equals + 1));
  }
  return variables;
}

/// A libpq connection URL, or its `name=value` form.
bool is_database_url(const std::string& text) {
  const auto scheme = text.find("://");
  return scheme == std::string::npos ? text.find('=') != std::string::npos
                                     : text.starts_with("postgresql://") || text.starts_with("postgres://");
}

/// An address to listen on. `localhost`, and no host at all, are this machine alone.
std::optional<wire_address> read_listen_address(const std::string& text) {
  const std::string loopback = "127.0.0.1";
  auto address = parse_listen_address(text.starts_with(':') ? loopback + text : text);
  if (address && address->host == "localhost")
    address->host = loopback;
  return address;
}

/// An address in `option`; port 0 is one only where the system may choose.
std::optional<wire_address> read_wire_address(const char* option, const std::string& text, bool zero) {
  if (text.empty())
    return std::nullopt;
  auto address = zero ? read_listen_address(text) : parse_wire_address(text);
  if (!address)
    throw CLI::ValidationError(option, "must be HOST:PORT such as 127.0.0.1:7500, not '" + text + "'");
  return address;
}

void check_cluster(daemon_options& options, const raw_options& raw) {
  auto& cluster = options.node.cluster;
  cluster.listen = read_wire_address("--cluster", raw.cluster, true);
  cluster.advertise = read_wire_address("--cluster-advertise", raw.cluster_advertise, false);
  const auto& files = cluster.security;
  const bool any_file = !files.certificate.empty() || !files.key.empty() || !files.ca.empty();
  if (!cluster.listen) {
    if (cluster.advertise || any_file || raw.cluster_insecure)
      throw CLI::ValidationError("--cluster", "is missing: the other cluster options are of no use without it");
    return;
  }
  try {
    check_security(files);
    check_serves(files);
  } catch (const bad_certificates& refused) {
    throw CLI::ValidationError("--cluster-certificate, --cluster-key, --cluster-ca", refused.what());
  }
  if (!any_file && !raw.cluster_insecure && !is_loopback(*cluster.listen))
    throw CLI::ValidationError(
      "--cluster", "without TLS must be on a loopback address, not " + cluster.listen->host +
                     ": give --cluster-certificate, --cluster-key and --cluster-ca, or say --cluster-insecure");
  if (!cluster.advertise && is_any_address(*cluster.listen))
    throw CLI::ValidationError(
      "--cluster-advertise",
      "is missing: --cluster " + to_string(*cluster.listen) +
        " is no address that others could connect to, say at which HOST:PORT they find this node");
  if (cluster.pace.heartbeat > wire_pace::heartbeat_max)
    throw CLI::ValidationError(
      "--cluster-heartbeat-interval", "must be at most " + format_duration(wire_pace::heartbeat_max) +
                                        ", because workers give a node up that is silent for 2s, not " +
                                        format_duration(cluster.pace.heartbeat));
  if (cluster.pace.heartbeat * 2 > cluster.pace.silence_max)
    throw CLI::ValidationError(
      "--cluster-heartbeat-interval", "must be at most half of --cluster-silence-max (" +
                                        format_duration(cluster.pace.silence_max) + "), not " +
                                        format_duration(cluster.pace.heartbeat));
}

/// The names by which clients may call the node: those that are allowed, and that of its address.
std::vector<std::string> read_host_names(const std::vector<std::string>& allowed, const std::string& address) {
  std::vector<std::string> names;
  for (const auto& each : allowed) {
    const auto read = parse_host_port(each);
    if (!read || read->port)
      throw CLI::ValidationError(
        "--allow-host",
        "must be a host's name or address without a port, such as levain.example or [2001:db8::7], not '" + each + "'");
    names.push_back(read->host);
  }
  if (const auto own = host_of_url(address))
    names.push_back(own->host);
  return names;
}

/// An address that others can reach has to be allowed; any other fault of it is named first.
void check_listening(const http_server_options& http) {
  auto if_allowed = http;
  if_allowed.allow_remote = true;
  std::string way_out;
  try {
    check_address(if_allowed);
    way_out = ", or --allow-remote to serve them all the same";
    check_address(http);
  } catch (const std::runtime_error& refused) {
    throw CLI::ValidationError("--listen", refused.what() + way_out);
  }
}

void check_together(daemon_options& options, const raw_options& raw) {
  if (options.embedded.empty() == options.database.empty())
    throw CLI::ValidationError(
      "--embedded, --database", options.embedded.empty() ? "give one of them: --embedded DIR or --database URL"
                                                         : "give one of them, not both (LEVAIN_DATABASE counts)");
  const auto listen = read_listen_address(raw.listen);
  if (!listen)
    throw CLI::ValidationError(
      "--listen",
      "must be ADDRESS:PORT such as 127.0.0.1:7400, localhost:7400 or [::1]:7400, not '" + raw.listen + "'");
  options.http.host = listen->host;
  options.http.port = listen->port;
  check_listening(options.http);
  auto& node = options.node;
  options.http.host_names = read_host_names(raw.allowed_hosts, node.address);
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
  check_cluster(options, raw);
  node.variables = read_variables(raw);
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
  return "--config: the file sets '" + name +
         "', which is no option; names are those of the options; the only tables are [var] and [var-file]";
}

} // namespace

size_t open_files_wanted(const daemon_options& options) {
  const auto& calls = options.node.http;
  return options.http.connections_max + options.http.refusals_max + calls.calls_in_flight_max +
         calls.idle_connections_max + options.reads.connections + options.node.writers +
         (options.node.cluster.listen ? workers_max : 0) + open_files_spare;
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
  app
    .add_option(
      "--var-file", raw.variable_files,
      "The same from a file, for what must not stand in a command line; may come more than once")
    ->type_name("NAME=FILE")
    ->allow_extra_args(false)
    ->group("Program");
  app.add_option("--allow-host", raw.allowed_hosts, "A name by which clients call this node; may come more than once")
    ->type_name("NAME")
    ->delimiter(',')
    ->allow_extra_args(false)
    ->envname(environment_name("allow-host"))
    ->group("Serving HTTP");
  add_server(add, options);
  add_cluster(add, options, raw);
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
