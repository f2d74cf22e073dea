// A database that has no room left: for its tables, for one file, for its log.
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iostream>
#include <pqxx/pqxx>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/faults/fault_checks.hpp"
#include "tests/support/bakery_night.hpp"
#include "tests/support/server_processes.hpp"
#include "tests/support/small_filesystem.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

constexpr size_t mebibyte = size_t{1} << 20;
/// Of the server's log of changes: no quota may be below that.
constexpr size_t log_segment_bytes = 16 * mebibyte;
constexpr size_t refusals_that_tell = 10;

/// The daemon keeps trying, and does not take long about it when there is room again.
const std::vector<std::string> quick_retries{"--journal-retry-interval-max", "500ms"};

boost::test_tools::assertion_result may_mount(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result result(small_filesystem::possible());
  if (!result)
    result.message() << "this account may not mount; the cases that 'may not grow' show the same by a quota";
  return result;
}

/// Waits until the daemon says that it takes nothing, since when, and for a reason with these words; then nothing is
/// acknowledged although callers ask.
void check_it_waits(bakery_night& night, const std::string& reason) {
  std::string said;
  BOOST_TEST(
    eventually(
      [&] {
        const auto health = night.daemon().get("/health/ready");
        said = health && health->status == 503 ? health->json().at("reasons").dump() : "ready";
        return said.find("the database has taken nothing since 20") != said.npos && said.find(reason) != said.npos;
      },
      generous),
    "its health says: " << said);
  std::cout << "health: " << said << std::endl;
  const auto status = night.daemon().get("/v1/status").value().json();
  BOOST_TEST(status.at("ready") == false);
  BOOST_TEST(!status.at("database").at("failing_since").is_null());
  BOOST_TEST(status.at("database").at("reason").get<std::string>().find(reason) != std::string::npos);
  const auto acknowledged = night.callers().acknowledged().size();
  const auto refused = night.callers().refused();
  BOOST_TEST(eventually([&] { return night.callers().refused() >= refused + refusals_that_tell; }, generous));
  BOOST_TEST(night.callers().acknowledged().size() == acknowledged);
}

/// And it recovers. The daemon was there all the time, so every call was made once.
void check_recovered(bakery_night& night) {
  BOOST_TEST(night.callers_are_served());
  for (const auto& each : night.what_is_wrong())
    BOOST_ERROR(each);
}

std::pair<uid_t, gid_t> owner_of(const fs::path& place) {
  struct stat found = {};
  BOOST_TEST_REQUIRE(stat(place.c_str(), &found) == 0);
  return {found.st_uid, found.st_gid};
}

/// Puts a database's files into a folder that belongs to the server's account.
void move_database(const std::string& url, const fs::path& folder) {
  std::string other = url;
  const std::string name = "/levain?";
  other.replace(other.find(name), name.size(), "/postgres?");
  pqxx::connection connection(other);
  pqxx::nontransaction work(connection);
  work.exec("create tablespace small location " + work.quote(folder.string()));
  work.exec("alter database levain set tablespace small");
}

/// With owners and all, from one file system to another.
void move_content(const fs::path& from, const fs::path& to) {
  for (const auto& entry : fs::directory_iterator(from)) {
    fs::copy(entry.path(), to / entry.path().filename(), fs::copy_options::recursive);
    const auto owner = owner_of(entry.path());
    BOOST_TEST_REQUIRE(chown((to / entry.path().filename()).c_str(), owner.first, owner.second) == 0);
  }
  for (const auto& entry : fs::directory_iterator(from))
    fs::remove_all(entry.path());
}

/// Has the server begin another segment of its log of changes, if it can; always true.
bool use_up_segment(const std::string& url) {
  try {
    pqxx::connection connection(url);
    pqxx::nontransaction(connection).exec("select pg_switch_wal()");
  } catch (const pqxx::failure&) {
    // It cannot: that is what is waited for.
  }
  return true;
}

bool log_says(const bakery_night& night, const std::string& word) {
  std::ifstream in(night.database_folder() / "postgres.log");
  for (std::string line; std::getline(in, line);)
    if (line.find(word) != std::string::npos)
      return true;
  return false;
}

