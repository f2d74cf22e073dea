#include "tests/support/insistent_callers.hpp"

#include <nlohmann/json.hpp>

#include "tests/support/http_client.hpp"

namespace levain::test {

using namespace std::chrono_literals;
using nlohmann::json;

namespace {

/// A daemon that stands still answers nothing; a caller does not wait for that.
constexpr auto answer_limit = 3s;

} // namespace

insistent_callers::insistent_callers(std::vector<std::string> tenants, std::string workflow, pace how)
  : workflow_(std::move(workflow))
  , pace_(how)
  , calling_(tenants.size()) {
  for (size_t i = 0; i < tenants.size(); ++i)
    threads_.emplace_back([this, i, tenant = tenants[i]](const std::stop_token& stop) { call(tenant, i, stop); });
}

insistent_callers::~insistent_callers() {
  for (auto& each : threads_)
    each.request_stop();
}

void insistent_callers::call(const std::string& tenant, size_t caller, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  for (size_t list = 0; !stop.stop_requested() && !finishing_; ++list) {
    std::vector<std::string> keys;
    for (size_t i = 0; i < pace_.list; ++i)
      keys.push_back(std::to_string(caller) + "-" + std::to_string(list) + "-" + std::to_string(i));
    while (!stop.stop_requested()) {
      changed_.wait(lock, stop, [this] { return !url_.empty() || finishing_; });
      if (stop.stop_requested() || url_.empty())
        break;
      const auto url = url_;
      lock.unlock();
      const bool acknowledged = ask_once(url, tenant, keys);
      lock.lock();
      (acknowledged ? taken_ : refused_) += 1;
      changed_.wait_for(lock, stop, acknowledged ? pace_.pause : pace_.retry_pause, [&] {
        return url != url_ || (acknowledged && finishing_);
      });
      if (acknowledged)
        break;
    }
  }
  --calling_;
  changed_.notify_all();
}

bool insistent_callers::ask_once(
  const std::string& url, const std::string& tenant, const std::vector<std::string>& keys) {
  auto list = json::array();
  for (const auto& key : keys)
    list.push_back({{"workflow", workflow_}, {"idempotency_key", key}});
  const auto answer =
    ask({.method = "POST", .url = url + "/v1/tenants/" + tenant + "/runs", .body = list.dump(), .limit = answer_limit});
  if (!answer || answer->status / 100 != 2)
    return false;
  const auto results = answer->json().at("results");
  const std::lock_guard lock(mutex_);
  size_t acknowledged = 0;
  for (size_t i = 0; i < results.size(); ++i)
    if (results[i].contains("id")) {
      ++acknowledged;
      note({tenant, keys.at(i)}, results[i].at("id"), results[i].at("repeated"));
    }
  return acknowledged == keys.size();
}

void insistent_callers::note(const start& asked, const std::string& run, bool repeated) {
  repeated_ += repeated ? 1 : 0;
  const auto [known, added] = acknowledged_.emplace(asked, run);
  if (!added && known->second != run)
    contradictions_.push_back(
      "the start " + asked.second + " of " + asked.first + " was acknowledged as " + known->second + " and as " + run);
}

void insistent_callers::turn_to(const std::string& url) {
  const std::lock_guard lock(mutex_);
  url_ = url;
  changed_.notify_all();
}

bool insistent_callers::finish(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  finishing_ = true;
  changed_.notify_all();
  return changed_.wait_for(lock, limit, [this] { return calling_ == 0; });
}

size_t insistent_callers::taken() const {
  const std::lock_guard lock(mutex_);
  return taken_;
}

size_t insistent_callers::refused() const {
  const std::lock_guard lock(mutex_);
  return refused_;
}

size_t insistent_callers::repeated() const {
  const std::lock_guard lock(mutex_);
  return repeated_;
}

std::map<insistent_callers::start, std::string> insistent_callers::acknowledged() const {
  const std::lock_guard lock(mutex_);
  return acknowledged_;
}

std::vector<std::string> insistent_callers::contradictions() const {
  const std::lock_guard lock(mutex_);
  return contradictions_;
}

} // namespace levain::test
