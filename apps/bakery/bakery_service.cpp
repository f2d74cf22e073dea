#include "apps/bakery/bakery_service.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include <fmt/core.h>
#include <spdlog/spdlog.h>

#include "apps/bakery/call_desk.hpp"
#include "apps/bakery/sample_text.hpp"

namespace levain {

using json = nlohmann::json;
using bakery::desk_call;
using moment = std::chrono::steady_clock::time_point;
using answer_to = std::function<void(http_response)>;

namespace {

std::filesystem::path ledger_path(const bakery_options& options) {
  return options.ledger_file.empty() ? options.state_dir / "ledger.jsonl" : options.ledger_file;
}

http_response ok(const json& body) {
  http_response response;
  // The ledger repeats what strangers sent, which need not be UTF-8.
  response.body = body.dump(-1, ' ', false, json::error_handler_t::replace);
  return response;
}

std::string query(const http_request& request, std::string_view name) {
  for (const auto& [key, value] : request.query)
    if (key == name)
      return value;
  return {};
}

http_response closing() {
  return make_problem(503, "Service Unavailable", "the bakery is closing");
}

} // namespace

struct bakery_service::impl {
  struct waiting_call {
    desk_call call;
    answer_to respond;
  };

  explicit impl(bakery_options given)
    : options(std::move(given))
    , state(options.state_dir, ledger_path(options))
    , desk(options, state)
    , faults(options.faults) {}

  void begin();
  void receive(http_request request, answer_to respond);
  http_response read(const http_request& request);
  http_response change_faults(const http_request& request);
  void work_until_stopped();
  void answer_all(std::deque<waiting_call> calls);
  std::deque<waiting_call> take_due();

  const bakery_options options;
  /// Guards everything below but the threads.
  mutable std::mutex mutex;
  std::condition_variable wake;
  bakery::bakery_state state;
  bakery::call_desk desk;
  bakery::fault_plan faults;
  std::multimap<moment, waiting_call> waiting;
  bool stopping = false;
  /// Why nothing can be kept any more; empty while all is well.
  std::string broken;

