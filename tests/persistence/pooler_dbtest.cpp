// A real pooler between the sessions and the server.
#include <boost/test/unit_test.hpp>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <pqxx/pqxx>
#include <unistd.h>

#include "persistence/connection.hpp"
#include "persistence/connection_string.hpp"
#include "persistence/migrator.hpp"
#include "persistence/spawn.hpp"
#include "tests/support/database.hpp"
#include "tests/support/has.hpp"
#include "tests/support/processes.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

/// pgbouncer on a unix socket of its own, before a fresh database.
class pooler {
public:
  pooler(const fresh_database& database, const std::string& mode) {
    const connection_string server(database.url());
    const auto folder = folder_.path();
    fs::permissions(folder, fs::perms(0755));
    std::ofstream(folder / "pgbouncer.ini")
      << "[databases]\n* = host=" << server.value("host") << " port=" << server.value("port") << " user=levain\n"
      << "[pgbouncer]\nlisten_addr =\nlisten_port = 6432\nunix_socket_dir = " << folder.string()
      << "\nauth_type = any\npool_mode = " << mode
      << "\ndefault_pool_size = 5\nlogfile = " << (folder / "pgbouncer.log").string()
      << "\npidfile = " << (folder / "pgbouncer.pid").string() << '\n';
    const auto user = geteuid() == 0 ? find_unix_user("postgres") : std::nullopt;
    if (user)
      BOOST_TEST_REQUIRE(chown(folder.c_str(), user->uid, user->gid) == 0);
    process_ = spawn({{"/usr/sbin/pgbouncer", (folder / "pgbouncer.ini").string()}, user, -1, -1});
    url_ = "postgresql://levain@/" + server.value("dbname") + "?host=" + folder.string() + "&port=6432";
    BOOST_TEST_REQUIRE(
      eventually([&] { return fs::exists(folder / ".s.PGSQL.6432"); }, 30s), "pgbouncer does not start");
  }
  ~pooler() {
    kill(process_, SIGKILL);
    wait_for_end(process_, 10s);
  }
  pooler(const pooler&) = delete;
  pooler& operator=(const pooler&) = delete;

  const std::string& url() const { return url_; }

private:
  temporary_folder folder_;
  pid_t process_ = -1;
  std::string url_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(pooler_dbtest)

BOOST_AUTO_TEST_CASE(a_pooler_that_gives_each_transaction_another_session_is_refused_by_its_mode) {
  const fresh_database database(fresh_database::contents::nothing);
  const pooler between(database, "transaction");
  BOOST_CHECK_EXCEPTION(migrate_up(between.url()), migration_error, [](const migration_error& error) {
    return has(error.what(), "pooler in transaction mode") && has(error.what(), "pool_mode = session");
  });
  // Nothing was made, locked or set for other clients of the pooler.
  pqxx::connection guest(between.url());
  pqxx::nontransaction ask(guest);
  BOOST_TEST(ask.exec("select from pg_locks where locktype = 'advisory'").empty());
  BOOST_TEST(std::string(ask.exec1("show statement_timeout")[0].c_str()) == "0");
  BOOST_TEST(ask.exec1("select to_regclass('levain_migrations') is null")[0].as<bool>());
}

BOOST_AUTO_TEST_CASE(a_pooler_that_keeps_a_session_for_each_client_serves) {
  const fresh_database database(fresh_database::contents::nothing);
  const pooler between(database, "session");
  BOOST_TEST(!migrate_up(between.url()).up_to_date);
  BOOST_TEST(migrate_up(database.url()).up_to_date);
}

BOOST_AUTO_TEST_SUITE_END()
