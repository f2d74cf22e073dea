#include "apps/load/http_target.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/client/exit_status.hpp"
#include "apps/load/start_answers.hpp"

namespace levain::load {

namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr auto ready_patience = 60s;
constexpr auto ready_look_interval = 100ms;
/// A daemon that could not be asked is left alone for so long.
constexpr auto failure_pause = 1000ms;
/// For how long the daemon may hold an answer back while nothing ends; also how long stopping may take.
constexpr int poll_wait_seconds = 1;
/// Between two polls when there was little to tell, so that one request does not go out for each run.
constexpr auto poll_pause = 5ms;
constexpr size_t poll_few = 100;
constexpr size_t poll_limit = 10'000;
constexpr size_t rows_per_page = 1000;
/// The daemon's clock may be another.
constexpr auto clock_difference_max = 10min;

} // namespace

http_target::http_target(daemon_options_of_load options)
  : options_(std::move(options)) {}

http_target::~http_target() {
  stop();
}

std::string http_target::name() const {
  return fmt::format("{}", fmt::join(options_.urls, ", "));
}

// ---- beginning and ending ---------------------------------------------------

void http_target::wait_until_ready(const std::string& url) {
  api_client client({.url = url});
  const auto until = std::chrono::steady_clock::now() + ready_patience;
  for (;;) {
    const auto reply = client.exchange("GET", "/v1/status", {});
    const auto status = json::parse(reply.body, nullptr, false);
    if (!reply.granted() || !status.is_object() || !status.contains("recovery"))
      throw command_failed(
        exit_status::service_missing,
        fmt::format(
          "--daemon: no daemon answers at {} ({})", url,
          reply.http_status == 0 ? reply.failure : fmt::format("what is there answered {}", reply.http_status)));
    if (status.value("ready", false) && !status.at("recovery").value("going_on", false))
      return;
    if (std::chrono::steady_clock::now() >= until)
      throw command_failed(
        exit_status::service_missing, fmt::format("the daemon at {} takes no starts; see levain doctor", url));
    std::this_thread::sleep_for(ready_look_interval);
  }
}

void http_target::prepare(const load_work& work) {
  work_ = work;
  const auto definition = json::parse(work.definition, nullptr, false);
  if (!definition.is_object() || !definition.contains("workflow") || !definition.contains("version"))
    throw command_failed(exit_status::wrong_command_line, "the definition is no JSON object with workflow and version");
  for (const auto& priority : priority_names)
    heads_.push_back(fmt::format(
      R"({{"workflow":{},"version":{},"run_type":"test","priority":"{}","input":{})", definition["workflow"].dump(),
      definition["version"].dump(), priority, work.input));
  looked_up_from_ = to_rfc3339(now_utc() - clock_difference_max);
}

void http_target::begin(const load_work& work, load_listener& listener) {
  prepare(work);
  listener_ = &listener;
  for (const auto& url : options_.urls)
    wait_until_ready(url);
  api_client({.url = options_.urls.front()}).post("/v1/workflows", work.definition);
  for (const auto& url : options_.urls) {
    const auto newest = api_client({.url = url}).get("/v1/operator/endings", {{"after", "newest"}});
    threads_.emplace_back([this, url, cursor = newest.at("next").get<std::string>()] { follow_endings(url, cursor); });
    for (size_t i = 0; i < options_.connections; ++i)
      threads_.emplace_back([this, url] { send_lists(url); });
  }
}