  std::unique_ptr<http_server> server;
  std::thread worker;
};

void bakery_service::impl::begin() {
  http_server_options served;
  served.host = options.host;
  served.port = options.port;
  served.body_bytes_max = options.body_bytes_max;
  // Its callers are daemons, which know it by whatever name it has in their network.
  served.any_host = true;
  // A delay that a fault asks for is the caller's to cut short, not the server's.
  served.response_timeout_max = bakery::fault_delay_max + std::chrono::minutes(1);
  server = std::make_unique<http_server>(
    served, [this](http_request request, answer_to respond) { receive(std::move(request), std::move(respond)); });
  worker = std::thread([this] { work_until_stopped(); });
}

void bakery_service::impl::receive(http_request request, answer_to respond) {
  if (!bakery::call_desk::is_call(request)) {
    respond(request.path == "/faults" && request.method == "PUT" ? change_faults(request) : read(request));
    return;
  }
  std::unique_lock lock(mutex);
  if (stopping || waiting.size() >= options.calls_waiting_max) {
    auto full = stopping ? closing()
                         : make_problem(
                             503, "Service Unavailable",
                             fmt::format("{} calls are waiting, the most there may be", options.calls_waiting_max));
    full.headers["Retry-After"] = "1";
    lock.unlock();
    respond(std::move(full));
    return;
  }
  auto call = desk.receive(std::move(request), faults, now_utc());
  auto due = std::chrono::steady_clock::now() + call.fate.delay;
  waiting.emplace(due, waiting_call{std::move(call), std::move(respond)});
  wake.notify_one();
}

http_response bakery_service::impl::read(const http_request& request) {
  if (request.method != "GET" && request.method != "HEAD")
    return make_problem(
      404, "Not Found", fmt::format("there is nothing to {} at {}", request.method, request.path), "path");
  std::unique_lock lock(mutex);
  if (request.path == "/ledger") {
    auto run = query(request, "run");
    auto entries = json::array();
    for (const auto& each : state.ledger())
      if (run.empty() || each.run == run)
        entries.push_back(to_json(each));
    lock.unlock();
    return ok(entries);
  }
  if (request.path == "/faults")
    return ok(to_json(faults));
  if (request.path == "/health")
    return broken.empty() ? ok({{"status", "ok"}, {"calls_waiting", waiting.size()}})
                          : make_problem(503, "Service Unavailable", broken);
  if (request.path == "/bakeries") {
    auto list = json::array();
    for (const auto& each : bakery::embedded_sample().bakeries)
      list.push_back({{"tenant", to_string(each.tenant)}, {"name", each.name}, {"ovens", each.ovens.size()}});
    return ok({{"bakeries", list}, {"target_day", sample_target_day()}});
  }
  return desk.read_document(request);
}

http_response bakery_service::impl::change_faults(const http_request& request) {
  auto body = json::parse(request.body, nullptr, false);
  if (body.is_discarded())
    return make_problem(400, "Bad Request", "body: must be JSON", "body");
  try {
    auto plan = bakery::parse_faults(bakery::json_place(body));
    std::lock_guard lock(mutex);
    faults = std::move(plan);
    return ok(to_json(faults));
  } catch (const bakery::bad_input& wrong) {
    return make_problem(
      wrong.status, "Unprocessable Content", fmt::format("{}: {}", wrong.field, wrong.what()), wrong.field);
  }
}

std::deque<bakery_service::impl::waiting_call> bakery_service::impl::take_due() {
  std::deque<waiting_call> due;
  auto end = waiting.upper_bound(std::chrono::steady_clock::now());
  for (auto each = waiting.begin(); each != end; each = waiting.erase(each))
    due.push_back(std::move(each->second));
  return due;
}

void bakery_service::impl::work_until_stopped() {
  std::unique_lock lock(mutex);
  while (!stopping) {
    if (waiting.empty())
      wake.wait(lock);
    else if (waiting.begin()->first > std::chrono::steady_clock::now())
      wake.wait_until(lock, moment(waiting.begin()->first));
    auto due = take_due();
    if (due.empty())
      continue;
    lock.unlock();
    answer_all(std::move(due));
    lock.lock();
  }
  auto left = std::move(waiting);
  waiting.clear();
  lock.unlock();
  for (auto& [due, each] : left)
    each.respond(closing());
}

void bakery_service::impl::answer_all(std::deque<waiting_call> calls) {
  std::vector<http_response> responses;
  responses.reserve(calls.size());
  for (auto& each : calls) {
    // Taken anew for each call, so that readers do not wait for all of them.
    std::lock_guard lock(mutex);
    try {
      responses.push_back(
        broken.empty() ? desk.answer(each.call, now_utc()) : make_problem(503, "Service Unavailable", broken));
    } catch (const std::exception& wrong) {
      responses.push_back(make_problem(500, "Internal Server Error", wrong.what()));
    }
  }
  try {
    // Only this thread writes to the files, so readers need not wait for the disk.
    if (broken.empty())
      state.save();
  } catch (const std::exception& wrong) {
    // Memory is ahead of the disk now: only a restart, which reads the disk, may answer again.
    std::lock_guard lock(mutex);
    broken = fmt::format("the bakery's state cannot be kept: {}", wrong.what());
    spdlog::error("state-lost {}", broken);
    for (auto& each : responses)
      each = make_problem(503, "Service Unavailable", broken);
  }
  for (size_t i = 0; i < calls.size(); ++i)
    calls[i].respond(std::move(responses[i]));
}

bakery_service::bakery_service(bakery_options options)
  : impl_(std::make_unique<impl>(std::move(options))) {
  impl_->begin();
}

bakery_service::~bakery_service() {
  stop();
}

std::string bakery_service::url() const {
  return fmt::format("http://{}:{}", impl_->options.host, impl_->server->port());
}

void bakery_service::set_faults(bakery::fault_plan plan) {
  std::lock_guard lock(impl_->mutex);
  impl_->faults = std::move(plan);
}

std::vector<bakery_call> bakery_service::ledger() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->state.ledger();
}

void bakery_service::stop() {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
    impl_->wake.notify_all();
  }
  if (impl_->worker.joinable())
    impl_->worker.join();
  impl_->server->stop();
}

std::vector<sample_tenant> sample_tenants() {
  std::vector<sample_tenant> tenants;
  for (const auto& each : bakery::embedded_sample().bakeries)
    tenants.push_back({{each.tenant}, each.name});
  return tenants;
}

std::string sample_target_day() {
  return bakery::format_day(bakery::embedded_sample().last_day + std::chrono::days(1));
}

std::string_view daily_bakery_definition() {
  return bakery::daily_bakery_json();
}

std::map<std::string, std::string> bakery_variables(const std::string& url) {
  return {
    {"forecasting_url", url},  {"production_url", url}, {"procurement_url", url},
    {"notification_url", url}, {"insights_url", url},
  };
}

} // namespace levain
