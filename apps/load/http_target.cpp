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

} // namespace

http_target::http_target(daemon_options_of_load options)
  : options_(std::move(options))
  , endings_(options_.urls) {}

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
}

void http_target::begin(const load_work& work, load_listener& listener) {
  prepare(work);
  listener_ = &listener;
  for (const auto& url : options_.urls)
    wait_until_ready(url);
  api_client({.url = options_.urls.front()}).post("/v1/workflows", work.definition);
  endings_.begin(work, listener);
  for (const auto& url : options_.urls)
    for (size_t i = 0; i < options_.connections; ++i)
      threads_.emplace_back([this, url] { send_lists(url); });
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
  endings_.stop();
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

// ---- figures ----------------------------------------------------------------

engine_figures http_target::figures() {
  engine_figures all;
  all.cpu_ms = 0;
  all.peak_rss_bytes = 0;
  for (const auto& url : endings_.daemons()) {
    const auto reply = api_client({.url = url}).exchange("GET", "/v1/status", {});
    const auto status = json::parse(reply.body, nullptr, false);
    // One that is gone, or another one by now: what all of them did together nobody knows.
    const auto life =
      reply.granted() && status.is_object() ? status.at("started_at").get<std::string>() : std::string();
    if (const auto known = lives_.try_emplace(url, life).first; life.empty() || known->second != life)
      return {.batches = figures_.batches, .events = figures_.events, .cpu_ms = {}, .peak_rss_bytes = {}};
    all.batches += status.at("journal").at("batches").get<uint64_t>();
    all.events += status.at("journal").at("events").get<uint64_t>();
    const auto& process = status.at("process");
    *all.cpu_ms += process.at("cpu_ms").get<double>();
    *all.peak_rss_bytes += process.at("peak_rss_bytes").get<uint64_t>();
  }
  figures_ = all;
  return all;
}

} // namespace levain::load
