#include "persistence/embedded_postgres.hpp"

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <pqxx/pqxx>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "persistence/spawn.hpp"
#include "tests/support/database.hpp"

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

/// A temporary folder that the server's user can reach, removed at the end.
struct scratch_folder {
  scratch_folder() {
    std::string pattern = "/tmp/levain-test-XXXXXX";
    BOOST_TEST_REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path = pattern;
    fs::permissions(path, fs::perms(0755));
  }
  ~scratch_folder() { fs::remove_all(path); }

  fs::path path;
};

levain::embedded_postgres_options in(const fs::path& directory) {
  levain::embedded_postgres_options options;
  options.directory = directory;
  options.volatile_for_tests = true;
  return options;
}

std::string ask(const std::string& url, const std::string& question) {
  pqxx::connection connection(url);
  pqxx::nontransaction work(connection);
  return work.exec1(question)[0].as<std::string>();
}

void keep_a_row(const std::string& url) {
  pqxx::connection connection(url);
  pqxx::work work(connection);
  work.exec0("create table kept as select 42 as answer");
  work.commit();
}

/// A process that has ended but was not collected yet counts as gone.
bool alive(pid_t process) {
  std::ifstream in("/proc/" + std::to_string(process) + "/stat");
  std::string number;
  std::string name;
  std::string state;
  return in >> number >> name >> state && state != "Z";
}

/// Waits for a process that is not our child.
bool gone_within(pid_t process, std::chrono::seconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (alive(process) && std::chrono::steady_clock::now() < deadline)
    levain::run_program({"/bin/true"});
  return !alive(process);
}

template <class Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const levain::embedded_postgres_error& error) {
    return error.what();
  }
  return "no error";
}

void check_contains(const std::string& text, const std::string& part) {
  BOOST_TEST(text.find(part) != std::string::npos, '"' << text << "\" should contain \"" << part << '"');
}

/// A program that starts a server in `directory`, keeps a row and waits to be killed. Returns its id and the server's.
std::pair<pid_t, pid_t> program_with_server(const fs::path& directory) {
  auto ends = levain::open_pipe();
  const pid_t child = fork();
  BOOST_TEST_REQUIRE(child >= 0);
  if (child == 0) {
    auto options = in(directory);
    options.volatile_for_tests = false;
    const auto server = levain::embedded_postgres::start(options);
    keep_a_row(server->url());
    const pid_t process = server->server_pid();
    if (write(ends.write.number(), &process, sizeof process) != sizeof process)
      _exit(1);
    for (;;)
      pause();
  }
  ends.write.close();
  pid_t server = -1;
  BOOST_TEST_REQUIRE(read(ends.read.number(), &server, sizeof server) == static_cast<ssize_t>(sizeof server));
  return {child, server};
}

/// Makes the account that the server runs as the owner; needs root.
void give_to_server(const fs::path& path) {
  const auto user = levain::find_unix_user("postgres");
  BOOST_TEST_REQUIRE(user.has_value());
  BOOST_TEST_REQUIRE(chown(path.c_str(), user->uid, user->gid) == 0);
}

void kill_and_collect(pid_t child) {
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

} // namespace

BOOST_AUTO_TEST_SUITE(embedded_postgres_dbtest)

BOOST_AUTO_TEST_CASE(a_fresh_database_is_empty_and_answers) {
  const levain::test::fresh_database database(levain::test::fresh_database::contents::nothing);
  BOOST_TEST(ask(database.url(), "select count(*) from pg_tables where schemaname = 'public'") == "0");
}

BOOST_AUTO_TEST_CASE(two_fresh_databases_are_apart) {
  using levain::test::fresh_database;
  const fresh_database one(fresh_database::contents::nothing);
  const fresh_database other(fresh_database::contents::nothing);
  keep_a_row(one.url());
  BOOST_TEST(ask(other.url(), "select to_regclass('kept') is null") == "t");
}

BOOST_AUTO_TEST_CASE(promises_of_durability_stand_even_when_the_configuration_says_otherwise) {
  const scratch_folder folder;
  auto options = in(folder.path / "pg");
  options.volatile_for_tests = false;
  levain::embedded_postgres::start(options)->stop();
  std::ofstream(options.directory / "data/postgresql.conf", std::ios::app)
    << "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nlisten_addresses = '*'\n";

  const auto server = levain::embedded_postgres::start(options);

  for (const char* setting : {"fsync", "synchronous_commit", "full_page_writes", "data_checksums"})
    BOOST_TEST(ask(server->url(), std::string("select current_setting('") + setting + "')") == "on", setting);
  BOOST_TEST(ask(server->url(), "select current_setting('listen_addresses')") == "");
  BOOST_TEST(ask(server->url(), "show server_encoding") == "UTF8");
  BOOST_TEST(ask(server->url(), "select current_database()") == "levain");
}

