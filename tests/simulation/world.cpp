#include "tests/simulation/world.hpp"

#include <algorithm>
#include <caf/send.hpp>

namespace levain::simulation {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// So many calls of ports can be slow inside of each other; further ones answer at once.
constexpr size_t depth_max = 4;
/// More messages than any plan needs: whoever sends them sends them for ever.
constexpr uint64_t messages_max = 1'000'000;
/// A node that is told to stop is given so long before it is killed.
constexpr duration stop_patience = seconds(40);
/// With `schedule_kind::uneven`, the slowest actor among so many is passed over.
constexpr int uneven_tries = 3;
/// An operator asks again after so long, also when no answer came.
constexpr duration operator_pause = milliseconds(500);
constexpr duration operator_patience = seconds(4);

template <class Item>
bool is_of_worker(const Item& x) {
  if constexpr (requires { x.worker; })
    return x.worker != no_worker;
  else
    return false;
}

} // namespace

world::world(const plan& script, witness& audience)
  : under_(script, audience)
  , fates_(script)
  , services_(under_, fates_)
  , links_(under_)
  , worker_wire_(under_)
  , callers_(under_, [this](int node) { return living(node); })
  , tampering_(under_, [this](int start) { return callers_.run_of(start); })
  , nodes_(static_cast<size_t>(script.shape.nodes))
  , workers_(under_, {worker_wire_, fates_}) {
  under_.let_pass = [this](life& of, duration span) { let_pass(of, span); };
  under_.kill = [this](life& of) { kill(of); };
}

world::~world() = default;

void world::run() {
  callers_.begin();
  tampering_.begin();
  schedule_faults();
  for (int node = 0; node < under_.script.shape.nodes; ++node)
    boot(node);
  workers_.begin();
  const auto calm = end_of_faults();
  while (under_.now < calm)
    step(calm);
  clear_up();
  let_end();
  under_.audience.finish(under_.now, explain_unfinished());
}

// ---- what moves the world ---------------------------------------------------

void world::step(timestamp limit) {
  if (messages_ >= messages_max) {
    if (!std::exchange(restless_, true))
      under_.audience.saw_complaint(
        under_.now, place{}, "the world does not come to rest: " + std::to_string(messages_) + " messages");
    under_.now = std::max(under_.now, limit);
    return;
  }
  bury();
  runnable_jobs jobs;
  for_each_running([&](simulated_process& each) { each.add_runnable(jobs); });
  if (jobs.empty() && under_.script.shape.workers > 0)
    under_.audience.saw(at_rest{under_.now});
  if (jobs.empty() || (!faults_over_ && under_.luck.happens(under_.script.shape.lag)))
    pass_time(limit);
  else
    run_one(jobs);
}

template <class F>
void world::for_each_running(F&& f) const {
  for (const auto& each : nodes_)
    if (each.current && !each.current->state()->paused)
      f(*each.current);
  workers_.for_each_running(f);
}

size_t world::choose(const runnable_jobs& jobs) {
  switch (under_.script.shape.schedule) {
  case schedule_kind::any:
    break;
  case schedule_kind::in_order: {
    // Each node's oldest; which node is chance.
    const auto& any = under_.luck.pick(jobs);
    return static_cast<size_t>(
      std::find_if(jobs.begin(), jobs.end(), [&](const auto& each) { return each.first == any.first; }) - jobs.begin());
  }
  case schedule_kind::uneven: {
    const auto speed = [&](size_t index) {
      const auto& [of, job] = jobs[index];
      return seed_for(
        under_.script.shape.seed, "speed", of->actor_at(job) << 8 | static_cast<uint64_t>(of->state()->who.node));
    };
    size_t fastest = under_.luck.below(jobs.size());
    for (int i = 1; i < uneven_tries; ++i)
      if (const auto other = under_.luck.below(jobs.size()); speed(other) > speed(fastest))
        fastest = other;
    return fastest;
  }
  }
  return under_.luck.below(jobs.size());
}

void world::run_one(const runnable_jobs& jobs) {
  const auto [process, job] = jobs[choose(jobs)];
  // It may end its own process.
  const auto state = process->state();
  auto& of = *state;
  fingerprint_ = chance(fingerprint_ ^ process->actor_at(job) ^ static_cast<uint64_t>(of.who.node) << 32).draw() ^
                 static_cast<uint64_t>(under_.now.time_since_epoch().count());
  ++messages_;
  process->run(job);
  if (of.alive && of.dies_at == kill_point::message && (of.messages_left == 0 || --of.messages_left == 0)) {
    kill(of);
  }
}

