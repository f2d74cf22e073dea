#include "persistence/embedded_postgres.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <pqxx/pqxx>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "persistence/connection.hpp"
#include "persistence/connection_string.hpp"
#include "persistence/server_directory.hpp"
#include "persistence/spawn.hpp"

namespace levain {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

constexpr int connections_min = 10;
/// Replaying the log of a killed server takes a while; it is given up only after this long.
constexpr auto start_wait_max = 5min;
/// A clean stop writes a checkpoint.
constexpr auto stop_wait_max = 60s;
/// After an immediate stop the server kills what does not obey within five seconds.
constexpr auto quit_wait_max = 15s;
/// For the sessions of a server that was killed.
constexpr auto leaderless_wait_max = 2s;
constexpr auto ready_poll_interval = 20ms;
constexpr std::uintmax_t log_bytes_max = 16U << 20U;
constexpr size_t log_lines_shown = 12;

std::string last_lines(const fs::path& file) {
  std::ifstream in(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    if (lines.size() == log_lines_shown)
      lines.erase(lines.begin());
    lines.push_back(line);
  }
  std::string text;
  for (const auto& line : lines)
    text += "\n  " + line;
  return text;
}

/// The server processes that work in `data`: a server that a killed program left behind, or the sessions of a killed
/// server.
std::vector<pid_t> processes_in(const fs::path& data) {
  std::vector<pid_t> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    std::error_code error;
    const auto folder = fs::read_symlink(entry.path() / "cwd", error);
    std::string name;
    if (!error && folder == data && std::getline(std::ifstream(entry.path() / "comm"), name) && name == "postgres")
      found.push_back(std::atoi(entry.path().filename().c_str()));
  }
  return found;
}

bool ended_within(const fs::path& data, std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!processes_in(data).empty()) {
    if (std::chrono::steady_clock::now() >= deadline)
      return false;
    std::this_thread::sleep_for(ready_poll_interval);
  }
  return true;
}

/// Ends what a killed program left running. Stopped rather than adopted: it may be on its way down already, and its
/// settings are those of another start.
void stop_orphans(const fs::path& data) {
  const auto pid_file = data / "postmaster.pid";
  pid_t server = 0;
  std::ifstream(pid_file) >> server;
  const auto orphans = processes_in(data);
  const bool led = std::ranges::find(orphans, server) != orphans.end();
  if (led)
    kill(server, SIGINT);
  // Sessions without their server end by themselves once they look; there is nothing that they could end in order.
  if (!ended_within(data, led ? stop_wait_max : leaderless_wait_max)) {
    for (const pid_t process : processes_in(data))
      kill(process, SIGQUIT);
    if (!ended_within(data, quit_wait_max))
      throw embedded_postgres_error(
        "a server that an earlier program left behind still works in '" + data.string() + "' (process " +
        std::to_string(processes_in(data).front()) + ") and does not stop: end it by hand");
  }
  // The directory is locked and nobody works in it, so the file is a dead server's. PostgreSQL itself would only see
  // that some process has that number now, which in a container is soon the case, and refuse to start.
  fs::remove(pid_file);
}

file_descriptor opened_log(const fs::path& log) {
  std::error_code ignored;
  if (fs::file_size(log, ignored) > log_bytes_max && !ignored)
    fs::rename(log, log.string() + ".1", ignored);
  file_descriptor file(open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!file)
    throw embedded_postgres_error(
      "cannot write the server's log '" + log.string() + "': " + std::generic_category().message(errno));
  return file;
}

std::vector<std::string> server_arguments(
  const server_directory& directory, const server_binaries& binaries, const embedded_postgres_options& options) {
  std::string quoted_folder;
  for (const char letter : directory.socket_folder().string())
    quoted_folder += letter == '"' ? std::string("\"\"") : std::string(1, letter);
  const char* sync = options.volatile_for_tests ? "off" : "on";
  // On the command line, because that overrules every file: what we promise does not depend on an edited configuration.
  std::vector<std::string> arguments = {(binaries.folder / "postgres").string(), "-D", directory.data().string()};
  for (const auto& setting :
       {std::string("listen_addresses="), "unix_socket_directories=\"" + quoted_folder + "\"",
        std::string("unix_socket_permissions=0700"), std::string("port=5432"),
        "max_connections=" + std::to_string(options.connections_max), std::string("fsync=") + sync,
        std::string("full_page_writes=") + sync, std::string("synchronous_commit=on"),
        std::string("logging_collector=off"), std::string("log_destination=stderr")}) {
    arguments.emplace_back("-c");
    arguments.push_back(setting);
  }
  return arguments;
}

} // namespace

struct embedded_postgres::impl {
  explicit impl(server_directory held)
    : directory(std::move(held)) {}

  server_directory directory;
  pid_t server = -1;
  pid_t watch = -1;
  /// Closed by the kernel when this program ends in whatever way; the watch stops the server then.
  file_descriptor lifeline;

