#include <boost/test/unit_test.hpp>

#include <fstream>
#include <memory>
#include <thread>

#include "actors/run_machine/prepare_call.hpp"
#include "actors/workflow/parse_definition.hpp"
#include "apps/bakery/bakery_service.hpp"
#include "tests/apps/bakery_client.hpp"

using namespace levain;
using namespace levain::test;
using nlohmann::json;

namespace {

bakery_options options_in(const scratch_folder& folder) {
  return {.state_dir = folder.path()};
}

std::vector<json> lines_of(const std::filesystem::path& path) {
  std::vector<json> lines;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);)
    lines.push_back(json::parse(line));
  return lines;
}

/// All five steps in order; returns the last answer.
answer do_night(bakery_client& client) {
  answer last;
  for (auto [step, path] :
       {std::pair{"forecasting", "/forecasts"},
        {"production", "/schedules"},
        {"procurement", "/procurement"},
        {"notifications", "/notifications"},
        {"ai_insights", "/insights"}}) {
    last = client.work(step, path);
    BOOST_TEST_REQUIRE(last.status == 200, step << ": " << last.body.dump());
  }
  return last;
}

} // namespace

BOOST_AUTO_TEST_SUITE(bakery_service_test)

BOOST_AUTO_TEST_CASE(a_night_fills_every_documented_result) {
  scratch_folder folder;
  bakery_service service(options_in(folder));
  auto definition = json::parse(daily_bakery_definition());
  for (size_t nth = 0; nth < sample_tenants().size(); ++nth) {
    bakery_client client(service.url(), "run-" + std::to_string(nth), nth);
    do_night(client);
    // Every pointer that the definition records leads to a value of the column's kind.
    for (const auto& step : definition["steps"])
      for (const auto& [column, pointer] : step["record"].items()) {
        json::json_pointer place(pointer.get<std::string>());
        const auto& output = client.results.at(step["name"].get<std::string>());
        BOOST_TEST_REQUIRE(output.contains(place), column);
        const auto& value = output.at(place);
        if (column.ends_with("_id"))
          BOOST_TEST(uuid::parse(value.get<std::string>()).has_value(), column);
        else if (column == "forecast_data")
          BOOST_TEST(value.size() == 10u);
        else
          BOOST_TEST((value.is_number_integer() && value.get<int>() > 0), column << " is " << value.dump());
        if (column.ends_with("_rate") || column == "cost_accuracy" || column == "quality_score")
          BOOST_TEST(value.get<int>() <= 100, column);
      }
  }
}

BOOST_AUTO_TEST_CASE(the_workflow_is_a_valid_definition_with_every_variable_served) {
  auto parsed = parse_definition(daily_bakery_definition());
  for (const auto& error : parsed.errors)
    BOOST_ERROR(to_string(error));
  BOOST_TEST_REQUIRE(parsed.workflow);
  BOOST_TEST(parsed.workflow->name == "daily_bakery");
  BOOST_TEST(parsed.workflow->version == 1);
  BOOST_TEST(missing_variables(*parsed.workflow, bakery_variables("http://127.0.0.1:1")).empty());
  size_t recorded = 0;
  for (const auto& step : parsed.workflow->steps)
    recorded += step.record.size();
  // Seven counters, three ids, the forecast and four metrics.
  BOOST_TEST(recorded == 15u);
}

BOOST_AUTO_TEST_CASE(the_same_key_gets_the_same_answer_and_the_work_is_done_once) {
  scratch_folder folder;
  bakery_service service(options_in(folder));
  bakery_client client(service.url(), "run");
  do_night(client);
  auto letters = lines_of(folder.path() / "outbox.jsonl").size();
  BOOST_TEST(letters == client.results["notifications"]["notifications_sent"].get<size_t>());
  auto again = client.work("notifications", "/notifications", 2);
  BOOST_TEST(again.body == client.results["notifications"]);
  BOOST_TEST(lines_of(folder.path() / "outbox.jsonl").size() == letters);
  auto ledger = service.ledger();
  BOOST_TEST_REQUIRE(ledger.size() == 6u);
  BOOST_TEST(!ledger[3].repeated);
  BOOST_TEST(ledger[5].repeated);
  BOOST_TEST(ledger[5].attempt == 2u);
  BOOST_TEST(ledger[5].key == "run/notifications");
  BOOST_TEST(ledger[5].run == "run");
}

