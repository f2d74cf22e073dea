#include "persistence/server_directory.hpp"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "persistence/embedded_postgres.hpp"

namespace levain {

namespace fs = std::filesystem;

namespace {

/// Databases whose making has not come to its end.
const std::string half_made_prefix = "data.new";
constexpr int server_version_min = 14;
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

/// Stable between programs and builds (FNV-1a), unlike `std::hash`.
std::string name_hash(const std::string& text) {
  uint64_t hash = 14695981039346656037ULL;
  for (const unsigned char byte : text)
    hash = (hash ^ byte) * 1099511628211ULL;
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash));
  return digits;
}

/// Whether a socket can lie there: its path is short enough, and has no comma, which divides hosts in a URL.
bool holds_sockets(const fs::path& folder) {
  const auto socket = (folder / socket_name).string();
  return socket.size() <= socket_path_bytes_max && socket.find(',') == std::string::npos;
}

/// Where the socket's folder can lie when it cannot lie in the directory. In /tmp somebody else may have made one of
/// this name; in the others nobody can but this account.
std::vector<fs::path> short_folders(const fs::path& directory) {
  const auto name = "levain-" + name_hash(directory.string());
  std::vector<fs::path> folders;
  if (geteuid() == 0)
    folders.push_back(fs::path("/run") / name);
  folders.push_back(fs::path("/tmp") / name);
  if (const auto* runtime = std::getenv("XDG_RUNTIME_DIR"); runtime != nullptr && *runtime == '/')
    folders.push_back(fs::path(runtime) / name);
  std::erase_if(folders, [](const fs::path& each) { return !holds_sockets(each); });
  return folders;
}

/// Says in the directory which of them was taken.
fs::path chosen_folder_file(const fs::path& directory) {
  return directory / "socket.folder";
}