BOOST_AUTO_TEST_CASE(what_was_kept_is_there_after_a_clean_stop) {
  const scratch_folder folder;
  auto server = levain::embedded_postgres::start(in(folder.path / "pg"));
  const pid_t process = server->server_pid();
  keep_a_row(server->url());
  server->stop();
  server->stop();
  BOOST_TEST(!alive(process));
  BOOST_TEST(!fs::exists(folder.path / "pg/data/postmaster.pid"));

  server = levain::embedded_postgres::start(in(folder.path / "pg"));

  BOOST_TEST(ask(server->url(), "select answer from kept") == "42");
}

BOOST_AUTO_TEST_CASE(a_killed_server_recovers) {
  const scratch_folder folder;
  auto options = in(folder.path / "pg");
  options.volatile_for_tests = false;
  auto server = levain::embedded_postgres::start(options);
  keep_a_row(server->url());
  kill(server->server_pid(), SIGKILL);
  server->stop();
  BOOST_TEST(fs::exists(folder.path / "pg/data/postmaster.pid"));

  server = levain::embedded_postgres::start(options);

  BOOST_TEST(ask(server->url(), "select answer from kept") == "42");
}

BOOST_AUTO_TEST_CASE(a_killed_program_takes_its_server_along) {
  const scratch_folder folder;
  const auto [program, server] = program_with_server(folder.path / "pg");
  BOOST_TEST(alive(server));

  kill_and_collect(program);

  BOOST_TEST(gone_within(server, 30s));
}

BOOST_AUTO_TEST_CASE(the_server_of_a_killed_program_never_meets_a_second_one) {
  const scratch_folder folder;
  const auto [program, orphan] = program_with_server(folder.path / "pg");
  kill_and_collect(program);

  const auto server = levain::embedded_postgres::start(in(folder.path / "pg"));

  BOOST_TEST(!alive(orphan));
  BOOST_TEST(ask(server->url(), "select answer from kept") == "42");
}

BOOST_AUTO_TEST_CASE(a_dead_servers_number_that_lives_again_is_no_obstacle) {
  const scratch_folder folder;
  levain::embedded_postgres::start(in(folder.path / "pg"))->stop();
  // As after a restart of a container: the number of the dead server is some other living server's.
  const auto other = program_with_server(folder.path / "other");
  std::ofstream(folder.path / "pg/data/postmaster.pid") << other.second << "\n";

  const auto server = levain::embedded_postgres::start(in(folder.path / "pg"));

  BOOST_TEST(ask(server->url(), "select 1") == "1");
  BOOST_TEST(alive(other.second));
  kill_and_collect(other.first);
  BOOST_TEST(gone_within(other.second, 30s));
}

/// What a killed server's lock file may hold: the number of somebody who lives, nothing (a power cut), rubbish.
BOOST_AUTO_TEST_CASE(whatever_a_dead_server_left_beside_its_socket_is_no_obstacle) {
  const scratch_folder folder;
  const auto directory = folder.path / "pg";
  auto server = levain::embedded_postgres::start(in(directory));
  keep_a_row(server->url());
  const auto socket_folder = directory / "socket";
  server->stop();
  for (const std::string& left : {std::to_string(getppid()) + "\n", std::string(), std::string("rubbish")}) {
    fs::create_directories(socket_folder);
    if (geteuid() == 0)
      give_to_server(socket_folder);
    std::ofstream(socket_folder / ".s.PGSQL.5432.lock") << left;
    std::ofstream(socket_folder / ".s.PGSQL.5432") << "";
    server = levain::embedded_postgres::start(in(directory));
    BOOST_TEST(ask(server->url(), "select answer from kept") == "42");
    server->stop();
  }
}

BOOST_AUTO_TEST_CASE(a_directory_that_was_moved_or_copied_after_a_kill_starts) {
  const scratch_folder folder;
  const auto [program, orphan] = program_with_server(folder.path / "pg");
  kill(orphan, SIGKILL);
  kill_and_collect(program);
  BOOST_TEST(gone_within(orphan, 30s));
  levain::run_program({"/bin/cp", "-a", (folder.path / "pg").string(), (folder.path / "copied").string()});
  fs::rename(folder.path / "pg", folder.path / "moved");
  for (const char* name : {"copied", "moved"})
    BOOST_TEST(
      ask(levain::embedded_postgres::start(in(folder.path / name))->url(), "select answer from kept") == "42", name);
}

