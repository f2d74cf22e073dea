#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <future>

#include <pqxx/pqxx>

#include "persistence/postgres_leases.hpp"
#include "tests/persistence/leases_cluster_conformance.hpp"
#include "tests/support/database.hpp"
#include "tests/support/database_gate.hpp"

using namespace levain;
using namespace levain::test;

namespace {

class postgres_bench : public leases_bench {
public:
  leases& subject() override { return leases_; }
  void expire(const uuid& node) override {
    pqxx::work transaction(admin_);
    transaction.exec_params(
      "update nodes set heartbeat_at = clock_timestamp() - lease - interval '1 microsecond' where id = $1",
      to_string(node));
    transaction.commit();
  }
  void put_clock_back(const uuid& node, std::chrono::milliseconds ahead) override {
    pqxx::work transaction(admin_);
    transaction.exec_params(
      "update nodes set heartbeat_at = clock_timestamp() + $2::bigint * interval '1 millisecond' where id = $1",
      to_string(node), ahead.count());
    transaction.commit();
  }
  void pass() override {} // It passes by itself.
  void goes_away() override { gate_.shut(); }
  void comes_back() override { gate_.reopen(); }

  fresh_database database_;
  pqxx::connection admin_{database_.url()};
  database_gate gate_{database_.url()};
  postgres_leases leases_{{.url = gate_.url()}};
};

} // namespace

BOOST_AUTO_TEST_SUITE(postgres_leases_dbtest)

#define LEVAIN_RULE(name)                                                                                              \
  BOOST_FIXTURE_TEST_CASE(name, postgres_bench) {                                                                      \
    conformance::name(*this);                                                                                          \
  }
LEVAIN_LEASES_RULES(LEVAIN_RULE)
LEVAIN_LEASES_CLUSTER_RULES(LEVAIN_RULE)

BOOST_FIXTURE_TEST_CASE(a_node_is_recorded_as_it_is, postgres_bench) {
  subject().join(conformance::bench_node(1), std::chrono::milliseconds(1500));
  pqxx::work transaction(admin_);
  const auto row = transaction.exec1("select name, address, version, lease = interval '1.5 seconds' from nodes");
  BOOST_TEST(std::string(row[0].c_str()) == "node 1");
  BOOST_TEST(std::string(row[1].c_str()) == "127.0.0.1:7001");
  BOOST_TEST(std::string(row[2].c_str()) == "0.1.0");
  BOOST_TEST(row[3].as<bool>());
}

BOOST_FIXTURE_TEST_CASE(run_numbers_that_rows_of_others_have_are_passed_over, postgres_bench) {
  pqxx::work transaction(admin_);
  transaction.exec("insert into orchestration_runs (run_number, tenant_id) "
                   "select 'ORCH-' || to_char(now() at time zone 'utc', 'YYYYMMDD') || '-' || lpad(n::text, 8, '0'), "
                   "gen_random_uuid() "
                   "from (values (3), (7), (25), (5000)) as taken (n)");
  transaction.exec("insert into orchestration_runs (run_number, tenant_id) values ('ORCH-1', gen_random_uuid())");
  transaction.commit();
  // Blocks of ten begin behind 7, and then behind 25.
  BOOST_TEST(subject().reserve_run_numbers(10) == 8);
  BOOST_TEST(subject().reserve_run_numbers(10) == 26);
  BOOST_TEST(subject().reserve_run_numbers(10) == 36);
}

BOOST_FIXTURE_TEST_CASE(the_workflows_of_unfinished_runs_are_found_each_once, postgres_bench) {
  pqxx::work transaction(admin_);
  transaction.exec("insert into orchestration_runs (run_number, tenant_id, status, workflow, workflow_version) values "
                   "('A', gen_random_uuid(), 'running', 'w', 1), ('B', gen_random_uuid(), 'pending', 'w', 1), "
                   "('C', gen_random_uuid(), 'running', 'w', 2), ('D', gen_random_uuid(), 'completed', 'v', 1), "
                   "('E', gen_random_uuid(), 'running', null, null)");
  transaction.commit();
  auto found = subject().unfinished_workflows();
  std::sort(found.begin(), found.end());
  BOOST_TEST((found == std::vector<workflow_version>{{"w", 1}, {"w", 2}}));
}

