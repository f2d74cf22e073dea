#include "tests/simulation/draw_damage.hpp"

#include <array>
#include <vector>

namespace levain::simulation {

namespace {

using std::chrono::milliseconds;

class damage_drawing {
public:
  damage_drawing(plan& drawn, chance luck)
    : drawn_(drawn)
    , luck_(luck) {
    for (const auto& each : drawn_.items)
      if (const auto* start = std::get_if<start_item>(&each))
        starts_.push_back(*start);
  }

  void draw() {
    if (luck_.happens(200))
      for (auto count = luck_.between(1, 3); count > 0; --count)
        draw_damage();
    if (luck_.happens(100))
      for (auto count = luck_.between(1, 2); count > 0; --count)
        draw_row();
  }

private:
  duration span(int64_t from, int64_t to) { return milliseconds(luck_.between(from, to)); }

  void draw_damage() {
    damage_item x;
    const auto& start = luck_.pick(starts_);
    x.at = start.at + span(0, 3'000);
    x.start = start.id;
    x.event = static_cast<uint32_t>(luck_.below(6));
    x.kind = luck_.pick(
      std::array{damage_kind::not_json, damage_kind::lacks_member, damage_kind::unknown_kind, damage_kind::missing});
    if (luck_.happens(600))
      x.span = luck_.happens(500) ? span(1, 5'000) : span(5'000, 60'000);
    drawn_.items.emplace_back(x);
    if (luck_.happens(700))
      draw_death_after(x.at);
  }
  void draw_row() {
    row_item x;
    const auto& start = luck_.pick(starts_);
    x.at = start.at + span(0, 3'000);
    x.start = start.id;
    x.change = luck_.happens(500) ? row_change::status : row_change::deleted;
    drawn_.items.emplace_back(x);
    if (luck_.happens(600))
      draw_death_after(x.at);
  }
  /// A live run needs its journal only when it is read back.
  void draw_death_after(duration at) {
    kill_item x;
    x.at = at + span(50, 1'500);
    x.node = static_cast<int>(luck_.below(static_cast<uint64_t>(drawn_.shape.nodes)));
    x.messages = static_cast<uint32_t>(luck_.between(0, 10));
    x.down = span(10, 4'000);
    drawn_.items.emplace_back(x);
  }

  plan& drawn_;
  chance luck_;
  std::vector<start_item> starts_;
};

} // namespace

void draw_damage(plan& drawn, chance luck) {
  damage_drawing(drawn, luck).draw();
}

} // namespace levain::simulation
