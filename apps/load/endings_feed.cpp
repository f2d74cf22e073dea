#include "apps/load/endings_feed.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "apps/load/start_answers.hpp"

namespace levain::load {

namespace {

using nlohmann::json;
using namespace std::chrono_literals;

/// A daemon that could not be asked is left alone for so long.
constexpr auto failure_pause = 1000ms;
constexpr auto nodes_look_interval = 1000ms;
/// For another node to be reached: the named daemons do not wait for it.
constexpr auto node_connect_timeout = 2000ms;
/// For how long the daemon may hold an answer back while nothing ends; also how long stopping may take.
constexpr int poll_wait_seconds = 1;
/// Between two polls when there was little to tell, so that one request does not go out for each run.
constexpr auto poll_pause = 5ms;
constexpr size_t poll_few = 100;
constexpr size_t poll_limit = 10'000;
constexpr size_t rows_per_page = 1000;
/// The daemon's clock may be another.
constexpr auto clock_difference_max = 10min;

constexpr const char* newest = "/v1/operator/endings?after=newest";

/// What names the life of a daemon in its cursors.
std::string life_in(const std::string& cursor) {
  return cursor.substr(0, cursor.rfind('.'));
}

} // namespace

endings_feed::endings_feed(std::vector<std::string> named)
  : named_(std::move(named))
  , daemons_(named_) {}

endings_feed::~endings_feed() {
  stop();
}

void endings_feed::begin(const load_work& work, load_listener& listener) {
  tenants_ = work.tenants;
  listener_ = &listener;
  looked_up_from_ = to_rfc3339(now_utc() - clock_difference_max);
  for (const auto& url : named_) {
    auto cursor = api_client({.url = url}).get("/v1/operator/endings", {{"after", "newest"}}).at("next");
    follow({url, {}, cursor.get<std::string>()});
  }
  look_for_others(from_when::now);
  watcher_ = std::thread([this] { watch_nodes(); });
}

void endings_feed::stop() {
  {
    const std::lock_guard guard(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (watcher_.joinable())
    watcher_.join();
  for (auto& each : followers_)
    each.join();
  followers_.clear();
}

bool endings_feed::pause(std::chrono::milliseconds span) {
  std::unique_lock guard(mutex_);
  return !changed_.wait_for(guard, span, [this] { return stopping_; });
}

// ---- who is there -----------------------------------------------------------

void endings_feed::watch_nodes() {
  while (pause(nodes_look_interval))
    look_for_others(from_when::its_start);
}

std::optional<std::vector<endings_feed::node_told>> endings_feed::living_nodes() const {
  for (const auto& url : named_) {
    const auto reply = api_client({.url = url}).exchange("GET", "/v1/operator/nodes", {});
    if (!reply.granted())
      continue;
    try {
      std::vector<node_told> nodes;
      const auto told = json::parse(reply.body);
      for (const auto& each : told.at("nodes"))
        if (each.at("alive").get<bool>())
          nodes.push_back(
            {each.at("id").get<std::string>(), each.at("name").get<std::string>(),
             each.at("address").get<std::string>()});
      return nodes;
    } catch (const json::exception& unlike) {
      listener_->went_wrong(fmt::format("asking for nodes: {}", unlike.what()));
    }
  }
  return std::nullopt;
}

void endings_feed::look_for_others(from_when since) {
  const auto nodes = living_nodes();
  if (!nodes)
    return;
  std::vector<node_told> others;
  {
    const std::lock_guard guard(mutex_);
    living_.clear();
    for (const auto& each : *nodes) {
      living_.insert(each.id);
      if (!each.address.empty() && !followed_.contains(each.id))
        others.push_back(each);
    }
  }
  for (const auto& each : others)
    find(each, since);
}

void endings_feed::find(const node_told& node, from_when since) {
  api_reply reply;
  try {
    api_client client({.url = node.address, .connect_timeout = node_connect_timeout});
    reply = client.exchange("GET", newest, {});
  } catch (const std::exception& no_url) {
    reply.failure = no_url.what();
  }
  const auto page = read_endings(reply);
  if (!page) {
    if (unheard_.insert(node.id).second)
      spdlog::warn(
        "endings_unheard node={} name=\"{}\" address={} reason=\"{}\" hint=\"what ends there is looked up\"", node.id,
        node.name, node.address, reply.http_status == 0 ? reply.failure : std::to_string(reply.http_status));
    return;
  }
  {
    const std::lock_guard guard(mutex_);
    followed_.insert(node.id);
    // One that was named, perhaps by another address, or that came back under another id.
    if (lives_.contains(life_in(page->next)))
      return;
  }
  if (since == from_when::now)
    daemons_.push_back(node.address);
  follow({node.address, node.id, since == from_when::now ? page->next : life_in(page->next) + ".0"});
}

// ---- what ends --------------------------------------------------------------

void endings_feed::follow(source from) {
  {
    const std::lock_guard guard(mutex_);
    lives_.insert(life_in(from.cursor));
  }
  followers_.emplace_back([this, from = std::move(from)]() mutable { ask_for_endings(from); });
}

void endings_feed::ask_for_endings(source& from) {
  api_client client({.url = from.url});
  for (;;) {
    const auto path = fmt::format(
      "/v1/operator/endings?after={}&wait={}&limit={}", percent_encoded(from.cursor), poll_wait_seconds, poll_limit);
    const auto reply = client.exchange("GET", path, {});
    const auto page = read_endings(reply);
    if (!page) {
      if (!could_not_ask(from, reply) || !pause(failure_pause))
        return;
      continue;
    }
    from.cursor = page->next;
    for (const auto& each : page->endings)
      listener_->ended(each, false);
    if (page->missed)
      look_up();
    if (!pause(page->endings.size() < poll_few ? poll_pause : 0ms))
      return;
  }
}

bool endings_feed::could_not_ask(const source& from, const api_reply& reply) {
  if (from.node.empty()) {
    listener_->went_wrong(
      reply.http_status == 0 ? fmt::format("asking for endings: {}", reply.failure)
                             : fmt::format("asking for endings: answered {}", reply.http_status));
    return true;
  }
  // It may have left in order: then others tell of what it had. What it kept to itself is looked up.
  const std::lock_guard guard(mutex_);
  if (living_.contains(from.node))
    return true;
  lives_.erase(life_in(from.cursor));
  return false;
}

void endings_feed::look_up() {
  std::string why = "there is no daemon";
  for (const auto& url : named_)
    try {
      api_client client({.url = url});
      for (const auto& tenant : tenants_) {
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
      return;
    } catch (const std::exception& failure) {
      why = failure.what();
    }
  listener_->went_wrong(fmt::format("looking runs up: {}", why));
}

} // namespace levain::load
