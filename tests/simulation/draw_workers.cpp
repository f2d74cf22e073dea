#include "tests/simulation/draw_workers.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace levain::simulation {

namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr std::array kinds{"k0", "k1", "k2"};
/// The least that a definition may ask for between two heartbeats, in milliseconds.
constexpr long long heartbeat_least = 100;

class worker_drawing {
public:
  worker_drawing(plan& drawn, chance luck)
    : drawn_(drawn)
    , luck_(luck) {}

  void draw() {
    auto& shape = drawn_.shape;
    if (!luck_.happens(shape.nodes > 1 ? 400 : 250))
      return;
    shape.workers = luck_.pick(std::array{1, 1, 2, 2, 2, 3, 4});
    draw_offers();
    draw_calls();
    draw_habits();
    some(500, 4, [&] { draw_kill(); });
    some(400, 3, [&] { draw_pause(); });
    some(300, 3, [&] { draw_stop(); });
    some(500, 4, [&] { draw_cut(); });
  }

private:
  template <class F>
  void some(uint64_t per_thousand, int64_t count_max, F&& draw_one) {
    if (!luck_.happens(per_thousand))
      return;
    for (auto count = luck_.between(1, count_max); count > 0; --count)
      draw_one();
  }
  duration span(int64_t from, int64_t to) { return milliseconds(luck_.between(from, to)); }
  duration any_time() { return milliseconds(luck_.between(0, luck_.between(1, drawn_.shape.calm / milliseconds(1)))); }
  int any_worker() { return static_cast<int>(luck_.below(static_cast<uint64_t>(drawn_.shape.workers))); }

  /// Most offer everything; some only a part, so that a kind may have nobody.
  void draw_offers() {
    for (int worker = 0; worker < drawn_.shape.workers; ++worker) {
      if (luck_.happens(300))
        continue;
      for (const auto* kind : kinds)
        if (luck_.happens(700))
          drawn_.items.emplace_back(offer_item{worker, kind, luck_.pick(std::array{1U, 1U, 2U, 5U})});
    }
  }

  // ---- workflows ------------------------------------------------------------

  void draw_calls() {
    const auto share = luck_.pick(std::array<uint64_t, 3>{300, 700, 1'000});
    for (auto& each : drawn_.items) {
      auto* flow = std::get_if<workflow_item>(&each);
      if (flow == nullptr)
        continue;
      auto body = json::parse(flow->body);
      for (auto& step : body["steps"]) {
        if (luck_.happens(share))
          give_to_workers(step);
        if (step.contains("compensate") && luck_.happens(share))
          give_to_workers(step["compensate"]);
      }
      flow->body = body.dump();
    }
  }

  /// `of` is a step or a compensation.
  void give_to_workers(json& of) {
    json call{{"kind", luck_.pick(kinds)}};
    auto timeout = std::stoll(of["timeout"].get<std::string>());
    // Long enough for another node to take the run over while it is being done.
    if (luck_.happens(350)) {
      timeout = luck_.between(6'000, 20'000);
      of["timeout"] = std::to_string(timeout) + "ms";
    }
    // A kind may have nobody for good.
    of["queue_timeout"] = std::to_string(luck_.between(100, 2 * timeout)) + "ms";
    if (luck_.happens(350))
      call["heartbeat"] = std::to_string(luck_.between(heartbeat_least, std::max(timeout / 2, heartbeat_least))) + "ms";
    if (of.contains("name")) {
      of["call"] = {{"worker", call}};
    } else {
      of.erase("http");
      of.erase("function");
      of["worker"] = call;
    }
  }

  // ---- what workers do ------------------------------------------------------

  void draw_habits() {
    std::vector<fate_item> slow;
    for (auto& each : drawn_.items) {
      if (auto* fate = std::get_if<fate_item>(&each)) {
        fate->deaf = luck_.happens(250);
        if (luck_.happens(300))
          fate->beats = span(1, 1'500);
      } else if (const auto* start = std::get_if<start_item>(&each); start != nullptr && luck_.happens(500)) {
        fate_item x;
        x.input = start->input;
        x.step = std::string(1, static_cast<char>('a' + luck_.below(4)));
        x.undo = luck_.happens(150);
        x.after = span(1'000, 15'000);
        x.deaf = luck_.happens(250);
        slow.push_back(x);
      }
    }
    // The plan's own come last: they count.
    drawn_.items.insert(drawn_.items.begin(), slow.begin(), slow.end());
  }

  // ---- what goes wrong ------------------------------------------------------

  void draw_kill() {
    kill_item x;
    x.at = any_time();
    x.worker = any_worker();
    x.messages = static_cast<uint32_t>(luck_.between(1, 12));
    x.down = luck_.happens(500) ? span(0, 500) : span(500, 10'000);
    drawn_.items.emplace_back(x);
  }
  void draw_pause() {
    pause_item x;
    x.at = any_time();
    x.span = luck_.happens(400) ? span(10, 2'000) : span(2'000, 15'000);
    x.worker = any_worker();
    drawn_.items.emplace_back(x);
  }
  void draw_stop() {
    stop_item x;
    x.at = any_time();
    x.down = span(0, 5'000);
    x.worker = any_worker();
    drawn_.items.emplace_back(x);
  }
  void draw_cut() {
    cut_item x;
    x.at = any_time();
    x.span = luck_.happens(400) ? span(10, 2'000) : span(2'000, 12'000);
    x.node = static_cast<int>(luck_.below(static_cast<uint64_t>(drawn_.shape.nodes)));
    x.other = x.node;
    x.kind = luck_.pick(std::array{cut_kind::closed, cut_kind::silent});
    x.worker = any_worker();
    drawn_.items.emplace_back(x);
  }

  plan& drawn_;
  chance luck_;
};

} // namespace

void draw_workers(plan& drawn, chance luck) {
  worker_drawing(drawn, luck).draw();
}

} // namespace levain::simulation