void http_target::stop() {
  {
    const std::lock_guard guard(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (auto& each : threads_)
    each.join();
  threads_.clear();
}

bool http_target::pause(std::chrono::milliseconds span) {
  std::unique_lock guard(mutex_);
  return !changed_.wait_for(guard, span, [this] { return stopping_; });
}

// ---- starts -----------------------------------------------------------------

void http_target::start(const std::vector<start_ask>& asks) {
  {
    const std::lock_guard guard(mutex_);
    for (const auto& ask : asks) {
      auto& line = lines_[ask.tenant];
      if (line.empty())
        turns_.push_back(ask.tenant);
      line.push_back(ask);
    }
  }
  changed_.notify_all();
}

bool http_target::next_list(start_list& list) {
  std::unique_lock guard(mutex_);
  changed_.wait(guard, [this] { return stopping_ || !turns_.empty(); });
  if (stopping_)
    return false;
  // A path names one tenant, so a list does too. Whatever has gathered meanwhile goes together.
  const auto tenant = turns_.front();
  turns_.pop_front();
  auto& line = lines_[tenant];
  const auto count = std::min(line.size(), options_.list_max);
  list.assign(line.begin(), line.begin() + static_cast<ptrdiff_t>(count));
  line.erase(line.begin(), line.begin() + static_cast<ptrdiff_t>(count));
  if (!line.empty())
    turns_.push_back(tenant);
  return true;
}

std::string http_target::body_of(const start_list& list) const {
  std::string body = "[";
  for (const auto& ask : list) {
    body += body.size() > 1 ? ",\n" : "";
    body += heads_[ask.priority];
    if (ask.keyed)
      body += fmt::format(R"(,"idempotency_key":"{}")", key_of(ask));
    body += '}';
  }
  return body + "]";
}

void http_target::send_lists(const std::string& url) {
  api_client client({.url = url});
  for (start_list list; next_list(list);) {
    const auto path = fmt::format("/v1/tenants/{}/runs", to_string(work_.tenants[list.front().tenant]));
    const auto reply = client.exchange("POST", path, body_of(list));
    tell_answers(list, reply);
    // Another daemon may do what this one cannot.
    if (reply.http_status == 0 && !pause(failure_pause))
      return;
  }
}

void http_target::tell_answers(const start_list& list, const api_reply& reply) {
  const auto answers = read_start_answers(reply, list.size());
  for (size_t i = 0; i < list.size(); ++i) {
    if (const auto* done = std::get_if<start_granted>(&answers[i]))
      listener_->acknowledged(list[i].ticket, done->run, done->repeated);
    else
      listener_->set_back(list[i].ticket, std::get<start_setback>(answers[i]));
  }
}

// ---- ends -------------------------------------------------------------------

void http_target::follow_endings(const std::string& url, std::string cursor) {
  api_client client({.url = url});
  for (;;) {
    const auto path = fmt::format(
      "/v1/operator/endings?after={}&wait={}&limit={}", percent_encoded(cursor), poll_wait_seconds, poll_limit);
    const auto reply = client.exchange("GET", path, {});
    const auto page = read_endings(reply);
    if (!page) {
      listener_->went_wrong(
        reply.http_status == 0 ? fmt::format("asking for endings: {}", reply.failure)
                               : fmt::format("asking for endings: answered {}", reply.http_status));
      if (!pause(failure_pause))
        return;
      continue;
    }
    cursor = page->next;
    for (const auto& each : page->endings)
      listener_->ended(each, false);
    if (page->missed)
      look_up_with(client);
    if (!pause(page->endings.size() < poll_few ? poll_pause : 0ms))
      return;
  }
}

void http_target::look_up() {
  api_client client({.url = options_.urls.front()});
  look_up_with(client);
}

void http_target::look_up_with(api_client& client) {
  try {
    for (const auto& tenant : work_.tenants) {
      std::string cursor;
      do {
        query_parameters query{
          {"status", "completed,partial_success,failed,cancelled"},
          {"from", looked_up_from_},
          {"limit", std::to_string(rows_per_page)}};
        if (!cursor.empty())
          query.emplace_back("cursor", cursor);
        const auto page = client.get(fmt::format("/v1/tenants/{}/runs", to_string(tenant)), query);
        for (const auto& row : page.at("runs"))
          listener_->ended(ending_of_row(tenant, row), true);
        const auto& next = page.at("next_cursor");
        cursor = next.is_string() ? next.get<std::string>() : std::string();
      } while (!cursor.empty());
    }
  } catch (const std::exception& failure) {
    listener_->went_wrong(fmt::format("looking runs up: {}", failure.what()));
  }
}

// ---- figures ----------------------------------------------------------------

engine_figures http_target::figures() {
  engine_figures all;
  for (const auto& url : options_.urls) {
    const auto status = api_client({.url = url}).get("/v1/status");
    all.batches += status.at("journal").at("batches").get<uint64_t>();
    all.events += status.at("journal").at("events").get<uint64_t>();
    const auto& process = status.at("process");
    all.cpu_ms = all.cpu_ms.value_or(0) + process.at("cpu_ms").get<double>();
    all.peak_rss_bytes = all.peak_rss_bytes.value_or(0) + process.at("peak_rss_bytes").get<uint64_t>();
  }
  return all;
}

} // namespace levain::load
