#include "tests/simulation/worker_wire.hpp"

#include <algorithm>

#include <caf/actor_config.hpp>
#include <caf/actor_proxy.hpp>
#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>
#include <caf/make_actor.hpp>
#include <caf/node_id.hpp>
#include <caf/sec.hpp>
#include <caf/system_messages.hpp>

#include "actors/cluster/wire_pace.hpp"
#include "tests/simulation/wire_words.hpp"

namespace levain::simulation {

namespace {

using std::chrono::milliseconds;

constexpr caf::actor_id gate_id = 11;
constexpr caf::actor_id desk_id = 12;
/// A program's name in CAF's node ids has so many digits.
constexpr size_t host_digits = 40;

/// Another at every life, as a process has another number.
uint32_t number_of(const place& who) {
  return static_cast<uint32_t>(who.node) * 10'000U + static_cast<uint32_t>(who.life) + 1U;
}

} // namespace

std::string gate_address(int node) {
  return "node-" + std::to_string(node) + ":1";
}

std::string host_of(int number) {
  return "machine-" + std::to_string(number);
}

// ---- what either side sees of the other -------------------------------------

struct worker_wire::connection {
  uint64_t number = 0;
  life_ptr node;
  life_ptr worker;
  bool open = true;
  /// One of them has died, and what it had said is still heard.
  std::optional<bool> drains_to_node;
  /// The sides that have come to know each other, by their own account.
  bool up_at_node = false;
  bool up_at_worker = false;
  caf::strong_actor_ptr worker_at_node;
  caf::strong_actor_ptr gate_at_worker;
  caf::strong_actor_ptr desk_at_worker;
  worker_hello hello;
  std::optional<timestamp> silent_since;
  timestamp last_to_node{};
  timestamp last_to_worker{};
  /// What came while nothing came through.
  std::vector<carried> waiting;
};

struct worker_wire::carried {
  bool to_node = false;
  caf::message_id id;
  caf::message content;
};

struct worker_wire::node_end {
  life_ptr who;
  caf::actor_system* system = nullptr;
  caf::actor desk;
};

struct worker_wire::worker_end {
  life_ptr who;
  caf::actor_system* system = nullptr;
  caf::actor link;
};

/// Stands on one side for an actor of the other.
class worker_wire::proxy : public caf::actor_proxy {
public:
  proxy(caf::actor_config& config, worker_wire& all, const connection_ptr& on, bool to_node)
    : caf::actor_proxy(config)
    , all_(all)
    , on_(on)
    , to_node_(to_node) {}

  void enqueue(caf::mailbox_element_ptr what, caf::execution_unit* /*whoever*/) override {
    const auto on = on_.lock();
    if (on && on->open)
      return all_.say(on, to_node_, what->mid, what->move_content_to_message());
    // Said to nobody; whoever says it need not know yet.
    if (on && (to_node_ ? on->worker : on->node)->alive)
      all_.saw_word(*on, false, what->content());
    bounce(what, caf::make_error(caf::sec::request_receiver_down));
  }

  void kill_proxy(caf::execution_unit* context, caf::error reason) override { cleanup(std::move(reason), context); }

  connection_ptr on() const { return on_.lock(); }

