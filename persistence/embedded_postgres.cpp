#include "persistence/embedded_postgres.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <optional>
#include <pqxx/pqxx>
#include <sstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "persistence/directory_lock.hpp"
#include "persistence/server_binaries.hpp"
#include "persistence/spawn.hpp"

namespace levain {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

constexpr int server_version_min = 14;
constexpr int connections_min = 10;
/// Replaying the log of a killed server takes a while; it is given up only after this long.
constexpr auto start_wait_max = 5min;
/// A clean stop writes a checkpoint.
constexpr auto stop_wait_max = 60s;
/// After an immediate stop the server kills what does not obey within five seconds.
constexpr auto quit_wait_max = 15s;
constexpr auto ready_poll_interval = 20ms;
constexpr std::uintmax_t log_bytes_max = 16U << 20U;
constexpr size_t log_lines_shown = 12;
/// `sockaddr_un` holds 108 bytes, the last one a NUL.
constexpr size_t socket_path_bytes_max = 107;
constexpr const char* socket_name = ".s.PGSQL.5432";

/// What suits an engine on a small machine; appended to `postgresql.conf` once, so that it can be changed by hand
/// there.
constexpr const char* tuning = R"(
# Levain: what durability rests on is set on the server's command line and cannot be changed here.
shared_buffers = 256MB
huge_pages = off
wal_buffers = 16MB
min_wal_size = 512MB
max_wal_size = 4GB
checkpoint_timeout = 15min
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] '
)";

fs::path data_of(const fs::path& directory) {
  return directory / "data";
}

/// Stable between programs and builds (FNV-1a), unlike `std::hash`.
std::string name_hash(const std::string& text) {
  uint64_t hash = 14695981039346656037ULL;
  for (const unsigned char byte : text)
    hash = (hash ^ byte) * 1099511628211ULL;
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash));
  return digits;
}

/// Where the server's socket lies: in the directory, or under a short name when its path is too long for a socket or
/// holds a comma, which divides hosts in a connection URL.
fs::path socket_folder(const fs::path& directory) {
  const auto inside = directory / "socket";
  if ((inside / socket_name).string().size() <= socket_path_bytes_max && inside.string().find(',') == std::string::npos)
    return inside;
  return "/tmp/levain-" + name_hash(directory.string());
}

std::string percent_encoded(const std::string& text) {
  std::string encoded;
  for (const unsigned char byte : text) {
    if (std::isalnum(byte) != 0 || byte == '-' || byte == '_' || byte == '.') {
      encoded += static_cast<char>(byte);
    } else {
      char digits[4];
      std::snprintf(digits, sizeof digits, "%%%02X", byte);
      encoded += digits;
    }
  }
  return encoded;
}

std::string url_of(const fs::path& directory, const std::string& database) {
  return "postgresql://levain@/" + database + "?host=" + percent_encoded(socket_folder(directory).string()) +
         "&port=5432";
}

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

/// As root the server's processes run as another account; nothing: as ours.
std::optional<unix_user> server_user() {
  if (geteuid() != 0)
    return std::nullopt;
  for (const char* name : {"postgres", "nobody"})
    if (auto user = find_unix_user(name))
      return user;
  throw embedded_postgres_error(
    "PostgreSQL refuses to run as root, and there is neither a user 'postgres' nor a user 'nobody' to "
    "run it as: create one, or start this program as an ordinary user");
}

/// Makes the directory when it is missing; its absolute path without symbolic links.
fs::path prepared_directory(const fs::path& wanted) {
  if (wanted.empty())
    throw embedded_postgres_error("the directory of the embedded PostgreSQL is empty: name a directory");
  std::error_code error;
  if (fs::create_directories(wanted, error))
    fs::permissions(wanted, geteuid() == 0 ? fs::perms(0755) : fs::perms(0700), error);
  if (!error && !fs::is_directory(wanted, error))
    error = std::make_error_code(std::errc::not_a_directory);
  if (error)
    throw embedded_postgres_error(
      "cannot use '" + wanted.string() + "' for the embedded PostgreSQL: " + error.message());
  const auto directory = fs::canonical(wanted, error);
  // Somebody's home named by mistake must not become a database.
  if (!error && !fs::exists(directory / directory_lock::file_name) && !fs::is_empty(directory, error) && !error)
    throw embedded_postgres_error(
      "'" + directory.string() +
      "' is not empty and holds no database of Levain: name a new or an "
      "empty directory");
  if (error)
    throw embedded_postgres_error("cannot read '" + wanted.string() + "': " + error.message());
  return directory;
}