BOOST_AUTO_TEST_CASE(a_key_is_good_for_one_thing_only) {
  scratch_folder folder;
  bakery_service service(options_in(folder));
  bakery_client client(service.url(), "run");
  client.work("forecasting", "/forecasts");
  auto wrong = client.work("forecasting", "/schedules");
  BOOST_TEST(wrong.status == 422);
  BOOST_TEST(wrong.body["field"] == "Idempotency-Key");
}

BOOST_AUTO_TEST_CASE(an_undo_is_done_once_and_an_unknown_one_harms_nobody) {
  scratch_folder folder;
  bakery_service service(options_in(folder));
  bakery_client client(service.url(), "run");
  client.work("forecasting", "/forecasts");
  auto path = "/forecasts/" + client.results["forecasting"]["forecast_id"].get<std::string>();
  auto headers = client.headers("", 1);
  BOOST_TEST(send("GET", service.url() + path, "", headers).body["undone"] == false);
  BOOST_TEST(client.undo("forecasting", path).body["undone"] == true);
  BOOST_TEST(client.undo("forecasting", path).body["undone"] == true);
  BOOST_TEST(send("GET", service.url() + path, "", headers).body["undone"] == true);
  BOOST_TEST(client.undo("other", path).body["undone"] == false);
  auto unknown = client.undo("third", "/schedules/0d6fae54-0000-8000-8000-000000000000");
  BOOST_TEST(unknown.status == 200);
  BOOST_TEST(unknown.body["undone"] == false);
}

BOOST_AUTO_TEST_CASE(nobody_undoes_or_reads_a_strangers_document) {
  scratch_folder folder;
  bakery_service service(options_in(folder));
  bakery_client owner(service.url(), "run-0", 0);
  bakery_client stranger(service.url(), "run-1", 1);
  owner.work("forecasting", "/forecasts");
  auto path = "/forecasts/" + owner.results["forecasting"]["forecast_id"].get<std::string>();
  BOOST_TEST(stranger.undo("forecasting", path).body["undone"] == false);
  BOOST_TEST(send("GET", service.url() + path, "", stranger.headers("", 1)).status == 404);
  BOOST_TEST(send("GET", service.url() + path, "", owner.headers("", 1)).body["undone"] == false);
}

BOOST_AUTO_TEST_CASE(everything_survives_a_restart) {
  scratch_folder folder;
  json results, forecast_path;
  {
    bakery_service service(options_in(folder));
    bakery_client client(service.url(), "run");
    do_night(client);
    results = client.results;
    client.undo("production", "/schedules/" + results["production"]["schedule_id"].get<std::string>());
  }
  auto letters = lines_of(folder.path() / "outbox.jsonl").size();
  auto posts = lines_of(folder.path() / "board.jsonl").size();
  BOOST_TEST(posts == results["ai_insights"]["insights_posted"].get<size_t>());
  bakery_service service(options_in(folder));
  BOOST_TEST(service.ledger().size() == 6u);
  bakery_client client(service.url(), "run");
  do_night(client);
  BOOST_TEST(client.results == results);
  BOOST_TEST(lines_of(folder.path() / "outbox.jsonl").size() == letters);
  auto path = "/schedules/" + results["production"]["schedule_id"].get<std::string>();
  BOOST_TEST(send("GET", service.url() + path, "", client.headers("", 1)).body["undone"] == true);
}

BOOST_AUTO_TEST_CASE(work_that_a_crash_left_half_written_is_done_again_without_a_second_letter) {
  scratch_folder folder;
  size_t letters = 0;
  {
    bakery_service service(options_in(folder));
    bakery_client client(service.url(), "run");
    do_night(client);
    letters = lines_of(folder.path() / "outbox.jsonl").size();
  }
  // The letters were on disk, of the lines that say so only a part.
  auto done = folder.path() / "done.jsonl";
  std::vector<std::string> lines;
  std::ifstream in(done);
  for (std::string line; std::getline(in, line);)
    lines.push_back(line);
  std::ofstream(done, std::ios::trunc) << lines[0] << '\n'
                                       << lines[1] << '\n'
                                       << lines[2] << '\n'
                                       << lines[3].substr(0, 80);
  bakery_service service(options_in(folder));
  bakery_client client(service.url(), "run");
  do_night(client);
  BOOST_TEST(lines_of(folder.path() / "outbox.jsonl").size() == letters);
  BOOST_TEST(lines_of(done).size() == 5u);
}