void world::pass_time(timestamp limit) {
  auto next = limit;
  const auto consider = [&](std::optional<timestamp> when) {
    if (when && *when < next)
      next = std::max(*when, under_.now);
  };
  consider(under_.coming.next());
  consider(under_.faults.next_change(under_.now));
  for_each_running([&](const simulated_process& each) { consider(each.next_timer()); });
  // Now and then everybody is late, so that several things become due together.
  if (!faults_over_ && under_.luck.happens(60))
    next = std::min(limit, next + milliseconds(under_.luck.between(0, 60)));
  under_.now = std::max(under_.now, next);
  under_.coming.happen_until(under_.now);
  for_each_running([](simulated_process& each) { each.follow_time(); });
}

void world::let_pass(life& of, duration span) {
  if (depth_ >= depth_max)
    return;
  ++depth_;
  const auto until = under_.now + span;
  while (of.alive && !restless_ && (of.paused || under_.now < until))
    step(of.paused ? timestamp::max() : until);
  --depth_;
}

void world::bury() {
  std::erase_if(dead_, [](const auto& each) { return each->state()->in_ports == 0; });
}

// ---- what happens to nodes --------------------------------------------------

node_life* world::living(int node) const {
  if (node == any_node)
    node = 0;
  const auto& found = nodes_.at(static_cast<size_t>(node)).current;
  return found && found->state()->alive ? found.get() : nullptr;
}

void world::tell(const life& who, process_change change) {
  under_.audience.saw(process_changed{under_.now, who.who, change});
}

void world::boot(int node) {
  auto& here = nodes_.at(static_cast<size_t>(node));
  if (here.current)
    return;
  const place who{node, here.lives++};
  const auto age = under_.now - ground::world_begin;
  const bool lacks =
    is_without(under_.script, node, lack_kind::variable, age) || is_without(under_.script, node, lack_kind::gate, age);
  under_.audience.saw(process_changed{under_.now, who, process_change::booted, lacks});
  if (lacks)
    under_.seen.saw(sight::nodes_lacking);
  const auto& shape = under_.script.shape;
  under_.audience.saw(budgets_known{under_.now, who, shape.calls_bytes_max, shape.runs_bytes_max});
  if (who.life > 0)
    under_.seen.saw(sight::restarts);
  booted_at_ = under_.now;
  here.current = std::make_unique<node_life>(under_, node_surroundings{services_, links_, worker_wire_}, who);
  here.current->state()->lacks = lacks;
}

void world::kill(life& of) {
  if (!of.alive)
    return;
  if (of.who.is_worker())
    return workers_.kill(of);
  auto& here = nodes_.at(static_cast<size_t>(of.who.node));
  tell(of, process_change::killed);
  switch (of.dies_at) {
  case kill_point::never:
    break;
  case kill_point::message:
    under_.seen.saw(sight::kills_at_message);
    break;
  case kill_point::before_commit:
    under_.seen.saw(sight::kills_before_commit);
    break;
  case kill_point::after_commit:
    under_.seen.saw(sight::kills_after_commit);
    break;
  case kill_point::before_lease:
  case kill_point::after_lease:
    under_.seen.saw(sight::kills_at_lease);
    break;
  }
  of.die();
  services_.forget(of);
  links_.forget(of);
  worker_wire_.forget(of);
  dead_.push_back(std::move(here.current));
  come_back(of.who.node, of.down);
}

void world::come_back(int node, duration down) {
  under_.coming.at(under_.now + down, [this, node] {
    bury();
    boot(node);
  });
}

void world::arm_kill(const kill_item& x) {
  if (auto* node = living(x.node)) {
    auto& of = *node->state();
    of.dies_at = x.point;
    of.messages_left = x.messages;
    of.down = x.down;
  }
}

void world::pause(const pause_item& x) {
  auto* node = living(x.node);
  if (node == nullptr || node->state()->paused)
    return;
  node->state()->paused = true;
  node->state()->paused_at = under_.now;
  under_.seen.saw(sight::pauses);
  tell(*node->state(), process_change::paused);
  worker_wire_.look();
  under_.coming.at(under_.now + x.span, [this, node = x.node, life = node->state()] {
    if (life->alive && life->paused)
      go_on(node);
  });
}