directory_lock locked(const fs::path& directory) {
  try {
    if (auto lock = directory_lock::acquire(directory))
      return std::move(*lock);
  } catch (const std::system_error& error) {
    throw embedded_postgres_error(
      "cannot use '" + directory.string() + "' for the embedded PostgreSQL: " + error.what());
  }
  throw embedded_postgres_error(
    "'" + directory.string() + "' is in use by " + directory_lock::holder(directory) +
    ": a directory belongs to one program at a time, stop that one or name another directory");
}

void check_reachable(const fs::path& directory, const unix_user& user) {
  std::vector<std::string> chain;
  for (auto at = directory; chain.empty() || at != at.parent_path(); at = at.parent_path())
    chain.insert(chain.begin(), at.string());
  if (const auto forbidden = first_forbidden(chain, user))
    throw embedded_postgres_error(
      "the embedded PostgreSQL runs as user '" + user.name + "', who may not enter '" + *forbidden +
      "': allow it (chmod a+x '" + *forbidden + "') or name a directory elsewhere, such as one in /var/lib");
}

/// A private folder of the server's account.
void make_private_folder(const fs::path& folder, const std::optional<unix_user>& user) {
  const uid_t owner = user ? user->uid : geteuid();
  if (mkdir(folder.c_str(), 0700) == 0) {
    if (user && lchown(folder.c_str(), user->uid, user->gid) != 0)
      throw embedded_postgres_error("cannot give '" + folder.string() + "' to user '" + user->name + "'");
    return;
  }
  const int reason = errno;
  struct stat found = {};
  // A folder in /tmp that somebody else put there first would let them listen in.
  if (reason != EEXIST || lstat(folder.c_str(), &found) != 0 || !S_ISDIR(found.st_mode) || found.st_uid != owner)
    throw embedded_postgres_error(
      "'" + folder.string() + "' cannot be used by the embedded PostgreSQL: it has to be a folder of " +
      (user ? "user '" + user->name + "'" : "this user") + "; remove it, or start as its owner");
  chmod(folder.c_str(), 0700);
}

/// The version that made the database, nothing when there is none yet.
std::optional<int> database_version(const fs::path& data) {
  std::ifstream in(data / "PG_VERSION");
  int version = 0;
  return in >> version ? std::optional(version) : std::nullopt;
}

server_binaries suitable_binaries(const fs::path& directory) {
  const auto all = find_server_binaries();
  const auto wanted = database_version(data_of(directory));
  std::string versions;
  for (const auto& one : all) {
    if (wanted ? one.version == *wanted : one.version >= server_version_min)
      return one;
    versions += (versions.empty() ? "" : ", ") + std::to_string(one.version);
  }
  if (wanted)
    throw embedded_postgres_error(
      "the database in '" + directory.string() + "' was made by PostgreSQL " + std::to_string(*wanted) +
      ", found here: " + (versions.empty() ? "none" : versions) + "; install postgresql-" + std::to_string(*wanted) +
      ", or convert it with pg_upgrade");
  throw embedded_postgres_error(
    "no PostgreSQL server of version " + std::to_string(server_version_min) + " or newer found (" +
    (versions.empty() ? "none" : "only " + versions) +
    "; looked by pg_config, in PATH, /usr/lib/postgresql and /usr/pgsql-*): install the package postgresql");
}

