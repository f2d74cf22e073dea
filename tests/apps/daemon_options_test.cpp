#include "apps/certificates/try_out_certificates.hpp"
#include "apps/levaind/daemon_options.hpp"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <functional>
#include <iostream>
#include <sstream>

#include "actors/cluster/wire_limits.hpp"
#include "actors/workflow/parse_definition.hpp"
#include "apps/levaind/file_plan.hpp"
#include "apps/program/open_files.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace levain;
using namespace std::chrono_literals;

namespace {

/// Catches what a stream says as long as it lives.
class caught {
public:
  explicit caught(std::ostream& stream)
    : stream_(stream)
    , before_(stream.rdbuf(text_.rdbuf())) {}
  ~caught() { stream_.rdbuf(before_); }
  caught(const caught&) = delete;
  caught& operator=(const caught&) = delete;

  std::string text() const { return text_.str(); }

private:
  std::ostream& stream_;
  std::ostringstream text_;
  std::streambuf* before_;
};

/// A variable of the environment, gone at the end.
class environment_variable {
public:
  environment_variable(std::string name, const std::string& value)
    : name_(std::move(name)) {
    setenv(name_.c_str(), value.c_str(), 1);
  }
  ~environment_variable() { unsetenv(name_.c_str()); }
  environment_variable(const environment_variable&) = delete;
  environment_variable& operator=(const environment_variable&) = delete;

private:
  std::string name_;
};

struct reading {
  /// Absent where the program is to end.
  std::optional<daemon_options> options;
  int status = 0;
  std::string output;
  std::string errors;
};

reading read_exactly(const std::vector<std::string>& arguments) {
  std::vector<const char*> words{"levaind"};
  for (const auto& each : arguments)
    words.push_back(each.c_str());
  const caught output(std::cout);
  const caught errors(std::cerr);
  auto read = read_daemon_options(static_cast<int>(words.size()), words.data());
  reading result;
  if (auto* status = std::get_if<int>(&read))
    result.status = *status;
  else
    result.options = std::move(std::get<daemon_options>(read));
  result.output = output.text();
  result.errors = errors.text();
  return result;
}

/// With a directory, which every right command line has.
reading read(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"--embedded", "data"});
  return read_exactly(arguments);
}

daemon_options options_of(std::vector<std::string> arguments) {
  auto result = read(std::move(arguments));
  BOOST_TEST_REQUIRE(result.options.has_value(), result.errors);
  return *result.options;
}

/// The sentence that refuses these arguments.
std::string refusal_of(const reading& result) {
  BOOST_TEST(!result.options.has_value());
  BOOST_TEST(result.status == 2);
  const std::string end = "\nSee levaind --help.\n";
  BOOST_TEST_REQUIRE(result.errors.ends_with(end), result.errors);
  return result.errors.substr(0, result.errors.size() - end.size());
}

std::string refusal_of(std::vector<std::string> arguments) {
  return refusal_of(read(std::move(arguments)));
}

/// One limit: how it is set, what it is otherwise, and where it is kept.
struct limit_case {
  std::string name;
  /// As the program understands it; spans in microseconds.
  int64_t otherwise;
  std::function<int64_t(const daemon_options&)> kept;
};

int64_t micros(duration span) {
  return span.count();
}

