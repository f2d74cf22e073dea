#include "tests/simulation/draw_plan.hpp"

#include <algorithm>
#include <array>

#include "tests/simulation/chance.hpp"
#include "tests/simulation/draw_damage.hpp"
#include "tests/simulation/draw_edges.hpp"
#include "tests/simulation/draw_workers.hpp"
#include "tests/simulation/draw_workflow.hpp"

namespace levain::simulation {

namespace {

using std::chrono::milliseconds;

constexpr int tenant_count = 3;

/// Draws one plan, a kind of trouble at a time.
class plan_drawing {
public:
  explicit plan_drawing(uint64_t seed)
    : luck_(seed_for(seed, "plan"))
    , cluster_luck_(seed_for(seed, "cluster")) {
    drawn_.shape.seed = seed;
  }

  plan draw() {
    draw_shape();
    draw_workflows();
    draw_starts();
    draw_wishes();
    draw_fates();
    some(400, 4, [&] { draw_commits(); });
    some(300, 3, [&] { draw_outage(); });
    some(350, 4, [&] { draw_slow(); });
    some(250, 3, [&] { draw_hold(); });
    some(500, 4, [&] { draw_kill(); });
    some(350, 3, [&] { draw_pause(); });
    some(250, 3, [&] { draw_stop(); });
    some(250, 2, [&] { draw_skew(); });
    if (drawn_.shape.nodes > 1)
      draw_cluster();
    draw_workers(drawn_, chance(seed_for(drawn_.shape.seed, "workers")));
    draw_edges(drawn_, chance(seed_for(drawn_.shape.seed, "edges")));
    draw_memory(chance(seed_for(drawn_.shape.seed, "memory")));
    draw_damage(drawn_, chance(seed_for(drawn_.shape.seed, "damage")));
    return std::move(drawn_);
  }

private:
  template <class T>
  void add(T item) {
    drawn_.items.emplace_back(std::move(item));
  }
  template <class F>
  void some(uint64_t per_thousand, int64_t count_max, F&& draw_one) {
    if (!luck_.happens(per_thousand))
      return;
    for (auto count = luck_.between(1, count_max); count > 0; --count)
      draw_one();
  }
  duration span(int64_t from, int64_t to) { return milliseconds(luck_.between(from, to)); }
  /// Within the time of trouble, sooner rather than later: most runs are short.
  duration any_time() { return milliseconds(luck_.between(0, luck_.between(1, drawn_.shape.calm / milliseconds(1)))); }
  int any_of_the_nodes() { return static_cast<int>(luck_.below(static_cast<uint64_t>(drawn_.shape.nodes))); }

