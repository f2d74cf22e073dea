#include "tests/simulation/worker_crowd.hpp"

#include <algorithm>

namespace levain::simulation {

namespace {

constexpr uint32_t at_once_default = 2;
/// A worker that is told to stop is given so long before it is killed.
constexpr duration stop_patience = std::chrono::seconds(20);

} // namespace

worker_crowd::worker_crowd(ground& under, const worker_roads& roads)
  : under_(under)
  , roads_(roads)
  , workers_(static_cast<size_t>(under.script.shape.workers)) {
  for (const auto& each : under_.script.items)
    if (const auto* x = std::get_if<offer_item>(&each))
      workers_.at(static_cast<size_t>(x->worker)).offers[x->work] = x->at_once;
  for (auto& each : workers_)
    if (each.offers.empty())
      each.offers = {{"k0", at_once_default}, {"k1", at_once_default}, {"k2", at_once_default}};
}

void worker_crowd::begin() {
  const auto at = [this](duration when, std::function<void()> what) {
    under_.coming.at(under_.now + when, std::move(what));
  };
  for (const auto& each : under_.script.items) {
    if (const auto* x = std::get_if<kill_item>(&each); x != nullptr && x->worker != no_worker)
      at(x->at, [this, x] { arm_kill(*x); });
    else if (const auto* x = std::get_if<pause_item>(&each); x != nullptr && x->worker != no_worker)
      at(x->at, [this, x] { pause(*x); });
    else if (const auto* x = std::get_if<stop_item>(&each); x != nullptr && x->worker != no_worker)
      at(x->at, [this, x] { stop(*x); });
    else if (const auto* x = std::get_if<cut_item>(&each); x != nullptr && x->worker != no_worker) {
      at(x->at, [this] { roads_.wire.look(); });
      at(x->at + x->span, [this] { roads_.wire.look(); });
    }
  }
  for (int worker = 0; worker < under_.script.shape.workers; ++worker)
    boot(worker);
}

worker_life* worker_crowd::living(int worker) const {
  const auto& found = workers_.at(static_cast<size_t>(worker)).current;
  return found && found->state()->alive ? found.get() : nullptr;
}

void worker_crowd::tell(const life& who, worker_change change) {
  under_.audience.saw(worker_changed{under_.now, who.who, change, {}});
}

void worker_crowd::boot(int worker) {
  auto& here = workers_.at(static_cast<size_t>(worker));
  if (here.current)
    return;
  const auto who = place_of_worker(worker, here.lives++);
  worker_changed booted{under_.now, who, worker_change::booted, {}};
  for (const auto& [kind, at_once] : here.offers)
    booted.offers.push_back({kind, at_once});
  under_.audience.saw(booted);
  here.current = std::make_unique<worker_life>(under_, roads_, who, here.offers);
}

void worker_crowd::kill(life& of) {
  if (!of.alive)
    return;
  tell(of, worker_change::killed);
  if (of.dies_at == kill_point::message)
    under_.seen.saw(sight::worker_kills);
  const auto worker = of.who.node - first_worker;
  const auto down = of.down;
  // Ends the process, and `of` with it.
  workers_.at(static_cast<size_t>(worker)).current.reset();
  come_back(worker, down);
}

void worker_crowd::come_back(int worker, duration down) {
  under_.coming.at(under_.now + down, [this, worker] { boot(worker); });
}

void worker_crowd::arm_kill(const kill_item& x) {
  if (auto* worker = living(x.worker)) {
    auto& of = *worker->state();
    of.dies_at = kill_point::message;
    of.messages_left = x.messages;
    of.down = x.down;
  }
}

void worker_crowd::pause(const pause_item& x) {
  auto* worker = living(x.worker);
  if (worker == nullptr || worker->state()->paused)
    return;
  worker->state()->paused = true;
  under_.seen.saw(sight::worker_pauses);
  tell(*worker->state(), worker_change::paused);
  roads_.wire.look();
  under_.coming.at(under_.now + x.span, [this, worker = x.worker, life = worker->state()] {
    if (life->alive && life->paused)
      go_on(worker);
  });
}

void worker_crowd::go_on(int worker) {
  auto* found = living(worker);
  if (found == nullptr || !found->state()->paused)
    return;
  tell(*found->state(), worker_change::resumed);
  found->follow_time();
  found->state()->go_on();
  roads_.wire.look();
}

void worker_crowd::stop(const stop_item& x) {
  auto* worker = living(x.worker);
  if (worker == nullptr || worker->state()->stopping)
    return;
  const auto of = worker->state();
  of->stopping = true;
  of->down = x.down;
  under_.seen.saw(sight::worker_stops);
  tell(*of, worker_change::leaves);
  const auto end = [this, of] {
    of->dies_at = kill_point::never;
    kill(*of);
  };
  // The process ends between two messages, not inside of one.
  of->reach([this, worker, end] { worker->stop([this, end] { under_.coming.at(under_.now, end); }); });
  under_.coming.at(under_.now + stop_patience, end);
}

void worker_crowd::calm_down() {
  for (int worker = 0; worker < under_.script.shape.workers; ++worker)
    if (auto* found = living(worker)) {
      found->state()->dies_at = kill_point::never;
      go_on(worker);
    }
  roads_.wire.calm_down();
  roads_.wire.look();
}

bool worker_crowd::all_live() const {
  return std::all_of(workers_.begin(), workers_.end(), [](const auto& each) { return each.current != nullptr; });
}

} // namespace levain::simulation
