#include "tests/simulation/draw_edges.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace levain::simulation {

namespace {

using std::chrono::milliseconds;

class edge_drawing {
public:
  edge_drawing(plan& drawn, chance luck)
    : drawn_(drawn)
    , luck_(luck) {
    for (const auto& each : drawn_.items)
      if (const auto* start = std::get_if<start_item>(&each))
        starts_.push_back(*start);
      else if (const auto* wish = std::get_if<wish_item>(&each))
        last_wish_ = std::max(last_wish_, wish->id);
  }

  void draw() {
    some(300, 3, [&] { draw_wish(wish_kind::terminate, span(0, 6'000)); });
    some(300, 3, [&] { draw_resolution(); });
    some(200, 2, [&] { draw_lack(); });
    if (drawn_.shape.workers > 0)
      some(250, 2, [&] { draw_deadly_input(); });
    some(250, 4, [&] { draw_cut_answer(); });
    some(200, 3, [&] { draw_lost_commit(); });
    some(200, 2, [&] { draw_clock(); });
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
  int any_of_the_nodes() { return static_cast<int>(luck_.below(static_cast<uint64_t>(drawn_.shape.nodes))); }
  std::string any_step() { return std::string(1, static_cast<char>('a' + luck_.below(4))); }

  // ---- people ---------------------------------------------------------------

  void draw_wish(wish_kind kind, duration after) {
    wish_item x;
    const auto& start = luck_.pick(starts_);
    x.at = start.at + after;
    x.start = luck_.happens(30) ? no_start : start.id;
    add_wish(kind, x);
  }
  void add_wish(wish_kind kind, wish_item x) {
    x.id = ++last_wish_;
    x.kind = kind;
    x.node = luck_.happens(600) ? any_node : any_of_the_nodes();
    x.stranger = luck_.happens(60);
    x.tries = static_cast<uint32_t>(luck_.between(1, 4));
    x.poison = luck_.happens(50);
    drawn_.items.emplace_back(x);
  }
  /// Most runs have ended by then; some are resolved twice, some retried after it.
  void draw_resolution() {
    wish_item x;
    const auto& start = luck_.pick(starts_);
    x.start = start.id;
    x.at = start.at + span(1'000, 30'000);
    add_wish(wish_kind::resolve, x);
    if (luck_.happens(300)) {
      x.at += span(0, 3'000);
      add_wish(luck_.happens(500) ? wish_kind::retry : wish_kind::resolve, x);
    }
  }

  // ---- nodes ----------------------------------------------------------------

  void draw_lack() {
    lack_item x;
    x.node = any_of_the_nodes();
    x.what = drawn_.shape.workers > 0 && luck_.happens(400) ? lack_kind::gate : lack_kind::variable;
    x.until = span(1, drawn_.shape.calm / milliseconds(1) + 5'000);
    drawn_.items.emplace_back(x);
  }
  /// A clock is set forwards and back, or back and forwards, by up to hours.
  void draw_clock() {
    skew_item x;
    x.at = any_time();
    x.node = any_of_the_nodes();
    const auto size = luck_.happens(500) ? span(2'000, 60'000) : span(60'000, 10'000'000);
    x.offset = luck_.happens(500) ? size : -size;
    drawn_.items.emplace_back(x);
    x.at += span(50, 5'000);
    x.offset = luck_.happens(700) ? duration(0) : -x.offset;
    drawn_.items.emplace_back(x);
  }
  void draw_lost_commit() {
    drawn_.items.emplace_back(commit_item{any_time(), any_of_the_nodes(), commit_fault::taken_for_lost, 1});
  }

  // ---- calls ----------------------------------------------------------------

  fate_item fate_of(fate_kind kind) {
    fate_item x;
    x.input = luck_.pick(starts_).input;
    x.step = any_step();
    x.kind = kind;
    x.after = span(0, 600);
    return x;
  }
  /// Each worker that gets it dies, at every attempt.
  void draw_deadly_input() {
    auto x = fate_of(fate_kind::deadly);
    x.undo = luck_.happens(150);
    for (x.attempt = 1; x.attempt <= 4; ++x.attempt)
      drawn_.items.emplace_back(x);
  }
  void draw_cut_answer() {
    auto x = fate_of(fate_kind::cut);
    x.undo = luck_.happens(150);
    x.attempt = luck_.happens(700) ? 1 : 2;
    drawn_.items.emplace_back(x);
    // Nothing settles the doubt.
    if (luck_.happens(500)) {
      ++x.attempt;
      x.kind = luck_.happens(500) ? fate_kind::final : fate_kind::cut;
      drawn_.items.emplace_back(x);
    }
  }

  plan& drawn_;
  chance luck_;
  std::vector<start_item> starts_;
  int last_wish_ = -1;
};

} // namespace

void draw_edges(plan& drawn, chance luck) {
  edge_drawing(drawn, luck).draw();
}

} // namespace levain::simulation