std::vector<limit_case> count_limits() {
  using o = daemon_options;
  return {
    {"connections-max", 4096, [](const o& x) { return x.http.connections_max; }},
    {"refusals-max", 256, [](const o& x) { return x.http.refusals_max; }},
    {"header-bytes-max", 16 * 1024, [](const o& x) { return x.http.header_bytes_max; }},
    {"body-bytes-max", 16 * 1024 * 1024, [](const o& x) { return x.http.body_bytes_max; }},
    {"http-bodies-bytes-max", 256 * 1024 * 1024, [](const o& x) { return x.http.bodies_bytes_max; }},
    {"answer-bytes-max", 256 * 1024 * 1024, [](const o& x) { return x.http.answer_bytes_max; }},
    {"http-answers-bytes-max", 1024 * 1024 * 1024, [](const o& x) { return x.http.answers_bytes_max; }},
    {"inline-body-bytes-max", 64 * 1024, [](const o& x) { return x.http.inline_body_bytes_max; }},
    {"handler-threads", 2, [](const o& x) { return x.http.handler_threads; }},
    {"handlings-waiting-max", 256, [](const o& x) { return x.http.handlings_waiting_max; }},
    {"read-connections", 4, [](const o& x) { return x.reads.connections; }},
    {"reads-waiting-max", 1000, [](const o& x) { return x.reads.reads_waiting_max; }},
    {"runs-running-max", 100'000, [](const o& x) { return x.node.dispatcher.runs_running_max; }},
    {"runs-running-per-tenant-max", 50'000, [](const o& x) { return x.node.dispatcher.runs_running_per_tenant_max; }},
    {"runs-waiting-max", 100'000, [](const o& x) { return x.node.dispatcher.runs_waiting_max; }},
    {"starts-unsettled-max", 20'000, [](const o& x) { return x.node.dispatcher.starts_unsettled_max; }},
    {"runs-bytes-max", 1024 * 1024 * 1024, [](const o& x) { return x.node.dispatcher.runs_bytes_max; }},
    {"calls-bytes-max", 1024 * 1024 * 1024, [](const o& x) { return x.node.calls_bytes_max; }},
    {"round-robin-quantum", 10, [](const o& x) { return x.node.dispatcher.round_robin_quantum; }},
    {"run-numbers-block", 20'000, [](const o& x) { return x.node.dispatcher.run_numbers_block; }},
    {"writers", 2, [](const o& x) { return x.node.writers; }},
    {"definitions-cache-bytes-max", 64 * 1024 * 1024, [](const o& x) { return x.node.definitions_cache_bytes_max; }},
    {"batch-runs-max", 500, [](const o& x) { return x.node.persistence.batch_runs_max; }},
    {"batch-bytes-max", 8 * 1024 * 1024, [](const o& x) { return x.node.persistence.batch_bytes_max; }},
    {"recovery-page-runs-max", 500, [](const o& x) { return x.node.recovery.page_runs_max; }},
    {"recovery-runs-per-second-max", 20000, [](const o& x) { return x.node.recovery.runs_per_second_max; }},
    {"recovery-appends-waiting-max", 2000, [](const o& x) { return x.node.recovery.appends_waiting_max; }},
    {"recovery-shards-at-a-time", 16, [](const o& x) { return x.node.recovery.shards_at_a_time; }},
    {"watchdog-page-runs-max", 500, [](const o& x) { return x.node.watchdog.page_runs_max; }},
    {"watchdog-listed-rows-max", 20'000, [](const o& x) { return x.node.watchdog.listed_rows_max; }},
    {"watchdog-stopped-runs-max", 20, [](const o& x) { return x.node.watchdog.stopped_runs_max; }},
    {"watchdog-heals-per-look-max", 1'000, [](const o& x) { return x.node.watchdog.heals_per_look_max; }},
    {"watchdog-heals-max", 3, [](const o& x) { return x.node.watchdog.heals_max; }},
    {"calls-in-flight-max", 4096, [](const o& x) { return x.node.http.calls_in_flight_max; }},
    {"calls-per-host-max", 1024, [](const o& x) { return x.node.http.calls_per_host_max; }},
    {"calls-waiting-max", 100'000, [](const o& x) { return x.node.http.calls_waiting_max; }},
    {"idle-connections-max", 1024, [](const o& x) { return x.node.http.idle_connections_max; }},
    {"response-bytes-max", 1024 * 1024, [](const o& x) { return x.node.http.response_bytes_max; }},
    {"routed-max", 20'000, [](const o& x) { return x.node.cluster.router.routed_max; }},
    {"start-imbalance-max", 1'000, [](const o& x) { return x.node.cluster.router.imbalance_max; }},
    {"threads", 0, [](const o& x) { return x.node.threads; }},
    {"function-threads", 2, [](const o& x) { return x.node.function_threads; }},
  };
}

std::vector<limit_case> span_limits() {
  using o = daemon_options;
  return {
    {"request-timeout-max", micros(10s), [](const o& x) { return micros(x.http.request_timeout_max); }},
    {"request-total-timeout-max", micros(10min), [](const o& x) { return micros(x.http.request_total_timeout_max); }},
    {"idle-timeout-max", micros(1min), [](const o& x) { return micros(x.http.idle_timeout_max); }},
    {"response-timeout-max", micros(1min), [](const o& x) { return micros(x.http.response_timeout_max); }},
    {"write-timeout-max", micros(10s), [](const o& x) { return micros(x.http.write_timeout_max); }},
    {"linger-timeout-max", micros(2s), [](const o& x) { return micros(x.http.linger_timeout_max); }},
    {"read-timeout-max", micros(10s), [](const o& x) { return micros(x.reads.queries.statement_timeout); }},
    {"read-reconnect-pause", micros(250ms), [](const o& x) { return micros(x.reads.queries.reconnect_pause); }},
    {"ageing-interval", micros(10s), [](const o& x) { return micros(x.node.dispatcher.ageing_interval); }},
    {"append-wait-max", micros(100ms), [](const o& x) { return micros(x.node.dispatcher.append_wait_max); }},
    {"append-wait-fair-max", micros(10ms), [](const o& x) { return micros(x.node.dispatcher.append_wait_fair_max); }},
    {"refusal-retry-after", micros(1s), [](const o& x) { return micros(x.node.dispatcher.refusal_retry_after); }},
    {"journal-retry-interval-initial", micros(50ms),
     [](const o& x) { return micros(x.node.persistence.retry_interval_initial); }},
    {"journal-retry-interval-max", micros(5s),
     [](const o& x) { return micros(x.node.persistence.retry_interval_max); }},
    {"projection-interval", micros(250ms), [](const o& x) { return micros(x.node.run.projection_interval); }},
    {"lease-duration", micros(5s), [](const o& x) { return micros(x.node.lease.lease_duration); }},
    {"heartbeat-interval", micros(1500ms), [](const o& x) { return micros(x.node.lease.heartbeat_interval); }},
    {"cancel-grace", micros(30s), [](const o& x) { return micros(x.node.run.cancel_grace); }},
    {"handover-grace", micros(2s), [](const o& x) { return micros(x.node.dispatcher.handover_grace); }},
    {"node-forgotten-after", micros(24h), [](const o& x) { return micros(x.node.lease.node_forgotten_after); }},
    {"recovery-retry-interval", micros(500ms), [](const o& x) { return micros(x.node.recovery.retry_interval); }},
    {"watchdog-look-interval", micros(10s), [](const o& x) { return micros(x.node.watchdog.look_interval); }},
    {"watchdog-overdue-grace", micros(30s), [](const o& x) { return micros(x.node.watchdog.overdue_grace); }},
    {"connect-timeout-max", micros(5s), [](const o& x) { return micros(x.node.http.connect_timeout_max); }},
    {"cluster-heartbeat-interval", micros(500ms), [](const o& x) { return micros(x.node.cluster.pace.heartbeat); }},
    {"cluster-silence-max", micros(2s), [](const o& x) { return micros(x.node.cluster.pace.silence_max); }},
    {"cluster-connect-timeout-max", micros(3s), [](const o& x) { return micros(x.node.cluster.connect_time_max); }},
    {"route-time-max", micros(5s), [](const o& x) { return micros(x.node.cluster.router.route_time_max); }},
    {"stop-grace", micros(10s), [](const o& x) { return micros(x.node.stop_grace); }},
    {"answer-grace", micros(1s), [](const o& x) { return micros(x.answer_grace); }},
    {"upkeep-interval", micros(1h), [](const o& x) { return micros(x.upkeep_interval); }},
  };
}

/// A span other than the default; some of them have to be longer than another one's default.
std::string span_to_set(const limit_case& limit) {
  const bool is_longer =
    limit.name == "lease-duration" || limit.name == "journal-retry-interval-max" || limit.name == "cluster-silence-max";
  return is_longer ? "1m" : "30ms";
}

/// `--runs-running-max` is `LEVAIN_RUNS_RUNNING_MAX`.
std::string variable_of(const std::string& option) {
  std::string name = "LEVAIN_";
  for (const char c : option)
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

} // namespace

BOOST_AUTO_TEST_SUITE(daemon_options_test)

BOOST_AUTO_TEST_CASE(a_directory_is_all_that_is_needed) {
  const auto options = options_of({});
  BOOST_TEST(options.embedded == "data");
  BOOST_TEST(options.database.empty());
  BOOST_TEST(options.http.host == "127.0.0.1");
  BOOST_TEST(options.http.port == 7400);
  BOOST_TEST(!options.http.allow_remote);
  BOOST_TEST(!options.no_migrate);
  BOOST_TEST(options.log_level == "info");
  BOOST_TEST(!options.log_json);
  BOOST_TEST(options.port_file.empty());
  BOOST_TEST(options.node.name == "levain");
  BOOST_TEST(options.node.variables.empty());
}

BOOST_AUTO_TEST_CASE(every_limit_has_a_default_and_an_option) {
  const auto defaults = options_of({});
  for (const auto& each : count_limits()) {
    BOOST_TEST(each.kept(defaults) == each.otherwise, each.name);
    BOOST_TEST(each.kept(options_of({"--" + each.name, "7"})) == 7, each.name);
  }
  for (const auto& each : span_limits()) {
    BOOST_TEST(each.kept(defaults) == each.otherwise, each.name);
    const auto span = span_to_set(each);
    BOOST_TEST(each.kept(options_of({"--" + each.name, span})) == parse_duration(span)->count(), each.name);
  }
}

BOOST_AUTO_TEST_CASE(every_limit_can_be_set_by_the_environment) {
  for (const auto& each : count_limits()) {
    const environment_variable variable(variable_of(each.name), "9");
    BOOST_TEST(each.kept(options_of({})) == 9, each.name);
  }
  for (const auto& each : span_limits()) {
    const auto span = span_to_set(each);
    const environment_variable variable(variable_of(each.name), span);
    BOOST_TEST(each.kept(options_of({})) == parse_duration(span)->count(), each.name);
  }
}

BOOST_AUTO_TEST_CASE(counts_and_spans_out_of_range_are_refused_by_name) {
  for (const auto& each : count_limits())
    for (const std::string bad : {"-1", "many", "99999999999999999999", "1.5", ""}) {
      const auto said = refusal_of({"--" + each.name + "=" + bad});
      BOOST_TEST(said.find("--" + each.name) != std::string::npos, said);
    }
  for (const auto& each : span_limits())
    for (const std::string bad : {"0s", "-1s", "soon", "5", "8d"}) {
      const auto said = refusal_of({"--" + each.name + "=" + bad});
      BOOST_TEST(
        said == fmt::format(
                  "levaind: --{}: must be a span such as 500ms, 30s, 5m or 2h, at most 7d, not '{}'", each.name, bad));
    }
  BOOST_TEST(refusal_of({"--runs-running-max", "0"}).find("--runs-running-max") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(one_database_has_to_be_named) {
  BOOST_TEST(
    refusal_of(read_exactly({})) ==
    "levaind: --embedded, --database: give one of them: --embedded DIR or --database URL");
  BOOST_TEST(
    refusal_of({"--database", "postgresql:///levain"}) ==
    "levaind: --embedded, --database: give one of them, not both (LEVAIN_DATABASE counts)");
  const environment_variable url("LEVAIN_DATABASE", "postgresql:///levain");
  const auto result = read_exactly({});
  BOOST_TEST_REQUIRE(result.options.has_value());
  BOOST_TEST(result.options->database == "postgresql:///levain");
}

BOOST_AUTO_TEST_CASE(other_machines_are_served_only_when_that_is_said_aloud) {
  for (const std::string open : {"0.0.0.0:7400", "192.168.1.4:80", "[::]:7400", "[2001:db8::1]:7400"}) {
    const auto said = refusal_of({"--listen", open});
    BOOST_TEST(said.starts_with("levaind: --listen: refusing to listen on "), said);
    BOOST_TEST(options_of({"--listen", open, "--allow-remote"}).http.allow_remote);
  }
  BOOST_TEST(options_of({"--listen", "[::1]:0"}).http.host == "::1");
  BOOST_TEST(options_of({"--listen", "127.3.2.1:80"}).http.port == 80);
  BOOST_TEST(options_of({"--listen", "[::ffff:127.0.0.1]:80"}).http.port == 80);
}

BOOST_AUTO_TEST_CASE(an_address_that_is_none_is_refused) {
  for (const std::string bad : {"7400", ":", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", "::1:80", "127.0.0.1:x"})
    BOOST_TEST(
      refusal_of({"--listen", bad}) ==
      fmt::format(
        "levaind: --listen: must be ADDRESS:PORT such as 127.0.0.1:7400, localhost:7400 or [::1]:7400, not '{}'", bad));
}

BOOST_AUTO_TEST_CASE(the_names_of_a_node_are_those_that_are_allowed_and_that_of_its_address) {
  BOOST_TEST(options_of({}).http.host_names.empty());
  const auto names = options_of({"--allow-host", "Levain.Example", "--allow-host", "[2001:DB8:0::7]", "--address",
                                 "https://front.example:8443/levain"})
                       .http.host_names;
  const std::vector<std::string> right{"levain.example", "2001:db8::7", "front.example"};
  BOOST_TEST(names == right, boost::test_tools::per_element());
  const environment_variable variable("LEVAIN_ALLOW_HOST", "a.example,b.example");
  BOOST_TEST(options_of({}).http.host_names.size() == 2u);
  for (const std::string wrong : {"http://levain.example", "levain.example:7400", "a b", "levain.example/x"})
    BOOST_TEST(refusal_of({"--allow-host", wrong}).ends_with("not '" + wrong + "'"), wrong);
}

BOOST_AUTO_TEST_CASE(a_name_is_no_address) {
  BOOST_TEST(refusal_of({"--listen", "bakehouse:7400"}).find("not an IP address") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(variables_are_gathered_and_checked) {
  const auto options = options_of({"--var", "a=http://127.0.0.1:1/x=y", "--var", "b_2="});
  BOOST_TEST((options.node.variables == call_variables{{"a", "http://127.0.0.1:1/x=y"}, {"b_2", ""}}));
  BOOST_TEST(refusal_of({"--var", "a=1", "--var", "a=2"}) == "levaind: --var: gives 'a' twice");
  BOOST_TEST(refusal_of({"--var", "a"}).ends_with("not 'a'"));
  // Behind the name there may be a secret.
  for (const std::string bad : {"", "2a", "a b"})
    BOOST_TEST(refusal_of({"--var", bad + "=secret"}).ends_with("not '" + bad + "=...'"));
}

BOOST_AUTO_TEST_CASE(variables_come_from_files_and_from_the_environment) {
  const test::temporary_folder folder;
  const auto file = folder / "token";
  std::ofstream(file) << "s3cret\n";
  const environment_variable given("LEVAIN_VAR_oven_url", "http://oven");
  const environment_variable overruled("LEVAIN_VAR_token", "other");
  const auto options = options_of({"--var-file", "token=" + file});
  BOOST_TEST((options.node.variables == call_variables{{"token", "s3cret"}, {"oven_url", "http://oven"}}));
  BOOST_TEST(
    refusal_of({"--var", "token=1", "--var-file", "token=" + file}) ==
    "levaind: --var-file: gives 'token', which has a value already");
  BOOST_TEST(
    refusal_of({"--var-file", "token=/nowhere/token"}) ==
    "levaind: --var-file: the file '/nowhere/token' for 'token' cannot be read");
  std::ofstream(file) << std::string(65 * 1024, 'x');
  BOOST_TEST(refusal_of({"--var-file", "token=" + file}).ends_with("must have at most 65536 bytes"));
}

BOOST_AUTO_TEST_CASE(flags_do_what_they_are_called) {
  BOOST_TEST(options_of({"--no-migrate"}).no_migrate);
  BOOST_TEST(options_of({"--json"}).log_json);
  const environment_variable variable("LEVAIN_NO_MIGRATE", "true");
  BOOST_TEST(options_of({}).no_migrate);
}

BOOST_AUTO_TEST_CASE(limits_that_contradict_each_other_are_refused) {
  BOOST_TEST(
    refusal_of({"--heartbeat-interval", "3s"}) ==
    "levaind: --heartbeat-interval: must be at most half of --lease-duration (5s), not 3s");
  BOOST_TEST(
    refusal_of(
      {"--cluster", "127.0.0.1:7500", "--cluster-heartbeat-interval", "600ms", "--cluster-silence-max", "1s"}) ==
    "levaind: --cluster-heartbeat-interval: must be at most half of --cluster-silence-max (1s), not 600ms");
  BOOST_TEST(
    refusal_of(
      {"--cluster", "127.0.0.1:7500", "--cluster-heartbeat-interval", "1001ms", "--cluster-silence-max", "10s"}) ==
    "levaind: --cluster-heartbeat-interval: must be at most 1s, because workers give a node up that is silent for 2s, "
    "not 1001ms");
  BOOST_TEST(
    refusal_of({"--journal-retry-interval-initial", "6s"}) ==
    "levaind: --journal-retry-interval-initial: must be at most --journal-retry-interval-max (5s), not 6s");
}

BOOST_AUTO_TEST_CASE(a_node_has_a_gate_only_when_it_is_told_where) {
  const auto alone = options_of({}).node.cluster;
  BOOST_TEST(!alone.listen.has_value());
  BOOST_TEST(!alone.security.is_on());
  const auto cluster = options_of({"--cluster", "127.0.0.1:0", "--cluster-advertise", "bakehouse:7500"}).node.cluster;
  BOOST_TEST((cluster.listen == wire_address{"127.0.0.1", 0}));
  BOOST_TEST((cluster.advertise == wire_address{"bakehouse", 7500}));
  for (const std::string bad : {"7500", ":", "127.0.0.1:70000"})
    BOOST_TEST(
      refusal_of({"--cluster", bad}) ==
      fmt::format("levaind: --cluster: must be HOST:PORT such as 127.0.0.1:7500, not '{}'", bad));
  BOOST_TEST(
    refusal_of({"--cluster", "127.0.0.1:7500", "--cluster-advertise", "bakehouse:0"}) ==
    "levaind: --cluster-advertise: must be HOST:PORT such as 127.0.0.1:7500, not 'bakehouse:0'");
  for (const std::string everywhere : {"0.0.0.0:7500", "[::]:7500"})
    BOOST_TEST(
      refusal_of({"--cluster", everywhere, "--cluster-insecure"}) ==
      "levaind: --cluster-advertise: is missing: --cluster " + everywhere +
        " is no address that others could connect to, say at which HOST:PORT they find this node");
}

BOOST_AUTO_TEST_CASE(what_is_for_a_gate_is_refused_without_one) {
  const std::vector<std::vector<std::string>> useless{
    {"--cluster-advertise", "bakehouse:7500"},
    {"--cluster-certificate", "a.pem"},
    {"--cluster-key", "a.key"},
    {"--cluster-ca", "ca.pem"},
    {"--cluster-insecure"}};
  for (const auto& each : useless)
    BOOST_TEST(
      refusal_of(each) == "levaind: --cluster: is missing: the other cluster options are of no use without it",
      each.front());
}

BOOST_AUTO_TEST_CASE(a_gate_beyond_loopback_wants_certificates_or_a_flag) {
  const std::string refusal =
    "levaind: --cluster: without TLS must be on a loopback address, not 10.0.0.4: give --cluster-certificate, "
    "--cluster-key and --cluster-ca, or say --cluster-insecure";
  BOOST_TEST(refusal_of({"--cluster", "10.0.0.4:7500"}) == refusal);
  BOOST_TEST((options_of({"--cluster", "10.0.0.4:7500", "--cluster-insecure"}).node.cluster.listen.has_value()));
  BOOST_TEST(
    refusal_of({"--cluster", "10.0.0.4:7500", "--cluster-certificate", "a.pem", "--cluster-key", "a.key"}) ==
    "levaind: --cluster-certificate, --cluster-key, --cluster-ca: certificate, key and CA belong together: give all "
    "three or none");
  const test::temporary_folder folder;
  const std::string of = folder / "certificates";
  certificates_wanted wanted;
  wanted.directory = of;
  make_certificates(wanted);
  const auto with_key = [&](const std::string& key) {
    return std::vector<std::string>{"--cluster",     "10.0.0.4:7500", "--cluster-certificate", of + "/node.pem",
                                    "--cluster-key", of + key,        "--cluster-ca",          of + "/ca.pem"};
  };
  const auto security = options_of(with_key("/node.key")).node.cluster.security;
  BOOST_TEST(security.certificate == of + "/node.pem");
  BOOST_TEST(security.key == of + "/node.key");
  BOOST_TEST(security.ca == of + "/ca.pem");
  BOOST_TEST(
    refusal_of(
      {"--cluster", "10.0.0.4:7500", "--cluster-certificate", of + "/worker.pem", "--cluster-key", of + "/worker.key",
       "--cluster-ca", of + "/ca.pem"}) ==
    "levaind: --cluster-certificate, --cluster-key, --cluster-ca: the certificate '" + of +
      "/worker.pem' is good for connecting alone, and a node needs one that others can connect to");
  BOOST_TEST(refusal_of(with_key("/worker.key")).find("is not that of the certificate") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(names_and_levels_are_checked) {
  BOOST_TEST(refusal_of({"--name", std::string(101, 'n')}).ends_with("must be 1 to 100 bytes long, not 101"));
  BOOST_TEST(refusal_of({"--log-level", "loud"}).find("loud") != std::string::npos);
  BOOST_TEST(refusal_of({"--runs-runing-max", "5"}).find("--runs-runing-max") != std::string::npos);
  BOOST_TEST(refusal_of({"extra"}).find("extra") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_toml_file_sets_what_the_command_line_leaves_open) {
  const test::temporary_folder folder;
  const std::string file = folder / "levaind.toml";
  std::ofstream(file) << R"(listen = "127.0.0.1:7500"
var = ["a=1", "b=2"]
no-migrate = true
runs-running-max = 10
lease-duration = "1m"
log-level = "debug"
)";
  const auto options = options_of({"--config", file, "--runs-running-max", "20"});
  BOOST_TEST(options.http.port == 7500);
  BOOST_TEST((options.node.variables == call_variables{{"a", "1"}, {"b", "2"}}));
  BOOST_TEST(options.no_migrate);
  BOOST_TEST(options.node.dispatcher.runs_running_max == 20U);
  BOOST_TEST((options.node.lease.lease_duration == 1min));
  BOOST_TEST(options.log_level == "debug");

  const environment_variable variable("LEVAIN_CONFIG", file);
  BOOST_TEST(options_of({}).node.dispatcher.runs_running_max == 10U);
}

BOOST_AUTO_TEST_CASE(the_command_line_goes_before_the_environment_and_that_before_the_file) {
  const test::temporary_folder folder;
  const std::string file = folder / "levaind.toml";
  std::ofstream(file) << "runs-running-max = 10\nruns-waiting-max = 10\nwriters = 10\n";
  const environment_variable running("LEVAIN_RUNS_RUNNING_MAX", "20");
  const environment_variable waiting("LEVAIN_RUNS_WAITING_MAX", "20");
  const auto node = options_of({"--config", file, "--runs-running-max", "30"}).node;
  BOOST_TEST(node.dispatcher.runs_running_max == 30U);
  BOOST_TEST(node.dispatcher.runs_waiting_max == 20U);
  BOOST_TEST(node.writers == 10U);
}

BOOST_AUTO_TEST_CASE(a_table_of_a_file_sets_variables) {
  const test::temporary_folder folder;
  const std::string file = folder / "levaind.toml";
  std::ofstream(folder / "token") << "secret\n";
  std::ofstream(file) << "var = [\"a=1\"]\n\n[var]\nforecasting_url = \"http://127.0.0.1:8001/x?y=1\"\nb = 2\n\n"
                      << "[var-file]\ntoken = \"" << std::string(folder / "token") << "\"\n";
  const auto options = options_of({"--config", file});
  const call_variables right{
    {"a", "1"}, {"b", "2"}, {"forecasting_url", "http://127.0.0.1:8001/x?y=1"}, {"token", "secret"}};
  BOOST_TEST((options.node.variables == right));
  std::ofstream(file) << "[var]\na = 1\na = 2\n";
  BOOST_TEST(refusal_of({"--config", file}).find("'a'") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_address_without_a_host_and_localhost_are_loopback) {
  for (const std::string text : {"localhost:7500", ":7500", "127.0.0.1:7500"}) {
    const auto options = options_of({"--listen", text, "--cluster", text});
    BOOST_TEST(options.http.host == "127.0.0.1");
    BOOST_TEST(options.http.port == 7500);
    BOOST_TEST(to_string(*options.node.cluster.listen) == "127.0.0.1:7500");
  }
  BOOST_TEST(refusal_of({"--listen", ":"}).find("such as 127.0.0.1:7400, localhost:7400") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_option_that_lets_other_machines_in_is_named) {
  BOOST_TEST(refusal_of({"--listen", "0.0.0.0:7400"})
               .ends_with("use 127.0.0.1 or ::1, or --allow-remote to serve them all the same"));
  BOOST_TEST(refusal_of({"--listen", "everywhere:7400"}).find("--allow-remote") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_file_that_is_wrong_is_refused) {
  const test::temporary_folder folder;
  const std::string file = folder / "levaind.toml";
  BOOST_TEST(refusal_of({"--config", file}).find(file) != std::string::npos);
  {
    const environment_variable variable("LEVAIN_CONFIG", file);
    BOOST_TEST(refusal_of(std::vector<std::string>()).find(file) != std::string::npos);
  }
  std::ofstream(file) << "runs-runing-max = 10\n";
  BOOST_TEST(
    refusal_of({"--config", file}).starts_with("levaind: --config: the file sets 'runs-runing-max', which is no"));
  std::ofstream(file) << "[limits]\nruns-running-max = 10\n";
  BOOST_TEST(
    refusal_of({"--config", file}).starts_with("levaind: --config: the file sets 'limits', which is no option"));
  std::ofstream(file) << "runs-running-max = \"ten\"\n";
  BOOST_TEST(refusal_of({"--config", file}).find("runs-running-max") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_version_is_told) {
  const auto version = read_exactly({"--version"});
  BOOST_TEST(version.status == 0);
  BOOST_TEST(version.output.starts_with("levaind "));
}

BOOST_AUTO_TEST_CASE(files_are_enough_for_every_limit) {
  auto options = options_of({"--connections-max", "10", "--refusals-max", "5", "--calls-in-flight-max", "20"});
  const auto wanted = open_files_wanted(options);
  BOOST_TEST(wanted > 10U + 5U + 20U + 1024U + 4U + 1U);
  BOOST_TEST(
    open_files_wanted(options_of({"--connections-max", "110", "--refusals-max", "5", "--calls-in-flight-max", "20"})) ==
    wanted + 100);
  const auto with_workers = options_of(
    {"--connections-max", "10", "--refusals-max", "5", "--calls-in-flight-max", "20", "--cluster", "127.0.0.1:0"});
  BOOST_TEST(open_files_wanted(with_workers) == wanted + workers_max);
  const auto before = allow_open_files(0);
  BOOST_TEST(allow_open_files(1) == before);
  BOOST_TEST(allow_open_files(before + 1) >= before);
}

BOOST_AUTO_TEST_CASE(limits_come_down_to_the_files_that_are_allowed) {
  for (const size_t allowed : {64U, 96U, 256U, 1024U, 4096U}) {
    auto options = options_of({});
    BOOST_TEST(fit_open_files(options, allowed));
    const auto& calls = options.node.http;
    const auto shared = calls.calls_in_flight_max + 2 * calls.names.threads_max + options.http.connections_max +
                        options.http.refusals_max;
    BOOST_TEST(shared + open_files_reserved(options) <= std::max<size_t>(allowed, open_files_reserved(options) + 8));
    BOOST_TEST(calls.calls_in_flight_max >= 1U);
    BOOST_TEST(calls.idle_connections_max <= calls.calls_in_flight_max);
    BOOST_TEST(calls.calls_per_host_max <= calls.calls_in_flight_max);
    BOOST_TEST(options.http.connections_max >= 1U);
  }
}

BOOST_AUTO_TEST_CASE(limits_that_fit_stay_as_they_are) {
  auto options = options_of({"--connections-max", "10", "--refusals-max", "5", "--calls-in-flight-max", "20"});
  BOOST_TEST(!fit_open_files(options, 20'000));
  BOOST_TEST(options.node.http.calls_in_flight_max == 20U);
  BOOST_TEST(options.http.connections_max == 10U);
  auto few = options_of({"--connections-max", "10", "--refusals-max", "5", "--calls-in-flight-max", "2000"});
  BOOST_TEST(fit_open_files(few, 1024));
  // What clients do not ask for calls may have.
  BOOST_TEST(few.http.connections_max == 10U);
  BOOST_TEST(few.node.http.calls_in_flight_max > 500U);
}

BOOST_AUTO_TEST_SUITE_END()
