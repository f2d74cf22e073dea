// Lists of starts that are taken whole, or not at all, over HTTP on a real PostgreSQL.
#include <boost/test/unit_test.hpp>

#include "tests/actors/gateway_world.hpp"
#include "tests/support/database.hpp"
#include "tests/support/has.hpp"

using namespace levain;
using namespace levain::test;
using nlohmann::json;

namespace {

struct whole_lists {
  explicit whole_lists(size_t waiting_max = 1000) {
    options.name = "test";
    options.dispatcher.runs_running_max = 1;
    options.dispatcher.runs_waiting_max = waiting_max;
    world = std::make_unique<gateway_world>(options, postgres_ports(database.url()), database.url());
    world->wait_until_ready();
    world->register_simulated("long", {{"time", "30m"}}, {{"timeout", "1h"}, {"effect", "none"}});
  }

  http_answer ask(json starts, bool all = true) {
    return world->post(world->path("/runs"), {{"all", all}, {"starts", std::move(starts)}});
  }
  static json list(size_t count) { return json(count, {{"workflow", "long"}}); }
  size_t runs() { return world->get(world->path("/runs?limit=1000")).json()["runs"].size(); }

  fresh_database database;
  node_options options;
  std::unique_ptr<gateway_world> world;
};

} // namespace

BOOST_AUTO_TEST_SUITE(gateway_whole_lists_dbtest)

BOOST_AUTO_TEST_CASE(a_list_that_fits_is_taken_whole) {
  whole_lists it;
  const auto answer = it.ask(whole_lists::list(20));
  BOOST_TEST(answer.status == 200, answer.body);
  BOOST_TEST(answer.json()["started"] == 20);
  BOOST_TEST(it.runs() == 20U);
}

BOOST_AUTO_TEST_CASE(a_list_that_does_not_fit_starts_nothing) {
  whole_lists it(15);
  const auto answer = it.ask(whole_lists::list(20));
  BOOST_TEST(answer.status == 429, answer.body);
  BOOST_TEST(
    has(answer.body, "there is room for 15 of 20 starts (runs_waiting_max); nothing was started"), answer.body);
  BOOST_TEST(answer.json()["retry_after"] == 1, answer.body);
  BOOST_TEST(it.runs() == 0U);
  // In part, as ever, without it.
  const auto parts = it.ask(whole_lists::list(20), false);
  BOOST_TEST(parts.status == 207, parts.body);
  BOOST_TEST(it.runs() == parts.json()["started"].get<size_t>());
  BOOST_TEST(it.runs() > 0U);
}

BOOST_AUTO_TEST_CASE(one_start_that_is_wrong_keeps_all_others_from_starting) {
  whole_lists it;
  auto wrong = whole_lists::list(3);
  wrong[1]["priority"] = "urgent";
  auto answer = it.ask(wrong);
  BOOST_TEST(answer.status == 422, answer.body);
  BOOST_TEST(answer.json()["field"] == "starts[1].priority", answer.body);
  wrong = whole_lists::list(3);
  wrong[2]["workflow"] = "none";
  answer = it.ask(wrong);
  BOOST_TEST(answer.status == 404, answer.body);
  BOOST_TEST(answer.json()["field"] == "starts[2].workflow", answer.body);
  BOOST_TEST(has(answer.body, "nothing was started"), answer.body);
  BOOST_TEST(it.runs() == 0U);
}

BOOST_AUTO_TEST_CASE(a_list_that_is_sent_again_with_its_keys_starts_nothing_twice) {
  whole_lists it;
  auto keyed = whole_lists::list(3);
  for (size_t i = 0; i < keyed.size(); ++i)
    keyed[i]["idempotency_key"] = "key " + std::to_string(i);
  BOOST_TEST(it.ask(keyed).json()["started"] == 3);
  const auto again = it.ask(keyed);
  BOOST_TEST(again.json()["started"] == 0, again.body);
  BOOST_TEST(again.json()["repeated"] == 3, again.body);
  BOOST_TEST(it.runs() == 3U);
}

BOOST_AUTO_TEST_SUITE_END()