BOOST_AUTO_TEST_CASE(a_damaged_state_is_refused_with_its_place) {
  scratch_folder folder;
  std::ofstream(folder.path() / "done.jsonl") << "{}\n";
  auto names_place = [](const std::runtime_error& e) {
    return std::string(e.what()).find("done.jsonl line 1") != std::string::npos;
  };
  BOOST_CHECK_EXCEPTION(bakery_service{options_in(folder)}, std::runtime_error, names_place);
  std::ofstream(folder.path() / "done.jsonl", std::ios::trunc) << "not json\n";
  BOOST_CHECK_EXCEPTION(bakery_service{options_in(folder)}, std::runtime_error, names_place);
}

BOOST_AUTO_TEST_CASE(two_bakeries_do_not_share_a_folder) {
  scratch_folder folder;
  bakery_service service(options_in(folder));
  BOOST_CHECK_EXCEPTION(bakery_service{options_in(folder)}, std::runtime_error, [](const std::runtime_error& e) {
    return std::string(e.what()).starts_with("another bakery is already using");
  });
}

BOOST_AUTO_TEST_CASE(a_fault_meets_its_tenant_only_and_can_be_lifted) {
  scratch_folder folder;
  bakery_service service(options_in(folder));
  bakery_client first(service.url(), "run-0", 0);
  bakery_client second(service.url(), "run-1", 1);
  auto set =
    send("PUT", service.url() + "/faults", json{{"forecasting", {{"tenant", first.tenant()}, {"status", 500}}}}.dump());
  BOOST_TEST(set.status == 200);
  BOOST_TEST(first.work("forecasting", "/forecasts").status == 500);
  BOOST_TEST(second.work("forecasting", "/forecasts").status == 200);
  service.set_faults({});
  BOOST_TEST(first.work("forecasting", "/forecasts", 2).status == 200);
  auto ledger = service.ledger();
  BOOST_TEST(ledger[0].fault);
  BOOST_TEST(ledger[0].status == 500);
  BOOST_TEST(!ledger[2].repeated);
}

BOOST_AUTO_TEST_CASE(a_lost_answer_is_told_again_to_who_asks_again) {
  scratch_folder folder;
  auto options = options_in(folder);
  options.faults["notifications"] = {{.answer_lost = true}};
  bakery_service service(options);
  bakery_client client(service.url(), "run");
  client.work("forecasting", "/forecasts");
  client.work("production", "/schedules");
  client.work("procurement", "/procurement");
  BOOST_TEST(client.work("notifications", "/notifications").status == 503);
  auto letters = lines_of(folder.path() / "outbox.jsonl").size();
  BOOST_TEST(letters > 0u);
  service.set_faults({});
  BOOST_TEST(client.work("notifications", "/notifications", 2).status == 200);
  BOOST_TEST(lines_of(folder.path() / "outbox.jsonl").size() == letters);
  BOOST_TEST(service.ledger().back().repeated);
}

BOOST_AUTO_TEST_CASE(a_slow_call_does_not_hold_up_the_others_and_the_door_closes_on_it) {
  scratch_folder folder;
  auto options = options_in(folder);
  options.faults["forecasting"] = {{.status = 0, .delay = std::chrono::minutes(10)}};
  auto service = std::make_unique<bakery_service>(options);
  bakery_client slow(service->url(), "run-0", 0);
  long slow_status = 0;
  std::thread waiting([&] { slow_status = slow.work("forecasting", "/forecasts").status; });
  // Undoing is slowed as well, so another service shows that the desk is free.
  bakery_client other(service->url(), "run-1", 1);
  BOOST_TEST(other.undo("production", "/schedules/0d6fae54-0000-8000-8000-000000000000").status == 200);
  while (send("GET", service->url() + "/health", "").body["calls_waiting"] != 1)
    std::this_thread::yield();
  service->stop();
  waiting.join();
  BOOST_TEST(slow_status == 503);
}