BOOST_AUTO_TEST_CASE(a_directory_that_others_may_write_to_is_refused) {
  const scratch_folder folder;
  const auto directory = folder.path / "pg";
  fs::create_directories(directory);
  for (const auto others : {fs::perms::others_write, fs::perms::group_write}) {
    fs::permissions(directory, fs::perms(0755) | others);
    check_contains(message_of([&] { levain::embedded_postgres::start(in(directory)); }), "chmod go-w");
    BOOST_TEST(fs::is_empty(directory));
  }
}

BOOST_AUTO_TEST_CASE(a_directory_of_another_account_is_refused) {
  if (geteuid() != 0)
    return; // Only root can give a directory away.
  const scratch_folder folder;
  const auto directory = folder.path / "pg";
  fs::create_directories(directory);
  give_to_server(directory);
  check_contains(message_of([&] { levain::embedded_postgres::start(in(directory)); }), "belongs to another account");
}

BOOST_AUTO_TEST_CASE(a_link_in_the_place_of_a_file_is_not_followed) {
  const scratch_folder folder;
  std::ofstream(folder.path / "letter.txt") << "dear\n";
  for (const char* name : {"levain.lock", "postgres.log"}) {
    const auto directory = folder.path / name;
    fs::create_directories(directory);
    std::ofstream(directory / "levain.lock") << "";
    fs::remove(directory / name);
    fs::create_symlink(folder.path / "letter.txt", directory / name);
    check_contains(message_of([&] { levain::embedded_postgres::start(in(directory)); }), name);
  }
  std::string line;
  std::getline(std::ifstream(folder.path / "letter.txt"), line);
  BOOST_TEST(line == "dear");
}

BOOST_AUTO_TEST_CASE(the_lock_is_for_its_owner_alone) {
  const scratch_folder folder;
  const auto directory = folder.path / "pg";
  fs::create_directories(directory);
  std::ofstream(directory / "levain.lock") << "1\n";
  fs::permissions(directory / "levain.lock", fs::perms(0644));
  const auto server = levain::embedded_postgres::start(in(directory));
  BOOST_TEST((fs::status(directory / "levain.lock").permissions() == fs::perms(0600)));
}

BOOST_AUTO_TEST_CASE(variables_for_another_database_do_not_keep_a_private_one_from_starting) {
  const scratch_folder folder;
  for (const auto& [name, value] :
       {std::pair("PGSERVICE", "prod"), std::pair("PGTZ", "Nowhere"), std::pair("PGDATESTYLE", "nonsense"),
        std::pair("PGHOSTADDR", "127.0.0.1"), std::pair("PGOPTIONS", "-c no_such=1")})
    setenv(name, value, 1);
  auto server = levain::embedded_postgres::start(in(folder.path / "pg"));
  BOOST_TEST(ask(server->url(), "select inet_server_addr() is null") == "t");
  setenv("PGSERVICE", "prod", 1);
  BOOST_TEST(ask(levain::embedded_postgres_url(folder.path / "pg"), "select 1") == "1");
}

BOOST_AUTO_TEST_CASE(a_second_program_is_refused_by_the_name_of_the_first) {
  const scratch_folder folder;
  const auto server = levain::embedded_postgres::start(in(folder.path / "pg"));

  const auto message = message_of([&] { levain::embedded_postgres::start(in(folder.path / "pg")); });

  check_contains(message, "is in use by process " + std::to_string(getpid()));
  BOOST_TEST(ask(server->url(), "select 1") == "1");
}

BOOST_AUTO_TEST_CASE(a_command_line_beside_a_running_program_finds_its_database) {
  const scratch_folder folder;
  check_contains(message_of([&] { levain::embedded_postgres_url(folder.path / "pg"); }), "no program runs");
  auto server = levain::embedded_postgres::start(in(folder.path / "pg"));
  BOOST_TEST(ask(levain::embedded_postgres_url(folder.path / "pg"), "select 1") == "1");
  server.reset();
  check_contains(message_of([&] { levain::embedded_postgres_url(folder.path / "pg"); }), "no program runs");
}

BOOST_AUTO_TEST_CASE(a_directory_too_long_for_a_socket_gets_a_short_one) {
  const scratch_folder folder;
  const auto directory = folder.path / std::string(60, 'a') / std::string(60, 'b');
  const auto server = levain::embedded_postgres::start(in(directory));
  BOOST_TEST(ask(server->url(), "select 1") == "1");
  BOOST_TEST(ask(levain::embedded_postgres_url(directory), "select 1") == "1");
}