void world::go_on(int node) {
  auto* found = living(node);
  if (found == nullptr || !found->state()->paused)
    return;
  if (under_.now - found->state()->paused_at > lease_options{}.lease_duration)
    under_.seen.saw(sight::pauses_beyond_lease);
  tell(*found->state(), process_change::resumed);
  found->follow_time();
  found->state()->go_on();
  worker_wire_.look();
}

void world::stop(const stop_item& x) {
  auto* node = living(x.node);
  if (node == nullptr || node->state()->stopping)
    return;
  const auto of = node->state();
  of->stopping = true;
  of->down = x.down;
  under_.seen.saw(sight::stops);
  const auto end = [this, of] {
    of->dies_at = kill_point::never;
    kill(*of);
  };
  // The process ends between two messages, not inside of one.
  if (x.hands_over)
    under_.seen.saw(sight::shards_handed_over);
  of->reach([this, node, of, end, hands_over = x.hands_over] {
    node->stop(hands_over, [this, end] { under_.coming.at(under_.now, end); });
  });
  under_.coming.at(under_.now + stop_patience, end);
}

void world::skew(const skew_item& x) {
  if (auto* node = living(x.node)) {
    node->state()->skew = x.offset;
    tell(*node->state(), process_change::clock_moved);
    under_.seen.saw(sight::clock_jumps);
  }
}

/// An operator asks any node, until one says that the database knows it; then goes on with `then`.
void world::drain(int node, bool draining, const std::function<void()>& then) {
  const auto again = [this, node, draining, then](duration after) {
    under_.coming.at(under_.now + after, [this, node, draining, then] { drain(node, draining, then); });
  };
  const auto* of = living(node);
  auto* through = living(static_cast<int>(under_.luck.below(nodes_.size())));
  if (of == nullptr || of->state()->node == uuid{} || through == nullptr || through->state()->paused) {
    again(operator_pause);
    return;
  }
  auto answered = std::make_shared<bool>(false);
  under_.coming.at(under_.now + operator_patience, [again, answered] {
    if (!std::exchange(*answered, true))
      again(duration(0));
  });
  through->drain(
    of->state()->node, draining,
    [this, draining, answered, again, then, at = through->state()](const std::variant<bool, std::string>& outcome) {
      if (!at->alive || std::exchange(*answered, true))
        return;
      const auto* known = std::get_if<bool>(&outcome);
      if (known == nullptr || !*known) {
        again(operator_pause);
        return;
      }
      under_.seen.saw(draining ? sight::drains : sight::drains_ended);
      then();
    });
}

void world::schedule_drain(const drain_item& x) {
  ++drains_open_;
  const auto over = [this] { --drains_open_; };
  under_.coming.at(under_.now + x.at, [this, x, over] {
    drain(x.node, true, [this, x, over] {
      if (x.span == duration(0))
        over();
      else
        under_.coming.at(under_.now + x.span, [this, x, over] { drain(x.node, false, over); });
    });
  });
}

void world::schedule_faults() {
  const auto at = [this](duration when, std::function<void()> what) {
    under_.coming.at(under_.now + when, std::move(what));
  };
  for (const auto& each : under_.script.items) {
    if (std::visit([](const auto& x) { return is_of_worker(x); }, each))
      continue; // These are the workers' own.
    if (const auto* x = std::get_if<kill_item>(&each))
      at(x->at, [this, x] { arm_kill(*x); });
    else if (const auto* x = std::get_if<pause_item>(&each))
      at(x->at, [this, x] { pause(*x); });
    else if (const auto* x = std::get_if<stop_item>(&each))
      at(x->at, [this, x] { stop(*x); });
    else if (const auto* x = std::get_if<skew_item>(&each))
      at(x->at, [this, x] { skew(*x); });
    else if (const auto* x = std::get_if<cut_item>(&each))
      at(x->at, [this] { under_.seen.saw(sight::cuts); });
    else if (const auto* x = std::get_if<drain_item>(&each))
      schedule_drain(*x);
    else if (const auto* x = std::get_if<hold_item>(&each))
      at(x->at, [this] { under_.seen.saw(sight::held_actors); });
  }
}

} // namespace levain::simulation