BOOST_AUTO_TEST_CASE(more_calls_than_may_wait_are_sent_away) {
  scratch_folder folder;
  auto options = options_in(folder);
  options.calls_waiting_max = 0;
  bakery_service service(options);
  auto refused = bakery_client(service.url(), "run").work("forecasting", "/forecasts");
  BOOST_TEST(refused.status == 503);
  BOOST_TEST(refused.body["detail"] == "0 calls are waiting, the most there may be");
}

BOOST_AUTO_TEST_CASE(more_keys_than_may_be_kept_are_refused) {
  scratch_folder folder;
  auto options = options_in(folder);
  options.answers_kept_max = 1;
  bakery_service service(options);
  bakery_client client(service.url(), "run");
  BOOST_TEST(client.work("forecasting", "/forecasts").status == 200);
  BOOST_TEST(client.work("production", "/schedules").status == 507);
  BOOST_TEST(client.work("forecasting", "/forecasts", 2).status == 200);
}

BOOST_AUTO_TEST_CASE(bad_calls_are_refused_by_name) {
  scratch_folder folder;
  auto options = options_in(folder);
  options.key_bytes_max = 20;
  bakery_service service(options);
  bakery_client client(service.url(), "run");
  auto url = service.url();
  auto headers = client.headers("key", 1);
  auto with = [&](const std::string& name, const std::string& value) {
    auto changed = headers;
    changed[name] = value;
    return changed;
  };
  auto without = [&](const std::string& name) {
    auto changed = headers;
    changed.erase(name);
    return changed;
  };
  auto body = [&](const char* pointer, json value) {
    auto changed = client.body();
    changed[json::json_pointer(pointer)] = std::move(value);
    return changed.dump();
  };
  struct row {
    answer got;
    long status;
    std::string field;
  };
  auto good = client.body().dump();
  std::vector<row> rows{
    {send("POST", url + "/forecasts", good, without("Idempotency-Key")), 400, "Idempotency-Key"},
    {send("POST", url + "/forecasts", good, with("Idempotency-Key", std::string(21, 'k'))), 400, "Idempotency-Key"},
    {send("POST", url + "/forecasts", good, with("Idempotency-Key", "k\xff")), 400, "Idempotency-Key"},
    {send("POST", url + "/forecasts", good, without("Levain-Tenant")), 400, "Levain-Tenant"},
    {send("POST", url + "/forecasts", good, with("Levain-Tenant", "0d6fae54-0000-8000-8000-000000000000")), 404,
     "Levain-Tenant"},
    {send("POST", url + "/forecasts", "{", headers), 400, "body"},
    {send("POST", url + "/forecasts", "[]", headers), 422, ""},
    {send("POST", url + "/forecasts", body("/run/tenant", "0d6fae54-0000-8000-8000-000000000000"), headers), 422,
     "run.tenant"},
    {send("POST", url + "/forecasts", body("/input/date", "tomorrow"), headers), 422, "input.date"},
    {send("POST", url + "/forecasts", body("/input/date", "2026-11-22"), headers), 422, "input.date"},
    {send("POST", url + "/forecasts", body("/input/date", "2026-12-21"), headers), 422, "input.date"},
    {send("POST", url + "/forecasts", body("/input/date", 20261124), headers), 422, "input.date"},
    {send("POST", url + "/schedules", good, headers), 422, "results.forecasting"},
    {send("POST", url + "/procurement", good, headers), 422, "results.production"},
    {send("POST", url + "/insights", good, headers), 422, "results.forecasting"},
    {send("DELETE", url + "/forecasts", good, headers), 405, "method"},
    {send("POST", url + "/forecasts/1", good, headers), 405, "method"},
    {send("DELETE", url + "/notifications/1", good, headers), 405, "method"},
    {send("DELETE", url + "/forecasts/1", good, headers), 400, "id"},
    {send("POST", url + "/bread", good, headers), 404, "path"},
    {send("GET", url + "/forecasts/0d6fae54-0000-8000-8000-000000000000", "", headers), 404, "id"},
    {send("PUT", url + "/faults", "{", {}), 400, "body"},
    {send("PUT", url + "/faults", R"({"oven": {}})", {}), 422, "oven"},
    {send("PUT", url + "/faults", R"({"insights": {"status": 200}})", {}), 422, "insights.status"},
    {send("PUT", url + "/faults", R"({"insights": [{"rate": 2}]})", {}), 422, "insights[0].rate"},
    {send("PUT", url + "/faults", R"({"insights": {"tenant": "me"}})", {}), 422, "insights.tenant"},
    {send("PUT", url + "/faults", R"({"insights": {"when": 1}})", {}), 422, "insights.when"},
  };
  for (size_t i = 0; i < rows.size(); ++i) {
    BOOST_TEST(rows[i].got.status == rows[i].status, "row " << i << ": " << rows[i].got.body.dump());
    BOOST_TEST(rows[i].got.body.value("field", "") == rows[i].field, "row " << i << ": " << rows[i].got.body.dump());
  }
  // The ledger shows them all, also where they are no text.
  BOOST_TEST(send("GET", url + "/ledger", "").body.size() == 19u);
  // What was refused is not remembered under its key.
  BOOST_TEST(send("POST", url + "/forecasts", good, headers).status == 200);
}

