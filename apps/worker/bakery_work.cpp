#include "apps/worker/bakery_work.hpp"

#include <mutex>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "apps/bakery/call_desk.hpp"
#include "apps/bakery/services.hpp"

namespace levain {

using nlohmann::json;
using std::chrono::milliseconds;

namespace {

/// Between two looks whether anybody still waits.
constexpr milliseconds look_interval{50};

struct service_place {
  std::string_view service;
  std::string_view folder;
  /// Where a result names the document that an undo takes back; empty where nothing can be undone.
  std::string_view document;
};

constexpr std::array<service_place, 5> places{{
  {"forecasting", "/forecasts", "forecast_id"},
  {"production", "/schedules", "schedule_id"},
  {"procurement", "/procurement", "plan_id"},
  {"notifications", "/notifications", ""},
  {"insights", "/insights", ""},
}};

const service_place& place_of(const std::string& service) {
  for (const auto& each : places)
    if (each.service == service)
      return each;
  throw std::invalid_argument("there is no service '" + service + "'");
}

worker_failure final_failure(std::string message) {
  return {.message = std::move(message), .retry = false};
}

/// As the engine takes an HTTP status.
worker_failure failure_of(int status, std::string message) {
  return {.message = std::move(message), .retry = status == 408 || status == 425 || status == 429 || status >= 500};
}

json body_of(const worker_step& step) {
  return {{"run", step.run_facts()}, {"input", step.input()}, {"results", step.results()}};
}

/// False when nobody waits any more before the time is over.
bool wait_for(milliseconds time, const worker_step& step) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) {
    if (step.cancelled())
      return false;
    std::this_thread::sleep_for(std::min(look_interval, time));
  }
  return true;
}

/// The document that the step had made, out of its own result.
std::optional<std::string> document_of(const service_place& place, const worker_step& step) {
  for (const auto& [name, result] : step.results().items())
    if (name == step.step() && result.is_object() && result.contains(place.document))
      if (const auto& id = result[std::string(place.document)]; id.is_string())
        return id.get<std::string>();
  return std::nullopt;
}

worker_result undo_without_state(const service_place& place, const worker_step& step) {
  if (place.document.empty())
    return final_failure(fmt::format("{} cannot be undone", place.service));
  return json{{"id", document_of(place, step).value_or("")}, {"undone", true}};
}

} // namespace

std::string bakery_kind(std::string_view service) {
  return "bakery." + std::string(service);
}

struct bakery_work::kept_state {
  explicit kept_state(const std::filesystem::path& folder)
    : options{.state_dir = folder}
    , state(folder, folder / "ledger.jsonl")
    , desk(options, state) {}

  const bakery_options options;
  std::mutex mutex;
  bakery::bakery_state state;
  bakery::call_desk desk;
};

bakery_work::bakery_work(const std::filesystem::path& state_dir, bakery::fault_plan faults)
  : faults_(std::move(faults)) {
  if (!state_dir.empty())
    kept_ = std::make_unique<kept_state>(state_dir);
}

bakery_work::~bakery_work() = default;

worker_result bakery_work::answer(const std::string& service, worker_step& step) {
  if (kept_)
    return answer_from_state(service, step);
  const auto& place = place_of(service);
  const auto tenant = uuid::parse(step.tenant());
  const auto* site = tenant ? bakery::embedded_sample().find_bakery(*tenant) : nullptr;
  if (!site)
    return final_failure("there is no bakery of tenant " + step.tenant());
  const auto fate =
    bakery::decide_fate(faults_, service, step.undo() ? "DELETE" : "POST", site->tenant, step.key(), step.attempt());
  if (!wait_for(fate.delay, step))
    return worker_failure{.message = "nobody waits for it any more"};
  if (fate.status != 0)
    return failure_of(fate.status, fmt::format("{} is told to fail by its faults", service));
  if (step.undo())
    return undo_without_state(place, step);
  try {
    return bakery::serve(bakery::embedded_sample(), {service, step.key(), site, body_of(step)}).body;
  } catch (const bakery::bad_input& wrong) {
    return final_failure(fmt::format("{}: {}", wrong.field, wrong.what()));
  }
}

worker_result bakery_work::answer_from_state(const std::string& service, worker_step& step) {
  const auto& place = place_of(service);
  http_request request{.method = step.undo() ? "DELETE" : "POST", .path = std::string(place.folder)};
  if (step.undo())
    request.path += '/' + document_of(place, step).value_or("none");
  request.headers = {
    {"idempotency-key", step.key()},
    {"levain-tenant", step.tenant()},
    {"levain-run", step.run()},
    {"levain-attempt", std::to_string(step.attempt())}};
  request.body = body_of(step).dump(-1, ' ', false, json::error_handler_t::replace);
  auto call = kept_->desk.receive(std::move(request), faults_, now_utc());
  if (!wait_for(call.fate.delay, step))
    return worker_failure{.message = "nobody waits for it any more"};
  http_response response;
  {
    std::lock_guard lock(kept_->mutex);
    response = kept_->desk.answer(call, now_utc());
    kept_->state.save();
  }
  auto body = json::parse(response.body);
  if (response.status == 200)
    return body;
  return failure_of(response.status, body.value("detail", "the bakery answered " + std::to_string(response.status)));
}

} // namespace levain
