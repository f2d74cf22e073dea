// Pages of docs whose commands are typed line by line: what they print is what the page says.
#include <boost/test/unit_test.hpp>

#include <pqxx/pqxx>

#include "persistence/migrations.hpp"
#include "test_paths.hpp"
#include "tests/support/database.hpp"
#include "tests/support/tcp_gate.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/transcript.hpp"

using namespace levain::test;

namespace {

/// An empty database, and a folder, for what a page is typed about.
struct desk {
  void execute(const std::string& statement) const {
    pqxx::connection connection(database.url());
    pqxx::nontransaction(connection).exec(statement);
  }

  void type(const std::string& page, size_t lines_min) const {
    const auto lines = transcript_of(page);
    BOOST_TEST_REQUIRE(lines.size() >= lines_min);
    const auto port = [] { return std::to_string(free_port()); };
    typist reader({
      {"postgresql:///levain", database.url()},
      {"/tmp/bakery", folder / "bakery"},
      {"127.0.0.1:7400", "127.0.0.1:" + port()},
      {"8400", port()},
      {"apps/bakery/", LEVAIN_SOURCE_DIR "/apps/bakery/"},
    });
    reader.type(lines);
    BOOST_TEST(reader.running() == 0U);
  }

  temporary_folder folder;
  fresh_database database{fresh_database::contents::nothing};
};

} // namespace

BOOST_AUTO_TEST_SUITE(page_transcripts_test)

BOOST_AUTO_TEST_CASE(a_night_of_the_bakery_prints_what_its_page_says) {
  desk().type("bakery.md", 9);
}

BOOST_AUTO_TEST_CASE(upkeep_prints_what_its_page_says) {
  desk().type("operations.md", 9);
}

BOOST_AUTO_TEST_CASE(an_adoption_prints_what_its_page_says) {
  const desk at;
  // Given: the table of a program that wrote the times of Berlin.
  at.execute(std::string(levain::embedded_migrations().front().sql));
  at.execute("insert into orchestration_runs (run_number, tenant_id, status, started_at) values "
             "('OLD-1', gen_random_uuid(), 'completed', '2026-07-01 04:00'), "
             "('OLD-2', gen_random_uuid(), 'running', '2026-07-02 04:00')");
  at.execute(
    "do $$ begin execute format('alter database %I set timezone = %L', current_database(), 'Europe/Berlin'); end $$");
  at.type("schema.md", 7);
}

BOOST_AUTO_TEST_SUITE_END()