BOOST_AUTO_TEST_CASE(a_damaged_result_is_refused_by_its_place) {
  scratch_folder folder;
  bakery_service service(options_in(folder));
  bakery_client client(service.url(), "run");
  do_night(client);
  auto good = client.results;
  struct row {
    const char* pointer;
    json value;
    const char* path;
    const char* field;
  };
  std::vector<row> rows{
    {"/forecasting/forecast/baguette/demand", "many", "/schedules", "results.forecasting.forecast.baguette.demand"},
    {"/forecasting/forecast/bread", json::object(), "/schedules", "results.forecasting.forecast.bread"},
    {"/production/schedule/1/units", -1, "/procurement", "results.production.schedule[1].units"},
    {"/production/schedule/0/ready", "25:00", "/procurement", "results.production.schedule[0].ready"},
    {"/procurement/orders/0/expected_on", "soon", "/notifications", "results.procurement.orders[0].expected_on"},
    {"/procurement/cost_accuracy", 101, "/insights", "results.procurement.cost_accuracy"},
  };
  for (const auto& row : rows) {
    client.results = good;
    client.results[json::json_pointer(row.pointer)] = row.value;
    auto got = client.work(std::string("bad") + row.pointer, row.path);
    BOOST_TEST(got.status == 422, row.pointer);
    BOOST_TEST(got.body.value("field", "") == row.field, got.body.dump());
  }
}

BOOST_AUTO_TEST_CASE(the_ledger_can_be_read_by_run_and_from_its_file) {
  scratch_folder folder;
  auto options = options_in(folder);
  options.ledger_file = folder.path() / "elsewhere.jsonl";
  bakery_service service(options);
  bakery_client(service.url(), "run-0", 0).work("forecasting", "/forecasts");
  bakery_client(service.url(), "run-1", 1).work("forecasting", "/forecasts");
  auto one = send("GET", service.url() + "/ledger?run=run-1", "");
  BOOST_TEST_REQUIRE(one.body.size() == 1u);
  BOOST_TEST(one.body[0]["tenant"] == to_string(sample_tenants()[1].id));
  BOOST_TEST(send("GET", service.url() + "/ledger", "").body.size() == 2u);
  auto lines = lines_of(folder.path() / "elsewhere.jsonl");
  BOOST_TEST_REQUIRE(lines.size() == 2u);
  BOOST_TEST(lines[1] == one.body[0]);
}

BOOST_AUTO_TEST_CASE(a_closed_day_is_a_night_without_work) {
  scratch_folder folder;
  bakery_service service(options_in(folder));
  // The first bakery is closed on Sundays.
  bakery_client client(service.url(), "run", 0);
  client.input["date"] = "2026-11-29";
  do_night(client);
  BOOST_TEST(client.results["production"]["batches_created"] == 0);
  BOOST_TEST(client.results["production"]["fulfillment_rate"] == 100);
  BOOST_TEST(client.results["procurement"]["purchase_orders_created"] == 0);
}

BOOST_AUTO_TEST_SUITE_END()