  static connection_ptr connection_of(const caf::strong_actor_ptr& who) {
    const auto* found = who ? dynamic_cast<const proxy*>(who->get()) : nullptr;
    return found == nullptr ? nullptr : found->on();
  }

private:
  worker_wire& all_;
  std::weak_ptr<connection> on_;
  bool to_node_;
};

worker_wire::worker_wire(ground& under)
  : under_(under)
  , luck_(seed_for(under.script.shape.seed, "worker wire")) {}

worker_wire::~worker_wire() = default;

worker_wire::connection_ptr worker_wire::make_connection(const life_ptr& worker, const life_ptr& node) {
  auto on = std::make_shared<connection>();
  on->number = ++connections_made_;
  on->worker = worker;
  on->node = node;
  const auto stand_in = [&](caf::actor_id id, const caf::node_id& program, caf::actor_system* in, bool to_node) {
    caf::actor_config config;
    return caf::make_actor<proxy, caf::strong_actor_ptr>(id, program, in, config, *this, on, to_node);
  };
  // A program that connects again is who it was. The node's own stand-ins live nowhere else: whom the desk cuts off
  // stays connected, and the audience is told by the log.
  auto& at_node = nodes_.at(node->who);
  const auto home = at_node.system->node();
  on->worker_at_node = stand_in(number_of(worker->who), home, at_node.system, false);
  const auto elsewhere =
    caf::make_node_id(number_of(node->who), std::string(host_digits, 'a')).value_or(caf::node_id());
  on->gate_at_worker = stand_in(gate_id, elsewhere, workers_.at(worker->who).system, true);
  on->desk_at_worker = stand_in(desk_id, elsewhere, workers_.at(worker->who).system, true);
  connections_.push_back(on);
  return on;
}

// ---- who is there -----------------------------------------------------------

void worker_wire::open(const life_ptr& node, caf::actor_system& system, const caf::actor& desk) {
  nodes_[node->who] = {node, &system, desk};
}

void worker_wire::join(const life_ptr& worker, caf::actor_system& system, const caf::actor& link) {
  workers_[worker->who] = {worker, &system, link};
}

void worker_wire::close(const life& node) {
  if (nodes_.erase(node.who) == 0)
    return;
  const auto all = connections_;
  for (const auto& each : all)
    if (each->node.get() == &node && each->open)
      lose(each);
}

void worker_wire::forget(const life& of) {
  nodes_.erase(of.who);
  workers_.erase(of.who);
  for (const auto& each : connections_) {
    const bool is_node = each->node.get() == &of;
    if (!is_node && each->worker.get() != &of)
      continue;
    if (is_node) {
      each->worker_at_node = nullptr;
    } else {
      each->gate_at_worker = nullptr;
      each->desk_at_worker = nullptr;
    }
    if (!each->open)
      continue;
    each->open = false;
    // What it had said may be on its way still.
    if (luck_.happens(500))
      each->drains_to_node = !is_node;
    const auto last = is_node ? each->last_to_worker : each->last_to_node;
    const auto heard_at = each->drains_to_node ? std::max(last, under_.now) : under_.now;
    under_.coming.at(heard_at, [this, each, is_node] {
      each->drains_to_node.reset();
      hear_of_loss(each, !is_node);
    });
  }
  std::erase_if(connections_, [](const auto& each) { return !each->node->alive && !each->worker->alive; });
}

worker_wire::connection_ptr worker_wire::between(const life& worker, const life& node) const {
  const auto found = std::find_if(connections_.begin(), connections_.end(), [&](const auto& each) {
    return each->open && each->worker.get() == &worker && each->node.get() == &node;
  });
  return found == connections_.end() ? nullptr : *found;
}

void worker_wire::connect(const life_ptr& worker, const std::string& host, connect_outcome outcome) {
  if (!worker->alive)
    return;
  const auto tell = [this, worker, outcome](duration after, std::variant<caf::actor, std::string> what) {
    under_.coming.at(
      under_.now + after, [worker, outcome, what] { worker->reach([outcome, what] { outcome(what); }); });
  };
  const auto dash = host.rfind('-');
  const int number = dash == std::string::npos ? 0 : std::atoi(host.c_str() + dash + 1);
  const auto found = std::find_if(nodes_.begin(), nodes_.end(), [&](const auto& each) {
    return each.first.node == number && each.second.who->alive;
  });
  const auto cut = under_.faults.cut_to_worker(worker->who.node - first_worker, number, under_.now);
  if (found == nodes_.end() || cut == cut_kind::closed) {
    under_.seen.saw(sight::gates_missed);
    return tell(milliseconds(luck_.between(0, 5)), "connection refused");
  }
  // Nobody answers: whoever asks has a deadline.
  if (found->second.who->paused || cut)
    return;
  auto on = between(*worker, *found->second.who);
  if (!on)
    on = make_connection(worker, found->second.who);
  under_.coming.at(arrival(*on, false), [worker, outcome, on] {
    worker->reach([outcome, on] {
      if (on->gate_at_worker && on->open)
        outcome(caf::actor_cast<caf::actor>(on->gate_at_worker));
      else
        outcome("the connection was lost");
    });
  });
}

// ---- words ------------------------------------------------------------------

timestamp worker_wire::arrival(connection& on, bool to_node) {
  auto delay = milliseconds(luck_.between(0, 5));
  if (!calm_ && luck_.happens(60))
    delay = milliseconds(luck_.between(5, luck_.happens(200) ? 900 : 200));
  auto& last = to_node ? on.last_to_node : on.last_to_worker;
  last = std::max(last, under_.now + delay);
  return last;
}

void worker_wire::say(const connection_ptr& on, bool to_node, caf::message_id id, caf::message content) {
  const auto& from = to_node ? on->worker : on->node;
  if (!from->alive)
    return;
  if (!to_node && content.match_elements<worker_welcome>())
    tell_link(*on, true, true);
  saw_word(*on, false, content);
  const carried what{to_node, id, std::move(content)};
  under_.coming.at(arrival(*on, to_node), [this, on, what] { arrive(on, what); });
}

void worker_wire::arrive(const connection_ptr& on, const carried& what) {
  if (!on->open && on->drains_to_node != what.to_node) {
    under_.seen.saw(sight::words_lost);
    return;
  }
  const auto cut = under_.faults.cut_to_worker(on->worker->who.node - first_worker, on->node->who.node, under_.now);
  if (on->open && (cut || !on->waiting.empty()))
    on->waiting.push_back(what);
  else
    hand_over(on, what);
}

void worker_wire::hand_over(const connection_ptr& on, const carried& what) {
  const auto& to = what.to_node ? on->node : on->worker;
  to->reach([this, on, what] {
    if (what.to_node) {
      const auto at = nodes_.find(on->node->who);
      if (at != nodes_.end() && on->worker_at_node)
        at->second.desk->enqueue(caf::make_mailbox_element(on->worker_at_node, what.id, {}, what.content), nullptr);
    } else {
      const auto at = workers_.find(on->worker->who);
      if (at != workers_.end() && on->desk_at_worker)
        at->second.link->enqueue(caf::make_mailbox_element(on->desk_at_worker, what.id, {}, what.content), nullptr);
    }
  });
}

// ---- connections that are lost ----------------------------------------------

bool worker_wire::is_silent(const connection& on) const {
  return on.node->paused || on.worker->paused ||
         under_.faults.cut_to_worker(on.worker->who.node - first_worker, on.node->who.node, under_.now).has_value();
}

void worker_wire::look() {
  const auto all = connections_;
  for (const auto& each : all) {
    if (!each->open)
      continue;
    const auto cut =
      under_.faults.cut_to_worker(each->worker->who.node - first_worker, each->node->who.node, under_.now);
    if (cut == cut_kind::closed) {
      lose(each);
      continue;
    }
    if (!cut)
      for (const auto& what : std::exchange(each->waiting, {}))
        hand_over(each, what);
    if (!is_silent(*each)) {
      each->silent_since.reset();
    } else if (!each->silent_since) {
      each->silent_since = under_.now;
      under_.coming.at(under_.now + wire_pace{}.silence_max, [this, each, since = under_.now] {
        if (each->open && each->silent_since == since)
          lose(each);
      });
    }
  }
}

void worker_wire::lose(const connection_ptr& on) {
  under_.seen.saw(sight::worker_links_lost);
  on->open = false;
  on->waiting.clear();
  hear_of_loss(on, true);
  hear_of_loss(on, false);
}

void worker_wire::hear_of_loss(const connection_ptr& on, bool at_node) {
  const auto& who = at_node ? on->node : on->worker;
  who->reach([on, at_node] {
    const auto end = [](const caf::strong_actor_ptr& stands) {
      if (auto* found = stands ? dynamic_cast<proxy*>(stands->get()) : nullptr)
        found->kill_proxy(nullptr, caf::make_error(caf::exit_reason::remote_link_unreachable));
    };
    if (at_node) {
      end(on->worker_at_node);
    } else {
      end(on->gate_at_worker);
      end(on->desk_at_worker);
    }
  });
}

// ---- what is seen -----------------------------------------------------------

worker_wire::connection_ptr worker_wire::of_loss(const caf::mailbox_element& x) const {
  if (!x.content().match_elements<caf::down_msg>())
    return nullptr;
  return proxy::connection_of(caf::actor_cast<caf::strong_actor_ptr>(x.content().get_as<caf::down_msg>(0).source));
}

void worker_wire::tell_link(const connection& on, bool at_node, bool up) {
  link_changed x{under_.now, on.number, on.node->who, on.worker->who, at_node, up, {}, {}};
  if (at_node && up) {
    x.offers = known_from(on.hello.offers);
    x.held = known_from(on.hello.held);
  }
  under_.audience.saw(x);
}

void worker_wire::saw_word(const connection& on, bool heard, const caf::type_erased_tuple& content) {
  auto word = read_word(content);
  if (!word)
    return;
  word->at = under_.now;
  word->connection = on.number;
  word->heard = heard;
  count(*word);
  under_.audience.saw(*word);
}

void worker_wire::count(const word_passed& x) {
  switch (x.what) {
  case word_kind::given:
    if (!x.heard)
      under_.seen.saw(++given_[{x.key, x.attempt}] > 1 ? sight::calls_given_again : sight::calls_given);
    break;
  case word_kind::declined:
    if (!x.heard)
      under_.seen.saw(sight::calls_declined);
    break;
  case word_kind::dropped:
    if (x.heard)
      under_.seen.saw(sight::calls_dropped);
    break;
  case word_kind::cancelled:
    if (x.heard)
      under_.seen.saw(sight::cancels_told);
    break;
  case word_kind::beat:
    if (x.heard)
      under_.seen.saw(sight::beats_heard);
    break;
  case word_kind::held:
    if (x.heard)
      under_.seen.saw(sight::held_calls_told);
    break;
  default:
    break;
  }
}

void worker_wire::heard_at_node(const life& /*node*/, const caf::mailbox_element& x) {
  if (const auto lost = of_loss(x)) {
    if (std::exchange(lost->up_at_node, false))
      tell_link(*lost, true, false);
    return;
  }
  const auto on = proxy::connection_of(x.sender);
  if (!on)
    return;
  if (x.content().match_elements<worker_hello>()) {
    on->hello = x.content().get_as<worker_hello>(0);
    on->up_at_node = true;
  }
  saw_word(*on, true, x.content());
}

void worker_wire::heard_at_worker(const life& /*worker*/, const caf::mailbox_element& x) {
  if (const auto lost = of_loss(x)) {
    if (std::exchange(lost->up_at_worker, false))
      tell_link(*lost, false, false);
    return;
  }
  const auto on = proxy::connection_of(x.sender);
  if (!on)
    return;
  if (x.content().match_elements<worker_welcome>()) {
    on->up_at_worker = true;
    tell_link(*on, false, true);
  }
  saw_word(*on, true, x.content());
}

} // namespace levain::simulation