/// Makes the database in a folder beside its place and renames it: a start that was killed leaves nothing half made.
void initialise(
  const fs::path& directory, const server_binaries& binaries, const std::optional<unix_user>& user,
  bool volatile_for_tests) {
  const auto half_made = directory / "data.new";
  fs::remove_all(half_made);
  make_private_folder(half_made, user);
  std::vector<std::string> arguments = {
    (binaries.folder / "initdb").string(),
    "--pgdata=" + half_made.string(),
    "--username=levain",
    "--auth-local=trust", // The socket lies in a folder that only its owner may enter.
    "--auth-host=reject",
    "--encoding=UTF8",
    "--locale=C",
    "--data-checksums"};
  if (volatile_for_tests)
    arguments.emplace_back("--no-sync");
  const auto made = run_program(arguments, user);
  if (made.status != 0)
    throw embedded_postgres_error("initdb could not make a database in '" + directory.string() + "':\n" + made.output);
  std::ofstream configuration(half_made / "postgresql.conf", std::ios::app);
  configuration << tuning << std::flush;
  if (!configuration)
    throw embedded_postgres_error("cannot write '" + (half_made / "postgresql.conf").string() + "'");
  fs::rename(half_made, data_of(directory));
  if (!volatile_for_tests)
    sync(); // The rename and the settings have to survive what initdb's own files survive.
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
  if (std::ranges::find(orphans, server) != orphans.end())
    kill(server, SIGINT);
  if (!ended_within(data, stop_wait_max)) {
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
  file_descriptor file(open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
  if (!file)
    throw embedded_postgres_error("cannot write the server's log '" + log.string() + "'");
  return file;
}

std::vector<std::string>
server_arguments(const fs::path& directory, const server_binaries& binaries, const embedded_postgres_options& options) {
  std::string quoted_folder;
  for (const char letter : socket_folder(directory).string())
    quoted_folder += letter == '"' ? std::string("\"\"") : std::string(1, letter);
  const char* sync = options.volatile_for_tests ? "off" : "on";
  // On the command line, because that overrules every file: what we promise does not depend on an edited configuration.
  std::vector<std::string> arguments = {(binaries.folder / "postgres").string(), "-D", data_of(directory).string()};
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
  impl(fs::path held_directory, directory_lock held_lock)
    : directory(std::move(held_directory))
    , lock(std::move(held_lock)) {}

  fs::path directory;
  std::optional<directory_lock> lock;
  pid_t server = -1;
  pid_t watch = -1;
  /// Closed by the kernel when this program ends in whatever way; the watch stops the server then.
  file_descriptor lifeline;

  fs::path log() const { return directory / "postgres.log"; }

  void launch(const std::vector<std::string>& arguments, const std::optional<unix_user>& user);
  void wait_until_ready();
  bool answers() const;
  void end_server();
  void end_watch();
};

void embedded_postgres::impl::launch(const std::vector<std::string>& arguments, const std::optional<unix_user>& user) {
  const auto log_file = opened_log(log());
  server = spawn({arguments, user, -1, log_file.number()});
  // PR_SET_PDEATHSIG would end the server with the thread that started it, which may well end before the program does.
  // A shell that waits for the end of a pipe follows the program, whatever ended it.
  auto ends = open_pipe();
  watch = spawn(
    {{"/bin/sh", "-c", "read -r nothing; kill -INT \"$1\"", "levain-watch", std::to_string(server)},
     user,
     ends.read.number(),
     -1});
  lifeline = std::move(ends.write);
}

/// True once the database exists and takes connections.
bool embedded_postgres::impl::answers() const {
  if (!fs::exists(socket_folder(directory) / socket_name))
    return false;
  try {
    pqxx::connection connection(url_of(directory, "postgres"));
    pqxx::nontransaction work(connection);
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
        "the embedded PostgreSQL in '" + directory.string() + "' does not " + (ended ? "start" : "answer") +
        "; the end of " + log().string() + ":" + last_lines(log()));
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
  const auto user = server_user();
  const auto directory = prepared_directory(options.directory);
  auto lock = locked(directory);
  if (user)
    check_reachable(directory, *user);
  const auto binaries = suitable_binaries(directory);
  const auto data = data_of(directory);
  if (!database_version(data))
    initialise(directory, binaries, user, options.volatile_for_tests);
  stop_orphans(data);
  make_private_folder(data, user);
  make_private_folder(socket_folder(directory), user);

  const auto arguments = server_arguments(directory, binaries, options);
  std::unique_ptr<embedded_postgres> started(new embedded_postgres);
  started->impl_ = std::make_unique<impl>(directory, std::move(lock));
  started->impl_->launch(arguments, user);
  started->impl_->wait_until_ready();
  return started;
}

embedded_postgres::~embedded_postgres() {
  stop();
}

std::string embedded_postgres::url() const {
  return url_of(impl_->directory, "levain");
}

int embedded_postgres::server_pid() const {
  return impl_->server;
}

fs::path embedded_postgres::log_file() const {
  return impl_->log();
}

void embedded_postgres::stop() {
  if (!impl_ || !impl_->lock)
    return;
  impl_->end_server();
  impl_->end_watch();
  std::error_code ignored;
  fs::remove(socket_folder(impl_->directory), ignored);
  impl_->lock.reset();
}

std::string embedded_postgres_url(const fs::path& directory) {
  std::error_code error;
  const auto canonical = fs::canonical(directory, error);
  if (error || !directory_lock::held(canonical))
    throw embedded_postgres_error(
      "no program runs an embedded PostgreSQL in '" + directory.string() +
      "': start one there, or name the directory that a running one was given");
  return url_of(canonical, "levain");
}

} // namespace levain