  void launch(const std::vector<std::string>& arguments);
  void wait_until_ready();
  bool answers() const;
  void end_server();
  void end_watch();
};

void embedded_postgres::impl::launch(const std::vector<std::string>& arguments) {
  const auto log_file = opened_log(directory.log());
  server = spawn({arguments, directory.user(), -1, log_file.number()});
  // PR_SET_PDEATHSIG would end the server with the thread that started it, which may well end before the program does.
  // A shell that waits for the end of a pipe follows the program, whatever ended it.
  auto ends = open_pipe();
  watch = spawn(
    {{"/bin/sh", "-c", "read -r nothing; kill -INT \"$1\"", "levain-watch", std::to_string(server)},
     directory.user(),
     ends.read.number(),
     -1});
  lifeline = std::move(ends.write);
}

/// True once the database exists and takes connections.
bool embedded_postgres::impl::answers() const {
  if (!fs::exists(directory.socket()))
    return false;
  try {
    connection_options maintenance;
    maintenance.url = directory.url("postgres");
    maintenance.application_name = "levain start";
    const auto connection = open_connection(maintenance);
    pqxx::nontransaction work(*connection);
    if (work.exec("select from pg_database where datname = 'levain'").empty())
      work.exec0("create database levain");
    return true;
  } catch (const pqxx::broken_connection&) {
    return false; // Not yet: it recovers, or has not opened its socket.
  }
}

void embedded_postgres::impl::wait_until_ready() {
  const auto deadline = std::chrono::steady_clock::now() + start_wait_max;
  while (!answers()) {
    const bool ended = wait_for_end(server, ready_poll_interval).has_value();
    if (ended)
      server = -1;
    if (ended || std::chrono::steady_clock::now() >= deadline)
      throw embedded_postgres_error(
        "the embedded PostgreSQL in '" + directory.path().string() + "' does not " + (ended ? "start" : "answer") +
        "; the end of " + directory.log().string() + ":" + last_lines(directory.log()));
  }
}

void embedded_postgres::impl::end_server() {
  if (server < 0)
    return;
  kill(server, SIGINT);
  if (!wait_for_end(server, stop_wait_max)) {
    kill(server, SIGQUIT);
    if (!wait_for_end(server, quit_wait_max)) {
      kill(server, SIGKILL);
      wait_for_end(server, quit_wait_max);
    }
  }
  server = -1;
}

void embedded_postgres::impl::end_watch() {
  if (watch < 0)
    return;
  // Before its pipe is closed: it would signal a process id that may be somebody else's by then.
  kill(watch, SIGKILL);
  wait_for_end(watch, quit_wait_max);
  watch = -1;
  lifeline.close();
}

embedded_postgres::embedded_postgres() = default;

std::unique_ptr<embedded_postgres> embedded_postgres::start(const embedded_postgres_options& options) {
  if (options.connections_max < connections_min)
    throw embedded_postgres_error(
      "connections_max is " + std::to_string(options.connections_max) + ": must be at least " +
      std::to_string(connections_min));
  forget_libpq_environment();
  auto directory = server_directory::take(options.directory);
  const auto binaries = directory.suitable_binaries();
  directory.initialise(binaries, options.volatile_for_tests);
  stop_orphans(directory.data());
  directory.claim_folders();

  const auto arguments = server_arguments(directory, binaries, options);
  std::unique_ptr<embedded_postgres> started(new embedded_postgres);
  started->impl_ = std::make_unique<impl>(std::move(directory));
  started->impl_->launch(arguments);
  started->impl_->wait_until_ready();
  return started;
}

embedded_postgres::~embedded_postgres() {
  stop();
}

std::string embedded_postgres::url() const {
  return impl_->directory.url("levain");
}

int embedded_postgres::server_pid() const {
  return impl_->server;
}

bool embedded_postgres::running() const {
  // It is only looked at: `stop` takes the end.
  siginfo_t end = {};
  return impl_->server > 0 && waitid(P_PID, static_cast<id_t>(impl_->server), &end, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         end.si_pid == 0;
}

fs::path embedded_postgres::log_file() const {
  return impl_->directory.log();
}

void embedded_postgres::stop() {
  if (!impl_ || !impl_->directory.held())
    return;
  impl_->end_server();
  impl_->end_watch();
  impl_->directory.release();
}

std::string embedded_postgres_url(const fs::path& directory) {
  std::error_code error;
  const auto canonical = fs::canonical(directory, error);
  if (error || !directory_lock::held(canonical))
    throw embedded_postgres_error(
      "no program runs an embedded PostgreSQL in '" + directory.string() +
      "': start one there, or name the directory that a running one was given");
  forget_libpq_environment();
  return server_url(canonical, "levain");
}

} // namespace levain