BOOST_AUTO_TEST_CASE(a_short_name_that_somebody_else_took_is_no_obstacle) {
  // Only root can make a folder in the name of another account.
  if (geteuid() != 0)
    return;
  const scratch_folder folder;
  const auto directory = folder.path / std::string(60, 'a') / std::string(60, 'b');
  const auto chosen = [&] {
    std::string line;
    std::ifstream in(directory / "socket.folder");
    return std::getline(in, line) ? fs::path(line) : fs::path();
  };
  auto server = levain::embedded_postgres::start(in(directory));
  const auto first = chosen();
  server.reset();
  BOOST_TEST_REQUIRE(!first.empty());
  BOOST_TEST(!fs::exists(directory / "socket.folder"));
  constexpr uid_t somebody = 54'321;
  BOOST_TEST_REQUIRE(fs::create_directory(first));
  BOOST_TEST_REQUIRE(chown(first.c_str(), somebody, somebody) == 0);

  server = levain::embedded_postgres::start(in(directory));

  BOOST_TEST(chosen() != first);
  BOOST_TEST(ask(server->url(), "select 1") == "1");
  BOOST_TEST(ask(levain::embedded_postgres_url(directory), "select 1") == "1");
  server.reset();
  fs::remove(first);
}

BOOST_AUTO_TEST_CASE(a_name_with_odd_letters_is_a_directory_like_any_other) {
  const scratch_folder folder;
  const auto server = levain::embedded_postgres::start(in(folder.path / "a, \"b\" %41 & c"));
  BOOST_TEST(ask(server->url(), "select 1") == "1");
}

BOOST_AUTO_TEST_CASE(a_half_made_database_is_made_anew) {
  const scratch_folder folder;
  const auto directory = folder.path / "pg";
  fs::create_directories(directory / "data.new");
  std::ofstream(directory / "levain.lock") << "1\n";
  std::ofstream(directory / "data.new/PG_VERSION") << "15\n";

  const auto server = levain::embedded_postgres::start(in(directory));

  BOOST_TEST(ask(server->url(), "select 1") == "1");
}

BOOST_AUTO_TEST_CASE(a_folder_full_of_other_things_is_refused_untouched) {
  const scratch_folder folder;
  std::ofstream(folder.path / "letter.txt") << "dear\n";

  check_contains(message_of([&] { levain::embedded_postgres::start(in(folder.path)); }), "holds no database of Levain");

  BOOST_TEST(std::distance(fs::directory_iterator(folder.path), fs::directory_iterator()) == 1);
}

BOOST_AUTO_TEST_CASE(a_database_of_a_version_that_is_not_here_is_refused_by_name) {
  const scratch_folder folder;
  fs::create_directories(folder.path / "pg/data");
  std::ofstream(folder.path / "pg/levain.lock") << "1\n";
  std::ofstream(folder.path / "pg/data/PG_VERSION") << "9\n";
  const auto message = message_of([&] { levain::embedded_postgres::start(in(folder.path / "pg")); });
  check_contains(message, "was made by PostgreSQL 9");
  check_contains(message, "install postgresql-9");
}

BOOST_AUTO_TEST_CASE(a_parent_that_the_server_may_not_enter_is_named) {
  if (geteuid() != 0)
    return; // An ordinary user's server runs as that user.
  const scratch_folder folder;
  const auto closed = folder.path / "closed";
  fs::create_directories(closed);
  fs::permissions(closed, fs::perms(0700));
  const auto message = message_of([&] { levain::embedded_postgres::start(in(closed / "pg")); });
  check_contains(message, "who may not enter '" + closed.string() + "'");
}

BOOST_AUTO_TEST_CASE(a_file_is_not_a_directory) {
  const scratch_folder folder;
  std::ofstream(folder.path / "file") << "x";
  check_contains(message_of([&] { levain::embedded_postgres::start(in(folder.path / "file")); }), "cannot use '");
}

BOOST_AUTO_TEST_CASE(a_server_that_does_not_start_shows_the_end_of_its_log) {
  const scratch_folder folder;
  levain::embedded_postgres::start(in(folder.path / "pg"))->stop();
  std::ofstream(folder.path / "pg/data/postgresql.conf", std::ios::app) << "no_such_setting = 1\n";
  check_contains(message_of([&] { levain::embedded_postgres::start(in(folder.path / "pg")); }), "no_such_setting");
}

BOOST_AUTO_TEST_CASE(too_few_connections_are_refused) {
  const scratch_folder folder;
  auto options = in(folder.path / "pg");
  options.connections_max = 9;
  check_contains(
    message_of([&] { levain::embedded_postgres::start(options); }), "connections_max is 9: must be at least 10");
}

BOOST_AUTO_TEST_SUITE_END()
