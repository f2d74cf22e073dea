#include "apps/load/load_result.hpp"

#include <boost/test/unit_test.hpp>
#include <functional>
#include <nlohmann/json.hpp>
#include <stdexcept>

using namespace levain::load;
using nlohmann::json;

namespace {

latency_figures some_latency(double scale) {
  return {
    .p50 = 1.5 * scale,
    .p90 = 2.25 * scale,
    .p99 = 9 * scale,
    .p999 = 12 * scale,
    .max = 13.125 * scale,
    .mean = 1.75 * scale,
    .count = 3,
    .histogram = {{1.5 * scale, 2}, {13.5 * scale, 1}}};
}

/// A result in which every member differs from what it is by default.
load_result full_result() {
  load_result x;
  x.kind = "floor";
  x.began_at = "2026-11-24T03:00:00Z";
  x.settings = {{"shape", "chain"}, {"seed", "7"}};
  x.machine = {{"cores", "2"}};
  x.runs = 3;
  x.steps = 15;
  x.seconds = 0.5;
  x.runs_per_s = 6;
  x.steps_per_s = 30;
  x.latency_ms = some_latency(1);
  x.start_ms = some_latency(0.25);
  x.wal_bytes_per_run = 4600.5;
  x.commits_per_run = 0.0125;
  x.batches_per_run = 0.01;
  x.rows_per_batch = 501;
  x.engine_cpu_ms_per_run = 0.0625;
  x.postgres_cpu_ms_per_run = 0.125;
  x.peak_rss_bytes = 1 << 20;
  x.dead_tuples = 11;
  x.refused = {{"the waiting room is full", 4}};
  x.errors = {{"no answer", 1}};
  x.endings = {{"completed", 2}, {"failed", 1}};
  x.lost = 1;
  x.duplicates = 2;
  x.audit_differences = 3;
  x.over_time = {
    {.at_s = 1,
     .started = 2,
     .ended = 3,
     .steps = 4,
     .refused = 5,
     .in_flight = 6,
     .p50_ms = 7.5,
     .p99_ms = 8.5,
     .rss_bytes = 9}};
  x.tenants = {{"a", {.runs = 2, .latency_ms = some_latency(2)}}};
  x.priorities = {{"high", {.runs = 1, .latency_ms = some_latency(4)}}};
  return x;
}

/// What reading the full result says after `change`; nothing when it is read.
std::string complaint_after(const std::function<void(json&)>& change) {
  auto text = to_json(full_result());
  change(text);
  try {
    (void)load_result_from_json(text);
  } catch (const std::invalid_argument& refused) {
    return refused.what();
  }
  return "";
}

} // namespace

BOOST_AUTO_TEST_SUITE(load_result_test)

BOOST_AUTO_TEST_CASE(a_result_comes_back_as_it_was_written) {
  const auto text = to_json(full_result());
  BOOST_TEST(to_json(load_result_from_json(json::parse(text.dump()))) == text);
  const auto read = load_result_from_json(text);
  BOOST_TEST(read.kind == "floor");
  BOOST_TEST(read.latency_ms.histogram.at(1).upper_ms == 13.5);
  BOOST_TEST(read.over_time.at(0).p99_ms.value() == 8.5);
  BOOST_TEST(read.tenants.at("a").latency_ms.p99 == 18.0);
  BOOST_TEST(read.wal_bytes_per_run.value() == 4600.5);
  BOOST_TEST(read.audit_differences.value() == 3U);
}

BOOST_AUTO_TEST_CASE(no_member_of_a_full_result_is_what_it_is_by_default) {
  const auto full = to_json(full_result());
  const auto by_default = to_json(load_result{});
  for (const auto& [name, value] : full.items())
    BOOST_TEST(value != by_default.at(name), name);
}

BOOST_AUTO_TEST_CASE(what_was_not_measured_is_null) {
  const auto text = to_json(load_result{});
  BOOST_TEST(text.at("wal_bytes_per_run").is_null());
  BOOST_TEST(text.at("lost").is_null());
  BOOST_TEST(!load_result_from_json(text).lost.has_value());
}

BOOST_AUTO_TEST_CASE(an_unfit_member_is_named) {
  BOOST_TEST(complaint_after([](json&) {}).empty());
  BOOST_TEST(complaint_after([](json& x) { x.erase("runs"); }) == "runs: is missing");
  BOOST_TEST(complaint_after([](json& x) { x["runs"] = -1; }) == "runs: must be a whole number, 0 or more, not -1");
  BOOST_TEST(complaint_after([](json& x) { x["seconds"] = "5"; }) == "seconds: must be a number, not \"5\"");
  BOOST_TEST(complaint_after([](json& x) { x["latency_ms"].erase("p99"); }) == "latency_ms.p99: is missing");
  BOOST_TEST(complaint_after([](json& x) {
               x["latency_ms"]["histogram"][1]["count"] = 0.5;
             }) == "latency_ms.histogram[1].count: must be a whole number, 0 or more, not 0.5");
  BOOST_TEST(complaint_after([](json& x) {
               x["over_time"][0]["p50_ms"] = true;
             }) == "over_time[0].p50_ms: must be a number, not true");
  BOOST_TEST(complaint_after([](json& x) { x["tenants"]["a"] = 1; }) == "tenants.a: must be an object, not 1");
  BOOST_TEST(complaint_after([](json& x) { x["settings"]["seed"] = 7; }) == "settings.seed: must be a string, not 7");
  BOOST_TEST(
    complaint_after([](json& x) { x["kind"] = "bench"; }) == "kind: must be \"load\" or \"floor\", not \"bench\"");
  BOOST_TEST(complaint_after([](json& x) { x = json::array(); }) == "the result: must be an object, not []");
}

BOOST_AUTO_TEST_CASE(only_what_is_whole_is_proven) {
  load_result x;
  BOOST_TEST(x.proven());
  x.lost = x.duplicates = x.audit_differences = 0;
  x.endings = {{"failed", 3}};
  x.refused = {{"full", 3}};
  BOOST_TEST(x.proven());
  for (auto* each : {&x.lost, &x.duplicates, &x.audit_differences}) {
    *each = 1;
    BOOST_TEST(!x.proven());
    *each = 0;
  }
  x.errors["no answer"] = 1;
  BOOST_TEST(!x.proven());
}

BOOST_AUTO_TEST_SUITE_END()