/// The server gives up when it cannot log a change; it comes back by itself and gives up again, or does not come back.
void check_server_gives_up(bakery_night& night) {
  BOOST_TEST(eventually([&] { return use_up_segment(night.database_url()) && log_says(night, "PANIC"); }, generous));
  BOOST_TEST(eventually([&] { return !night.daemon().ready(); }, generous));
  const auto refused = night.callers().refused();
  BOOST_TEST(eventually([&] { return night.callers().refused() >= refused + refusals_that_tell; }, generous));
}

/// Whoever watches the server starts it again where it has ended.
void bring_server_back(bakery_night& night) {
  if (!eventually([&] { return night.database().running() && night.daemon().ready(); }, 5s))
    night.restart_database();
}

} // namespace

BOOST_AUTO_TEST_SUITE(full_disk_test)

BOOST_AUTO_TEST_CASE(a_table_that_may_not_grow) {
  // Given: a table that is about as large as the quota will be.
  bakery_night night({.faults = usual_faults(), .daemon_arguments = quick_retries});
  {
    pqxx::connection connection(night.database_url());
    pqxx::nontransaction work(connection);
    while (work.exec1("select pg_relation_size('run_starts')")[0].as<size_t>() + mebibyte / 4 < log_segment_bytes)
      work.exec(
        "insert into run_starts (tenant_id, idempotency_key, run_id, fingerprint) "
        "select gen_random_uuid(), repeat('x', 200), gen_random_uuid(), repeat('0', 64) from generate_series(1, 500)");
  }
  BOOST_TEST_REQUIRE(night.begin(50));

  // When
  limit_file_size(night.database().server_pid(), log_segment_bytes);

  // Then
  check_it_waits(night, "could not extend file");
  limit_file_size(night.database().server_pid(), std::nullopt);
  check_recovered(night);
}

BOOST_AUTO_TEST_CASE(no_room_for_the_tables, *boost::unit_test::precondition(may_mount)) {
  // Given: the whole database on a small file system, only the server's log of changes elsewhere.
  bakery_night night({.faults = usual_faults(), .daemon_arguments = quick_retries});
  const temporary_folder folder;
  const auto tables = folder.path() / "tables";
  night.stop_database();
  fs::create_directory(tables);
  const auto owner = owner_of(night.database_folder() / "data");
  BOOST_TEST_REQUIRE(chown(tables.c_str(), owner.first, owner.second) == 0);
  small_filesystem small(tables, 64 * mebibyte);
  night.restart_database();
  move_database(night.database_url(), tables);
  BOOST_TEST_REQUIRE(night.begin(50));

  // When
  small.fill();

  // Then
  check_it_waits(night, "No space left on device");
  small.make_room();
  check_recovered(night);
  night.stop_database();
}

BOOST_AUTO_TEST_CASE(a_log_of_changes_that_may_not_grow) {
  bakery_night night({.faults = usual_faults(), .daemon_arguments = quick_retries});
  BOOST_TEST_REQUIRE(night.begin(50));
  limit_file_size(night.database().server_pid(), mebibyte);
  check_server_gives_up(night);
  if (night.database().running())
    limit_file_size(night.database().server_pid(), std::nullopt);
  bring_server_back(night);
  check_recovered(night);
}

BOOST_AUTO_TEST_CASE(no_room_for_the_log_of_changes, *boost::unit_test::precondition(may_mount)) {
  // Given: the server's log of changes on a small file system.
  bakery_night night({.faults = usual_faults(), .daemon_arguments = quick_retries});
  const auto log = night.database_folder() / "data/pg_wal";
  night.stop_database();
  const temporary_folder aside;
  move_content(log, aside.path());
  small_filesystem small(log, 5 * log_segment_bytes);
  move_content(aside.path(), log);
  night.restart_database();
  BOOST_TEST_REQUIRE(night.begin(50));

  // When
  small.fill();
  check_server_gives_up(night);

  // Then
  small.make_room();
  bring_server_back(night);
  check_recovered(night);
  night.stop_database();
}

BOOST_AUTO_TEST_SUITE_END()
