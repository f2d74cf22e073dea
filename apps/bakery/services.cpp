#include "apps/bakery/services.hpp"

#include <cmath>

#include <fmt/core.h>

#include "apps/bakery/insights.hpp"
#include "apps/bakery/notifications.hpp"
#include "apps/bakery/results.hpp"
#include "persistence/sha256.hpp"

namespace levain::bakery {

namespace {

using json = nlohmann::json;

sys_days read_target_day(const sample& known, const json_place& body) {
  auto first = known.last_day + std::chrono::days(1);
  auto last = known.last_day + std::chrono::days(horizon_days_max);
  auto input = body.find("input");
  auto date = input ? input->find("date") : std::nullopt;
  if (!date)
    return first;
  auto day = parse_day(date->text());
  if (!day || *day < first || *day > last)
    date->refuse(fmt::format(
      "must be a day from {} to {}, within {} days of the last sales, not `{}`", format_day(first), format_day(last),
      horizon_days_max, date->text()));
  return *day;
}

json_place result_of(const json_place& body, std::string_view step) {
  return body.member("results").member(step);
}

std::string document_id(const service_call& call) {
  return to_string(make_uuid_from(call.service + ":" + call.key));
}

service_answer forecast(const sample& known, const service_call& call) {
  service_answer answer{.document = document_id(call)};
  answer.body = to_json(forecast_demand(known, *call.site, read_target_day(known, json_place(call.body))));
  answer.body["forecast_id"] = answer.document;
  return answer;
}

service_answer schedule(const sample& known, const service_call& call) {
  auto expected = read_forecast(known, result_of(json_place(call.body), "forecasting"));
  service_answer answer{.document = document_id(call)};
  answer.body = to_json(plan_production(known, *call.site, demand_of(expected)));
  answer.body["schedule_id"] = answer.document;
  answer.body["date"] = format_day(expected.day);
  return answer;
}

service_answer procure(const sample& known, const service_call& call) {
  json_place body(call.body);
  auto planned = read_schedule(known, result_of(body, "production"));
  service_answer answer{.document = document_id(call)};
  answer.body = to_json(plan_procurement(known, *call.site, planned_units(planned), read_target_day(known, body)));
  answer.body["plan_id"] = answer.document;
  return answer;
}

json signed_by(const service_call& call, size_t number) {
  json entry{
    {"id", to_string(make_uuid_from(fmt::format("{}:{}:{}", call.service, call.key, number)))},
    {"tenant", to_string(call.site->tenant)}};
  if (auto run = json_place(call.body).find("run"))
    if (auto id = run->find("id"))
      entry["run"] = id->text();
  return entry;
}

service_answer notify(const sample& known, const service_call& call) {
  json_place body(call.body);
  auto planned = read_schedule(known, result_of(body, "production"));
  auto plan = read_plan(result_of(body, "procurement"));
  service_answer answer;
  for (const auto& each : write_messages(*call.site, read_target_day(known, body), planned, plan)) {
    auto entry = signed_by(call, answer.messages.size());
    entry["role"] = each.role;
    entry["name"] = each.name;
    entry["to"] = each.address;
    entry["subject"] = each.subject;
    entry["text"] = each.text;
    answer.messages.push_back(std::move(entry));
  }
  auto recipients = json::array();
  for (const auto& each : answer.messages)
    recipients.push_back({{"role", each["role"]}, {"to", each["to"]}, {"message_id", each["id"]}});
  answer.body = {{"notifications_sent", answer.messages.size()}, {"recipients", std::move(recipients)}};
  return answer;
}

service_answer judge(const sample& known, const service_call& call) {
  json_place body(call.body);
  auto expected = read_forecast(known, result_of(body, "forecasting"));
  auto planned = read_schedule(known, result_of(body, "production"));
  auto plan = read_plan(result_of(body, "procurement"));
  auto report = find_insights(known, expected, planned, plan);
  service_answer answer;
  auto insights = json::array();
  for (const auto& each : report.insights) {
    json entry{
      {"kind", each.kind},
      {"subject", each.subject},
      {"text", each.text},
      {"value_cents", each.value_cents},
      {"confidence", std::round(each.confidence * 100) / 100},
      {"posted", each.posted()}};
    if (each.posted()) {
      auto post = signed_by(call, answer.posts.size());
      post.update(entry);
      answer.posts.push_back(std::move(post));
    }
    insights.push_back(std::move(entry));
  }
  answer.body = {
    {"insights_generated", report.insights.size()},
    {"insights_posted", answer.posts.size()},
    {"quality_score", report.quality_score},
    {"insights", std::move(insights)}};
  return answer;
}

} // namespace

uuid make_uuid_from(std::string_view name) {
  // The prefix keeps these ids apart from any other use of the same hash.
  auto hex = sha256_hex(fmt::format("levain-bakery:{}", name));
  uuid id;
  for (size_t i = 0; i < id.bytes.size(); ++i)
    id.bytes[i] = uint8_t(std::stoul(hex.substr(2 * i, 2), nullptr, 16));
  id.bytes[6] = uint8_t((id.bytes[6] & 0x0f) | 0x80);
  id.bytes[8] = uint8_t((id.bytes[8] & 0x3f) | 0x80);
  return id;
}

service_answer serve(const sample& known, const service_call& call) {
  if (call.service == "forecasting")
    return forecast(known, call);
  if (call.service == "production")
    return schedule(known, call);
  if (call.service == "procurement")
    return procure(known, call);
  if (call.service == "notifications")
    return notify(known, call);
  return judge(known, call);
}

} // namespace levain::bakery