fs::path socket_folder_of(const fs::path& directory) {
  auto inside = directory / "socket";
  if (holds_sockets(inside))
    return inside;
  std::string chosen;
  if (std::ifstream in(chosen_folder_file(directory)); std::getline(in, chosen) && holds_sockets(chosen))
    return chosen;
  return short_folders(directory).front();
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

/// In a folder of another account, or one that others may write to, they could put links in the place of our files.
void check_ownership(const fs::path& directory) {
  struct stat found = {};
  if (stat(directory.c_str(), &found) != 0)
    throw embedded_postgres_error(
      "cannot use '" + directory.string() + "' for the embedded PostgreSQL: " + std::generic_category().message(errno));
  if (found.st_uid != geteuid())
    throw embedded_postgres_error(
      "'" + directory.string() + "' cannot be used for the embedded PostgreSQL: it belongs to another account (uid " +
      std::to_string(found.st_uid) + ", this program runs as uid " + std::to_string(geteuid()) +
      "), which could change what is in it; start as its owner, or give it to this account (chown " +
      std::to_string(geteuid()) + " '" + directory.string() + "')");
  if ((found.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    throw embedded_postgres_error(
      "'" + directory.string() +
      "' cannot be used for the embedded PostgreSQL: other accounts may write to it; forbid it (chmod go-w '" +
      directory.string() + "')");
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
  auto directory = fs::canonical(wanted, error);
  // Somebody's home named by mistake must not become a database.
  if (!error && !fs::exists(directory / directory_lock::file_name) && !fs::is_empty(directory, error) && !error)
    throw embedded_postgres_error(
      "'" + directory.string() +
      "' is not empty and holds no database of Levain: name a new or an "
      "empty directory");
  if (error)
    throw embedded_postgres_error("cannot read '" + wanted.string() + "': " + error.message());
  check_ownership(directory);
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
  // A folder that somebody else put there first would let them listen in.
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

/// Removes what starts that were killed have left. What an initdb without a parent still writes stays for the next
/// start.
void remove_half_made(const fs::path& directory) {
  std::error_code ignored;
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(directory, ignored))
    if (entry.path().filename().string().starts_with(half_made_prefix))
      found.push_back(entry.path());
  for (const auto& each : found)
    fs::remove_all(each, ignored);
}

/// A name that no other start has used.
fs::path new_half_made(const fs::path& directory) {
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  return directory / (half_made_prefix + std::to_string(now) + "-" + std::to_string(getpid()));
}

} // namespace

std::string server_url(const fs::path& directory, const std::string& database) {
  // Everything that a variable of the environment could say otherwise: what is meant for another database must not lead
  // there.
  return "postgresql://levain@/" + database + "?host=" + percent_encoded(socket_folder_of(directory).string()) +
         "&port=5432&hostaddr=&options=&sslmode=disable&gssencmode=disable&channel_binding=disable&requirepeer="
         "&target_session_attrs=any&client_encoding=UTF8";
}

server_directory::server_directory(fs::path path, std::optional<unix_user> user, directory_lock lock)
  : path_(std::move(path))
  , user_(std::move(user))
  , lock_(std::move(lock)) {}

server_directory server_directory::take(const fs::path& wanted) {
  auto user = server_user();
  auto directory = prepared_directory(wanted);
  auto lock = locked(directory);
  if (user)
    check_reachable(directory, *user);
  return {std::move(directory), std::move(user), std::move(lock)};
}

fs::path server_directory::socket_folder() const {
  return socket_folder_of(path_);
}

fs::path server_directory::socket() const {
  return socket_folder() / socket_name;
}

std::string server_directory::url(const std::string& database) const {
  return server_url(path_, database);
}

server_binaries server_directory::suitable_binaries() const {
  const auto all = find_server_binaries();
  const auto wanted = database_version(data());
  std::string versions;
  for (const auto& one : all) {
    if (wanted ? one.version == *wanted : one.version >= server_version_min)
      return one;
    versions += (versions.empty() ? "" : ", ") + std::to_string(one.version);
  }
  if (wanted)
    throw embedded_postgres_error(
      "the database in '" + path_.string() + "' was made by PostgreSQL " + std::to_string(*wanted) +
      ", found here: " + (versions.empty() ? "none" : versions) + "; install postgresql-" + std::to_string(*wanted) +
      ", or convert it with pg_upgrade");
  throw embedded_postgres_error(
    "no PostgreSQL server of version " + std::to_string(server_version_min) + " or newer found (" +
    (versions.empty() ? "none" : "only " + versions) +
    "; looked by pg_config, in PATH, /usr/lib/postgresql and /usr/pgsql-*): install the package postgresql");
}

void server_directory::initialise(const server_binaries& binaries, bool volatile_for_tests) const {
  remove_half_made(path_);
  if (database_version(data()))
    return;
  // In a folder beside its place, renamed at the end; with a name of its own, because the initdb of a start that was
  // killed may still work in another, and clears it when it fails.
  const auto half_made = new_half_made(path_);
  make_private_folder(half_made, user_);
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
  const auto made = run_program(arguments, user_);
  if (made.status != 0)
    throw embedded_postgres_error("initdb could not make a database in '" + path_.string() + "':\n" + made.output);
  std::ofstream configuration(half_made / "postgresql.conf", std::ios::app);
  configuration << tuning << std::flush;
  if (!configuration)
    throw embedded_postgres_error("cannot write '" + (half_made / "postgresql.conf").string() + "'");
  fs::rename(half_made, data());
  if (!volatile_for_tests)
    sync(); // The rename and the settings have to survive what initdb's own files survive.
}

void server_directory::claim_socket_folder() const {
  const auto inside = path_ / "socket";
  if (holds_sockets(inside))
    return make_private_folder(inside, user_);
  std::optional<embedded_postgres_error> first_refusal;
  for (const auto& folder : short_folders(path_)) {
    try {
      make_private_folder(folder, user_);
    } catch (const embedded_postgres_error& refused) {
      if (!first_refusal)
        first_refusal = refused;
      continue;
    }
    const auto file = chosen_folder_file(path_);
    std::ofstream out(file);
    out << folder.string() << std::endl;
    if (!out)
      throw embedded_postgres_error("cannot write '" + file.string() + "'");
    return;
  }
  throw *first_refusal;
}

void server_directory::claim_folders() const {
  make_private_folder(data(), user_);
  claim_socket_folder();
  // The directory is ours and no server works in it, so these are a dead server's, or came with a copy of the
  // directory. PostgreSQL would look at the number in the lock file alone, which may be some other living process's by
  // now, and refuse to start.
  const auto listening = socket();
  for (const auto& left : {listening, fs::path(listening.string() + ".lock")}) {
    std::error_code error;
    fs::remove(left, error);
    if (error)
      throw embedded_postgres_error(
        "cannot remove '" + left.string() + "', which an earlier server left behind: " + error.message());
  }
}

void server_directory::release() {
  std::error_code ignored;
  fs::remove(socket_folder(), ignored);
  fs::remove(chosen_folder_file(path_), ignored);
  lock_.reset();
}

} // namespace levain