BOOST_FIXTURE_TEST_CASE(a_heartbeat_does_not_wait_for_a_batch, postgres_bench) {
  const auto node = conformance::bench_node(1);
  subject().join(node, conformance::long_lease);
  pqxx::work batch(admin_);
  batch.exec("select from shards order by shard for share");
  BOOST_TEST(subject().heartbeat(node.id, {}));
}

BOOST_FIXTURE_TEST_CASE(of_two_strangers_that_join_at_once_only_one_is_let_in, postgres_bench) {
  postgres_leases other{{.url = database_.url()}};
  const auto joins = [](postgres_leases& to, uint8_t n) {
    try {
      to.join(conformance::gate_node(n, n, n), conformance::long_lease);
      return true;
    } catch (const join_refused&) {
      return false;
    }
  };
  for (int round = 0; round < 50; ++round) {
    auto one = std::async(std::launch::async, [&] { return joins(leases_, 1); });
    const bool two = joins(other, 2);
    BOOST_TEST_REQUIRE((one.get() != two), "round " << round);
    leases_.leave(conformance::bench_node(two ? 2 : 1).id);
  }
}

BOOST_FIXTURE_TEST_CASE(what_others_wrote_among_the_nodes_keeps_nobody_from_a_dead_nodes_shards, postgres_bench) {
  struct written {
    const char* title;
    const char* assignments;
  };
  const written all[] = {
    {"a heartbeat that is for ever", "heartbeat_at = 'infinity'"},
    {"a heartbeat that never was", "heartbeat_at = '-infinity'"},
    {"a heartbeat at the end of the calendar", "heartbeat_at = '294276-12-31 23:59:59'"},
    {"a heartbeat at its beginning", "heartbeat_at = '4713-01-01 00:00:00 BC'"},
    {"the longest lease", "lease = '2562047788:00:54.775807'"},
    {"a lease that no node can have", "lease = '8 days'"},
    {"a lease below none", "lease = '-178000000 years'"},
    {"figures below none", "heartbeat_at = '2000-01-01', runs_live = -1, workers = -7, append_wait_ms = -1"},
    {"a protocol below none", "protocol_min = -3, protocol_max = -2, heartbeat_at = '2000-01-01'"},
  };
  const auto dead = conformance::bench_node(1);
  const auto other = conformance::gate_node(2, 1, 1);
  for (const auto& each : all) {
    BOOST_TEST_CONTEXT(each.title) {
      subject().join(dead, conformance::long_lease);
      BOOST_TEST_REQUIRE(subject().take(dead.id, shard_count, false).size() == shard_count);
      {
        pqxx::work transaction(admin_);
        transaction.exec_params(
          std::string("update nodes set ") + each.assignments + " where id = $1", to_string(dead.id));
        transaction.commit();
      }
      subject().join(other, conformance::long_lease);
      BOOST_TEST(subject().heartbeat(other.id, {}));
      BOOST_TEST(subject().share(other.id).nodes_living == 1U);
      BOOST_TEST(subject().view().nodes.size() == 2U);
      BOOST_TEST(subject().take(other.id, shard_count, false).size() == shard_count);
      subject().forget_expired(std::chrono::milliseconds(0));
      BOOST_TEST(subject().view().nodes.size() == 1U);
      subject().leave(dead.id);
      subject().leave(other.id);
    }
  }
}

BOOST_FIXTURE_TEST_CASE(a_batch_that_is_stuck_is_in_the_way_of_its_own_shards_only, postgres_bench) {
  postgres_leases patient{{.url = database_.url(), .take_lock_timeout = std::chrono::milliseconds(50)}};
  const auto one = conformance::bench_node(1);
  const auto two = conformance::bench_node(2);
  subject().join(one, conformance::long_lease);
  subject().join(two, conformance::long_lease);
  subject().take(one.id, shard_count, false);
  expire(one.id);
  {
    // The owner froze in the middle of a batch.
    pqxx::work batch(admin_);
    batch.exec("select from shards where shard in (3, 5) order by shard for share");
    const auto taken = patient.take(two.id, shard_count, false);
    BOOST_TEST(taken.size() == shard_count - 2u);
    BOOST_CHECK_THROW(patient.take(two.id, shard_count, false), journal_unavailable);
  }
  BOOST_TEST((patient.take(two.id, shard_count, false) == std::vector<shard_lease>{{3, 2}, {5, 2}}));
}

BOOST_AUTO_TEST_SUITE_END()
