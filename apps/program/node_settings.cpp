#include "apps/program/node_settings.hpp"

#include <cctype>
#include <cstdlib>

namespace levain {

namespace {

/// Beyond what any machine has.
constexpr size_t bytes_max = 1'000'000'000'000;

} // namespace

std::string environment_name(const std::string& name) {
  std::string text = "LEVAIN_";
  for (const char c : name)
    text += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

std::string environment_value(const std::string& name) {
  const char* value = name.empty() ? nullptr : std::getenv(name.c_str());
  return value ? value : "";
}

void add_admission(option_maker& add, node_options& node) {
  auto& dispatcher = node.dispatcher;
  add.group("Limits of admission");
  add.count("runs-running-max", dispatcher.runs_running_max, "Runs that act at the same time");
  add.count(
    "runs-running-per-tenant-max", dispatcher.runs_running_per_tenant_max,
    "Runs of one tenant that act at a time, at each node");
  add.count("runs-waiting-max", dispatcher.runs_waiting_max, "Runs that wait for a slot; further starts get 429");
  add.span(
    "append-wait-max", dispatcher.append_wait_max,
    "Starts get 429 while what is to be written has been waiting for the database for longer");
  add.span(
    "append-wait-fair-max", dispatcher.append_wait_fair_max, "The same for tenants that start much more than others");
  add.count(
    "starts-unsettled-max", dispatcher.starts_unsettled_max,
    "Starts on their way to the database; further ones get 429");
  add.count(
    "runs-bytes-max", dispatcher.runs_bytes_max,
    "Of the live runs' inputs, metadata and outputs; further starts get 429", 1, bytes_max);
  add.span("ageing-interval", dispatcher.ageing_interval, "After so long a waiting run moves up one priority");
  add.count("round-robin-quantum", dispatcher.round_robin_quantum, "Steps that a tenant may begin in its turn");
  add.span("refusal-retry-after", dispatcher.refusal_retry_after, "What a refused caller is told to wait");
  add.count("run-numbers-block", dispatcher.run_numbers_block, "Run numbers reserved at a time");
  add.count("endings-kept-max", node.endings.kept_max, "Newest endings kept for those who ask which runs ended");
}

void add_journal(option_maker& add, node_options& node) {
  add.group("Journal and recovery");
  add.count("writers", node.writers, "Writers of the journal, each with a connection and a thread", 1, threads_max);
  add.count(
    "definitions-cache-bytes-max", node.definitions_cache_bytes_max, "Of definitions kept in memory, about", 1,
    bytes_max);
  add.count("batch-runs-max", node.persistence.batch_runs_max, "Runs in one transaction");
  add.count("batch-bytes-max", node.persistence.batch_bytes_max, "Bytes of JSON in one transaction, about");
  add.span(
    "journal-retry-interval-initial", node.persistence.retry_interval_initial, "First wait after a transient failure");
  add.span("journal-retry-interval-max", node.persistence.retry_interval_max, "Longest such wait");
  add.span(
    "projection-interval", node.run.projection_interval, "How often a long run's audit row is brought up to date");
  add.span("lease-duration", node.lease.lease_duration, "After so long without a heartbeat others take the shards");
  add.span("heartbeat-interval", node.lease.heartbeat_interval, "Between two heartbeats");
  add.span("cancel-grace", node.run.cancel_grace, "How long the answers of a cancelled run's calls are awaited");
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
  add.count(
    "calls-bytes-max", node.calls_bytes_max,
    "Of all calls that are ready or out, of every kind, and of their answers; further calls wait", 1, bytes_max);
  add.count("response-bytes-max", node.http.response_bytes_max, "Of an answer's body");
  add.span("connect-timeout-max", node.http.connect_timeout_max, "For a connection to a service");
  add.text("proxy", node.http.proxy, "URL of a proxy for all calls");
  add.text(
    "calls-ca", node.http.ca_file, "File of certificates that https services are trusted by, beside the system's");
}

} // namespace levain
