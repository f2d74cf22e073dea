#include "apps/load/start_answers.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace levain::load {

namespace {

using nlohmann::ordered_json;
using next_type = start_setback::next_type;

constexpr std::chrono::seconds wait_default{1};

/// What a problem document, of one start or of the request, means for a start.
start_setback setback_of(int status, const ordered_json& problem) {
  start_setback setback;
  setback.wait = wait_default;
  const auto found = problem.find("retry_after");
  const bool told_when = found != problem.end() && found->is_number();
  if (told_when)
    setback.wait = std::chrono::duration_cast<duration>(std::chrono::duration<double>(found->get<double>()));
  if (status == 429)
    setback.reason = "busy";
  else if (status == 503) {
    setback.reason = "not_ready";
    // Without a time the node may have given up a start that was on its way to the database.
    setback.next = told_when ? next_type::again : next_type::unknown;
  } else {
    setback.refused = false;
    setback.reason = fmt::format("answered {}", status);
    // Nobody knows what an answer that came from the middle of something, or too late, stands for.
    setback.next = status >= 500 ? next_type::unknown : next_type::never;
  }
  return setback;
}

start_answer answer_of(const ordered_json& told) {
  if (!told.is_object())
    return start_setback{next_type::unknown, false, "an answer that is none", wait_default};
  if (const auto id = told.find("id"); id != told.end() && id->is_string())
    if (const auto run = uuid::parse(id->get<std::string>()))
      return start_granted{{*run}, told.value("repeated", false)};
  return setback_of(told.value("status", 500), told);
}

run_ending ending_of(const ordered_json& told, const tenant_id& tenant, const char* steps) {
  run_ending ending;
  ending.tenant = tenant;
  ending.run = run_id{uuid::parse(told.at("id").get<std::string>()).value()};
  ending.status = parse_run_status(told.at("status").get<std::string>()).value();
  ending.steps_succeeded = told.at(steps).get<uint32_t>();
  return ending;
}

} // namespace

std::vector<start_answer> read_start_answers(const api_reply& reply, size_t count) {
  if (reply.http_status == 0) {
    const auto next = reply.sent ? next_type::unknown : next_type::again;
    return std::vector<start_answer>(count, start_setback{next, false, reply.failure, wait_default});
  }
  const auto document = ordered_json::parse(reply.body, nullptr, false);
  if (!reply.granted())
    return std::vector<start_answer>(
      count, setback_of(reply.http_status, document.is_object() ? document : ordered_json::object()));
  std::vector<start_answer> answers;
  if (const auto found = document.is_object() ? document.find("results") : document.end();
      found != document.end() && found->is_array())
    for (const auto& each : *found)
      answers.push_back(answer_of(each));
  answers.resize(count, start_setback{next_type::unknown, false, "an answer that is none", wait_default});
  return answers;
}

std::optional<told_endings> read_endings(const api_reply& reply) {
  if (!reply.granted())
    return std::nullopt;
  try {
    const auto document = ordered_json::parse(reply.body);
    told_endings page;
    page.next = document.at("next").get<std::string>();
    page.missed = document.at("missed").get<bool>();
    for (const auto& each : document.at("endings"))
      page.endings.push_back(
        ending_of(each, {uuid::parse(each.at("tenant").get<std::string>()).value()}, "steps_succeeded"));
    return page;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

run_ending ending_of_row(const tenant_id& tenant, const ordered_json& row) {
  return ending_of(row, tenant, "saga_steps_completed");
}

} // namespace levain::load
