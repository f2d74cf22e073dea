#include <boost/test/unit_test.hpp>

#include <nlohmann/json.hpp>

#include "actors/gateway/worker_json.hpp"
#include "tests/support/scripted_workers.hpp"

using namespace levain;
using namespace levain::test;

BOOST_AUTO_TEST_SUITE(worker_json_test)

BOOST_AUTO_TEST_CASE(a_worker_is_shown_with_everything_that_is_known_of_it) {
  worker_view worker;
  worker.id.bytes[15] = 1;
  worker.name = "oven-1";
  worker.host = "bakehouse";
  worker.version = "0.1.0";
  worker.kinds = {{"bake", 4, 3}};
  worker.calls_out = 1;
  worker.connected_since = workers_begin;
  worker.leaving = true;
  BOOST_TEST(
    workers_json({worker}).dump() ==
    R"({"workers":[{"id":"00000000-0000-0000-0000-000000000001","name":"oven-1","host":"bakehouse","version":"0.1.0",)"
    R"("connected_since":"2026-11-23T00:00:00.000000Z","leaving":true,"calls_out":1,)"
    R"("kinds":[{"kind":"bake","at_once":4,"free":3}]}]})");
  BOOST_TEST(workers_json({}).dump() == R"({"workers":[]})");
}

BOOST_AUTO_TEST_SUITE_END()