  void draw_shape() {
    auto& shape = drawn_.shape;
    shape.nodes = luck_.pick(std::array{1, 1, 2, 2, 2, 3});
    shape.sole = shape.nodes == 1 && luck_.happens(500);
    shape.schedule =
      luck_.pick(std::array{schedule_kind::any, schedule_kind::any, schedule_kind::in_order, schedule_kind::uneven});
    shape.lag = luck_.pick(std::array{0U, 0U, 5U, 30U, 100U});
    shape.calm = span(8'000, 40'000);
    shape.writers = luck_.happens(250) ? 2 : 1;
    shape.running_max = luck_.pick(std::array<uint64_t, 4>{1, 3, 100'000, 100'000});
    shape.tenant_running_max = luck_.pick(std::array<uint64_t, 4>{1, 2, 50'000, 50'000});
    shape.waiting_max = luck_.pick(std::array<uint64_t, 3>{2, 100'000, 100'000});
    shape.unsettled_max = luck_.pick(std::array<uint64_t, 3>{1, 20'000, 20'000});
    shape.batch_runs_max = luck_.pick(std::array<uint64_t, 4>{1, 2, 500, 500});
    shape.page_runs_max = luck_.pick(std::array<uint64_t, 4>{1, 2, 500, 500});
    shape.shards_at_a_time = luck_.pick(std::array<uint64_t, 3>{4, 16, 64});
    shape.numbers_block = luck_.pick(std::array<uint64_t, 3>{1, 4, 10'000});
    shape.projection = milliseconds(luck_.pick(std::array{0, 250, 250, 2000}));
  }

  /// Little memory: a call's body has some 400 bytes, an input has 7.
  void draw_memory(chance luck) {
    // The auditor measures a queue_timeout from the call, and a wait for memory comes before that.
    const bool waits_end = std::any_of(drawn_.items.begin(), drawn_.items.end(), [](const plan_item& each) {
      const auto* workflow = std::get_if<workflow_item>(&each);
      return workflow != nullptr && workflow->body.find("queue_timeout") != std::string::npos;
    });
    if (luck.happens(250) && !waits_end)
      drawn_.shape.calls_bytes_max = luck.pick(std::array<uint64_t, 3>{1, 700, 3'000});
    if (luck.happens(150))
      drawn_.shape.runs_bytes_max = luck.pick(std::array<uint64_t, 3>{1, 16, 200});
  }

  void draw_workflows() {
    const auto count = luck_.between(1, 3);
    for (int64_t i = 0; i < count; ++i) {
      workflows_.push_back(draw_workflow(luck_, "w" + std::to_string(i), 1));
      add(workflow_item{duration(0), any_of_the_nodes(), workflows_.back().body});
    }
    if (!luck_.happens(400))
      return;
    // A new version in mid-flight; it has other steps behind the same names.
    auto newer = draw_workflow(luck_, luck_.pick(workflows_).name, 2);
    add(workflow_item{any_time(), any_of_the_nodes(), newer.body});
    workflows_.push_back(std::move(newer));
  }

  void draw_starts() {
    const auto count = luck_.between(1, luck_.happens(300) ? 12 : 5);
    for (int id = 0; id < count; ++id) {
      start_item x;
      x.id = id;
      x.at = luck_.happens(500) ? span(0, 500) : any_time();
      x.node = any_of_the_nodes();
      x.tenant = static_cast<int>(luck_.below(tenant_count));
      const auto& flow = luck_.pick(workflows_);
      x.workflow = flow.name;
      x.version = luck_.happens(500) ? 0 : flow.version;
      x.priority = luck_.pick(std::array{"normal", "high", "critical"});
      x.input = id;
      x.tries = static_cast<uint32_t>(luck_.between(1, 8));
      x.poison = luck_.happens(30);
      if (luck_.happens(500))
        x.key = "k" + std::to_string(id);
      starts_.push_back(x);
      add(x);
    }
    some(500, 4, [&] { draw_twin(); });
  }

  /// The same key again: at the same moment or later, here or elsewhere, with the same content or another.
  void draw_twin() {
    auto twin = luck_.pick(starts_);
    if (twin.key.empty())
      return;
    twin.id = static_cast<int>(starts_.size());
    twin.node = any_of_the_nodes();
    if (luck_.happens(500))
      twin.at = any_time();
    twin.version = twin.version == 0 ? 1 : twin.version;
    if (luck_.happens(250))
      twin.input = twin.id;
    if (luck_.happens(150))
      twin.tenant = (twin.tenant + 1) % tenant_count;
    starts_.push_back(twin);
    add(twin);
  }

  void draw_wishes() {
    if (!luck_.happens(700))
      return;
    const auto count = luck_.between(1, 10);
    for (int id = 0; id < count; ++id) {
      wish_item x;
      x.id = id;
      const auto& start = luck_.pick(starts_);
      x.at = luck_.happens(700) ? start.at + span(0, 4'000) : any_time();
      x.kind = static_cast<wish_kind>(luck_.below(4));
      x.start = luck_.happens(50) ? no_start : start.id;
      x.node = luck_.happens(750) ? any_node : any_of_the_nodes();
      x.stranger = luck_.happens(100);
      x.tries = static_cast<uint32_t>(luck_.between(1, 4));
      x.poison = luck_.happens(50);
      add(x);
    }
  }

  void draw_fates() {
    const auto share = luck_.pick(std::array<uint64_t, 5>{0, 50, 150, 300, 600});
    for (const auto& start : starts_) {
      if (start.input != start.id)
        continue; // A twin has the fates of its elder.
      const auto flow = std::find_if(
        workflows_.begin(), workflows_.end(), [&](const drawn_workflow& each) { return each.name == start.workflow; });
      for (const auto& step : flow->steps)
        for (uint32_t attempt = 1; attempt <= 4; ++attempt)
          for (const bool undo : {false, true})
            if (luck_.happens(share))
              draw_fate(start.input, step, attempt, undo);
    }
  }

  void draw_fate(int input, const std::string& step, uint32_t attempt, bool undo) {
    using enum fate_kind;
    static constexpr std::array frequent{retryable, retryable, retryable, retry_after, final, final,
                                         hang,      late,      late,      twice,       good,  good};
    static constexpr std::array odd{not_json, too_deep, has_nul,        not_utf8, misfit,
                                    poison,   poison,   poison_failure, throws};
    fate_item x{input, step, attempt, undo, luck_.happens(750) ? luck_.pick(frequent) : luck_.pick(odd), {}};
    if (luck_.happens(4))
      x.kind = too_large;
    switch (x.kind) {
    case retry_after:
      x.after = span(1, 8'000);
      break;
    case late:
      x.after = span(0, 6'000);
      break;
    default:
      x.after = luck_.happens(300) ? span(0, 3'900) : span(0, 300);
    }
    add(x);
  }

  void draw_commits() {
    add(commit_item{
      any_time(), any_of_the_nodes(), static_cast<commit_fault>(luck_.below(4)),
      static_cast<uint32_t>(luck_.between(1, luck_.happens(200) ? 8 : 2))});
  }
  void draw_outage() {
    const auto at = any_time();
    const auto kind = static_cast<outage_kind>(luck_.below(5));
    const auto node = luck_.happens(500) ? any_node : any_of_the_nodes();
    // Minutes rarely: they keep everything else waiting.
    add(outage_item{at, luck_.happens(150) ? span(60'000, 180'000) : span(50, 12'000), node, kind});
  }
  void draw_slow() {
    const auto kind = luck_.pick(
      std::array{connection_kind::writer, connection_kind::writer, connection_kind::recovery, connection_kind::leases});
    add(slow_item{any_time(), span(200, 8'000), any_of_the_nodes(), kind, span(1, luck_.happens(200) ? 4'000 : 400)});
  }
  void draw_hold() {
    add(hold_item{
      any_time(), span(10, luck_.happens(300) ? 8'000 : 1'000), any_of_the_nodes(),
      static_cast<held_actor>(luck_.below(6))});
  }
  void draw_kill() {
    kill_item x;
    x.at = any_time();
    x.node = any_of_the_nodes();
    x.point = luck_.happens(600) ? kill_point::message : static_cast<kill_point>(luck_.between(2, 5));
    x.messages = static_cast<uint32_t>(luck_.between(1, luck_.happens(500) ? 12 : 120));
    x.down = luck_.happens(400) ? span(0, 500) : span(500, 12'000);
    add(x);
  }
  void draw_pause() {
    add(pause_item{any_time(), luck_.happens(500) ? span(10, 4'000) : span(4'000, 15'000), any_of_the_nodes()});
  }
  void draw_stop() { add(stop_item{any_time(), any_of_the_nodes(), span(0, 8'000)}); }
  void draw_skew() {
    const auto size = luck_.happens(500) ? span(1, 3'000) : span(3'000, 300'000);
    add(
      skew_item{luck_.happens(500) ? duration(0) : any_time(), any_of_the_nodes(), luck_.happens(500) ? size : -size});
  }

  // ---- nodes that speak to each other ----
  // By chances of their own: what they draw changes nothing of the rest.

  void draw_cluster() {
    std::swap(luck_, cluster_luck_);
    some(250, 2, [&] { draw_drain(); });
    for (auto& each : drawn_.items)
      if (auto* stop = std::get_if<stop_item>(&each))
        stop->hands_over = luck_.happens(600);
    some(300, 4, [&] { draw_question(); });
    drawn_.shape.routers = luck_.happens(900);
    if (drawn_.shape.routers)
      draw_routing();
    some(40, 1, [&] { draw_all_drain(); });
    std::swap(luck_, cluster_luck_);
  }
  void draw_routing() {
    auto& shape = drawn_.shape;
    shape.route_time_max = milliseconds(luck_.pick(std::array{500, 2'000, 5'000, 5'000}));
    shape.imbalance_max = luck_.pick(std::array<uint64_t, 4>{0, 1, 2, 1'000});
    shape.routed_max = luck_.pick(std::array<uint64_t, 4>{1, 20'000, 20'000, 20'000});
    // Whoever asks need not know who owns what.
    for (auto& each : drawn_.items)
      if (auto* wish = std::get_if<wish_item>(&each))
        if (luck_.happens(700))
          wish->node = any_of_the_nodes();
    some(400, 4, [&] { draw_cut(); });
    some(100, 1, [&] { draw_doubt(); });
    if (luck_.happens(100))
      add(hold_item{any_time(), span(10, 4'000), any_of_the_nodes(), held_actor::router});
  }
  void draw_drain() {
    add(drain_item{any_time(), luck_.happens(300) ? duration(0) : span(100, 20'000), any_of_the_nodes()});
  }
  /// All nodes drain, and so does one that dies and comes back, before its former life's shards are free.
  void draw_all_drain() {
    const auto at = any_time();
    for (int node = 0; node < drawn_.shape.nodes; ++node)
      add(drain_item{at, duration(0), node});
    const auto dies = any_of_the_nodes();
    const auto dead = at + span(1'000, 8'000);
    add(kill_item{dead, dies, kill_point::message, 1, span(0, 500)});
    add(drain_item{dead + span(1'000, 3'000), duration(0), dies});
  }
  void draw_question() {
    question_item x;
    const auto& start = luck_.pick(starts_);
    x.at = luck_.happens(700) ? start.at + span(0, 4'000) : any_time();
    x.start = luck_.happens(100) ? no_start : start.id;
    x.node = any_of_the_nodes();
    x.stranger = luck_.happens(200);
    add(x);
  }
  /// A node loses the answer to the commit of a start, cannot ask what became of it, and loses its lease meanwhile.
  void draw_doubt() {
    const auto& start = luck_.pick(starts_);
    add(commit_item{start.at, start.node, commit_fault::lost_after, 1});
    add(outage_item{start.at + milliseconds(1), span(9'000, 14'000), start.node, outage_kind::writes});
    add(outage_item{start.at + milliseconds(1), span(5'000, 8'000), start.node, outage_kind::leases});
  }
  void draw_cut() {
    const auto node = any_of_the_nodes();
    const auto other =
      (node + 1 + static_cast<int>(luck_.below(static_cast<uint64_t>(drawn_.shape.nodes) - 1))) % drawn_.shape.nodes;
    add(cut_item{
      any_time(), luck_.happens(500) ? span(10, 3'000) : span(3'000, 15'000), node, other,
      static_cast<cut_kind>(luck_.below(3))});
  }

  plan drawn_;
  chance luck_;
  chance cluster_luck_;
  std::vector<drawn_workflow> workflows_;
  std::vector<start_item> starts_;
};

} // namespace

plan draw_plan(uint64_t seed) {
  return plan_drawing(seed).draw();
}

} // namespace levain::simulation
