// The daemon: parses, wires, waits.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <future>
#include <iostream>
#include <memory>
#include <optional>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "actors/gateway/api.hpp"
#include "actors/workflow/parse_definition.hpp"
#include "apps/levaind/daemon_options.hpp"
#include "apps/levaind/file_plan.hpp"
#include "apps/levaind/server_watch.hpp"
#include "apps/levaind/upkeep.hpp"
#include "apps/program/init_process.hpp"
#include "apps/program/log_format.hpp"
#include "apps/program/open_files.hpp"
#include "apps/program/signal_watch.hpp"
#include "persistence/connection_string.hpp"
#include "persistence/embedded_postgres.hpp"
#include "persistence/journal.hpp"
#include "persistence/log_quoted.hpp"
#include "persistence/migrator.hpp"

namespace levain {

namespace {

// Exit statuses, the same for every program.
constexpr int done = 0;
constexpr int failed = 1;
constexpr int service_missing = 3;

void set_up_log(const daemon_options& options) {
  auto log = spdlog::stderr_color_mt("levaind");
  // Times in UTC, like everything else.
  if (options.log_json)
    log->set_formatter(std::make_unique<json_log_formatter>());
  else
    log->set_formatter(std::make_unique<plain_log_formatter>());
  log->set_level(spdlog::level::from_str(options.log_level));
  spdlog::set_default_logger(std::move(log));
}

/// In one piece: whoever waits for the file never reads half a number.
void write_port(const std::string& file, uint16_t port) {
  const auto draft = file + ".new";
  std::ofstream out(draft);
  out << port << '\n';
  out.close();
  if (!out)
    throw std::runtime_error("cannot write the port to " + draft);
  std::filesystem::rename(draft, file);
}

void migrate(const daemon_options& options, const std::string& url) {
  if (options.no_migrate) {
    expect_known_schema(url);
    return;
  }
  const auto report = migrate_up(url);
  for (const auto& each : report.done)
    spdlog::info("migrated what={}", log_quoted(each));
  for (const auto& each : report.noticed)
    spdlog::warn("schema_open what={}", log_quoted(each));
}

std::string url_of(const http_server& server, const std::string& host) {
  const auto shown = host.find(':') == std::string::npos ? host : '[' + host + ']';
  return "http://" + shown + ':' + std::to_string(server.port());
}

/// Lets other nodes have the runs while this one still answers. One that is alone has nobody to wait for.
void hand_over(node& engine, std::chrono::milliseconds grace) {
  const auto handed = std::make_shared<std::promise<all_handed_over>>();
  auto outcome = handed->get_future();
  engine.hand_over([handed](all_handed_over what) { handed->set_value(std::move(what)); });
  if (outcome.wait_for(grace) != std::future_status::ready)
    spdlog::warn("hand_over_unfinished grace={}", format_duration(grace));
  else if (const auto what = outcome.get(); what.shards_left > 0)
    spdlog::info("shards_kept count={} reason={}", what.shards_left, log_quoted(what.reason));
}

/// Serves until asked to stop. Destruction goes from the door inwards: no request reaches a node that is gone, and no
/// node outlives its database.
int serve(daemon_options& options, const std::string& url, signal_watch& signals) {
  node engine(options.node, postgres_ports(url, options.node.lease.lease_duration));
  engine.on_fatal([&signals](std::string reason) { signals.fail(std::move(reason)); });
  options.reads.queries.url = url;
  const upkeep keeper(url, options.upkeep_interval);
  api interface(engine, std::make_unique<reader>(options.reads), {LEVAIN_VERSION});
  http_server server(options.http, interface.handler());
  engine.announce(options.node.address.empty() ? url_of(server, options.http.host) : options.node.address);
  if (!options.port_file.empty())
    write_port(options.port_file, server.port());
  std::cout << "listening on " << url_of(server, options.http.host) << std::endl;

  const auto failure = signals.wait();
  if (!failure.empty())
    spdlog::critical("stopping reason={}", log_quoted(failure));
  else
    hand_over(engine, options.node.stop_grace);
  server.stop(options.answer_grace);
  interface.stop();
  engine.stop();
  spdlog::info("stopped");
  return failure.empty() ? done : failed;
}

/// The system's default of 1024 open files is less than the daemon's own limits. Where the system does not allow enough
/// the limits come down, so that calls and clients wait for each other and the database never waits for them.
void make_room_for_files(daemon_options& options) {
  const auto wanted = open_files_wanted(options);
  const auto allowed = allow_open_files(wanted);
  if (allowed >= wanted || !fit_open_files(options, allowed))
    return;
  spdlog::warn(
    "few_open_files allowed={} wanted={} calls_in_flight_max={} connections_max={} hint=\"raise the system's limit "
    "(ulimit -Hn), or lower --connections-max and --calls-in-flight-max\"",
    allowed, wanted, options.node.http.calls_in_flight_max, options.http.connections_max);
}

int run(daemon_options& options, signal_watch& signals) {
  std::unique_ptr<embedded_postgres> database;
  // A daemon can do nothing with a server that only reads.
  auto url = options.database.empty() ? options.database : with_primary(options.database);
  if (!options.embedded.empty()) {
    database = embedded_postgres::start({.directory = options.embedded});
    url = database->url();
    // Whoever holds the directory is alone on its database, unless it opens a gate to others.
    options.node.sole = !options.node.cluster.listen;
  }
  const server_watch watch(database.get(), signals);
  if (signals.asked())
    return done;
  migrate(options, url);
  if (signals.asked())
    return done;
  return serve(options, url, signals);
}

int run_and_tell(daemon_options& options, signal_watch& signals) {
  try {
    return run(options, signals);
  } catch (const embedded_postgres_error& failure) {
    std::cerr << "levaind: " << failure.what() << '\n';
    return service_missing;
  } catch (const journal_unavailable& failure) {
    std::cerr << "levaind: the database cannot be reached: " << failure.what() << '\n';
    return service_missing;
  } catch (const std::exception& failure) {
    std::cerr << "levaind: " << failure.what() << '\n';
    return failed;
  }
}

} // namespace

} // namespace levain

int main(int argc, char** argv) {
  levain::begin_below_init();
  auto read = levain::read_daemon_options(argc, argv);
  if (const auto* status = std::get_if<int>(&read))
    return *status;
  auto& options = std::get<levain::daemon_options>(read);
  levain::set_up_log(options);
  levain::make_room_for_files(options);
  levain::signal_watch signals;
  return levain::run_and_tell(options, signals);
}
