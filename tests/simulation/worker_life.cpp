#include "tests/simulation/worker_life.hpp"

#include <algorithm>

#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <nlohmann/json.hpp>

#include "actors/worker/worker_limits.hpp"

namespace levain::simulation {

namespace {

using nlohmann::json;
using std::chrono::milliseconds;

/// As `worker_options::stop_grace`.
constexpr duration stop_grace = std::chrono::seconds(10);
/// Between two looks of a function whether anybody waits for it still, and of a worker that ends whether it is through.
constexpr duration look_interval = milliseconds(100);
/// A function that beats does so within this part of what it is asked for.
constexpr int beats_per_heartbeat = 3;
/// A worker that died of its work is started again so soon.
constexpr duration down_after_death = milliseconds(300);
constexpr duration beat_interval_min = milliseconds(20);

struct connect_told {
  uint64_t asked = 0;
  std::variant<caf::actor, std::string> outcome;
};

/// Answers who asks to be connected when the wire knows; a gate that never answers is the asker's to give up.
struct connector_state {
  uint64_t asked = 0;
  std::map<uint64_t, caf::response_promise> open;
};

uuid id_of(const place& who) {
  uuid id;
  id.bytes[0] = 0xbb;
  id.bytes[14] = static_cast<uint8_t>(who.node - first_worker);
  id.bytes[15] = static_cast<uint8_t>(who.life + 1);
  return id;
}

} // namespace

} // namespace levain::simulation

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::simulation::connect_told)

namespace levain::simulation {

namespace {

using ask_wire = std::function<void(const std::string& host, worker_wire::connect_outcome)>;

caf::behavior connector(caf::stateful_actor<connector_state>* self, const ask_wire& ask) {
  return {
    [self, ask](const std::string& host) {
      auto promise = self->make_response_promise();
      const auto number = ++self->state.asked;
      self->state.open[number] = promise;
      ask(host, [number, to = self->address()](const std::variant<caf::actor, std::string>& outcome) {
        // By an address: the agenda of the world may outlive the process.
        if (const auto still = caf::actor_cast<caf::actor>(to))
          caf::anon_send(still, connect_told{number, outcome});
      });
      return promise;
    },
    [self](const connect_told& x) {
      auto found = self->state.open.extract(x.asked);
      if (found.empty())
        return;
      if (const auto* gate = std::get_if<caf::actor>(&x.outcome))
        found.mapped().deliver(*gate);
      else
        found.mapped().deliver(caf::make_error(caf::sec::cannot_connect_to_node, std::get<std::string>(x.outcome)));
    },
  };
}

} // namespace

worker_life::worker_life(
  ground& under, const worker_roads& roads, place who, const std::map<std::string, uint32_t>& offers)
  : simulated_process(under, who)
  , roads_(roads)
  , luck_(seed_for(
      under.script.shape.seed, "worker", static_cast<uint64_t>(who.node) << 32 | static_cast<uint32_t>(who.life))) {
  const auto number = who.node - first_worker;
  worker_link_options options;
  options.id = id_of(who);
  options.name = "worker-" + std::to_string(number);
  options.host = host_of(number);
  // One is enough to know; it has two names for it now and then.
  const auto known = static_cast<int>(luck_.below(static_cast<uint64_t>(under.script.shape.nodes)));
  options.nodes.push_back(*parse_wire_address(gate_address(known)));
  if (luck_.happens(200))
    options.nodes.push_back(*parse_wire_address("alias-" + std::to_string(known) + ":1"));
  options.wait = {.initial = milliseconds(100), .wait_max = milliseconds(5'000)};
  options.result_kept_max = std::chrono::minutes(10);
  options.offers = offers;
  options.inbox = inbox_;
  options.sight = sight_;
  options.around = surroundings();
  connector_ = system_.spawn(connector, [this](const std::string& host, worker_wire::connect_outcome outcome) {
    roads_.wire.connect(state_, host, std::move(outcome));
  });
  link_ = system_.spawn(worker_link, std::move(options));
  inbox_->open(link_);
  roads_.wire.join(state_, system_, link_);
  listen_to(link_.id());
  link_->attach_functor([this](const caf::error& reason) {
    if (state_->alive && !state_->stopping)
      under_.audience.saw_complaint(under_.now, state_->who, "what speaks for it died: " + caf::to_string(reason));
  });
}

worker_life::~worker_life() {
  state_->die();
  roads_.wire.forget(*state_);
  inbox_->post(go_asked{});
  caf::anon_send_exit(connector_, caf::exit_reason::kill);
  link_ = nullptr;
  connector_ = nullptr;
  run_out();
  inbox_->close();
}

worker_moment worker_life::moment() const {
  return worker_moment(std::chrono::hours(1)) + (under_.now - ground::world_begin);
}

worker_surroundings worker_life::surroundings() {
  return {
    .now = [this] { return moment(); },
    .random = [this] { return static_cast<double>(luck_.below(1'000)) / 1'000; },
    .connect = [this](
                 caf::event_based_actor* self, const wire_address& at, milliseconds time_max,
                 const std::function<void(caf::actor)>& connected,
                 const std::function<void(std::string)>& failed) { connect(self, at, time_max, connected, failed); },
    // The audience is told by the log; nothing that follows matters.
    .cut_off = [](const caf::strong_actor_ptr&) {},
    .begin =
      [this](work_number work, const call_given& call, const std::shared_ptr<step_at_work>& step) {
        begin(work, call, step);
      },
  };
}

void worker_life::connect(
  caf::event_based_actor* self, const wire_address& at, milliseconds time_max,
  const std::function<void(caf::actor)>& connected, const std::function<void(std::string)>& failed) {
  self->request(connector_, time_max, at.host)
    .then(
      [connected](const caf::actor& gate) { connected(gate); },
      [self, failed](const caf::error& why) { failed(self->system().render(why)); });
}

void worker_life::hears(const caf::mailbox_element& x) {
  roads_.wire.heard_at_worker(*state_, x);
  if (!x.content().match_elements<call_given>())
    return;
  const auto& given = x.content().get_as<call_given>(0);
  if (is_being_done(given.key))
    under_.seen.saw(sight::calls_joined);
  else if (const auto known = returned_.find(given.key); known != returned_.end() && known->second == given.attempt)
    asked_again_ = given.key;
}

void worker_life::has_run() {
  if (const auto key = std::exchange(asked_again_, {}); !key.empty() && !is_being_done(key))
    under_.seen.saw(sight::kept_results_taken);
  look();
}

bool worker_life::is_being_done(const std::string& key) const {
  return std::any_of(
    functions_.begin(), functions_.end(), [&](const auto& each) { return each.second->call.key == key; });
}

void worker_life::later(duration after, std::function<void()> what) {
  under_.coming.at(under_.now + after, [of = state_, what = std::move(what)] { of->reach(what); });
}

// ---- functions --------------------------------------------------------------

void worker_life::begin(work_number work, const call_given& call, const std::shared_ptr<step_at_work>& step) {
  if (!state_->alive)
    return;
  const auto x = std::make_shared<function>();
  x->number = ++under_.works_begun;
  x->work = work;
  x->call = call;
  x->step = step;
  x->input = step->input().value("n", -1);
  x->fate = roads_.fates.of(x->input, call.step, call.attempt, call.undo);
  x->begun = under_.now;
  functions_[work] = x;
  under_.seen.saw(sight::works_begun);
  under_.audience.saw(work_begun{under_.now, x->number, state_->who, call.kind, call.key, call.attempt});
  come_about(x);
  if (call.heartbeat > 0)
    beat(x);
  look_on(x);
}

void worker_life::come_about(const function_ptr& x) {
  const auto after = x->fate.after;
  const auto good = [&](bool misfit = false, std::string_view note = {}) {
    return worker_result(json::parse(good_output(x->number, x->call.step, x->input, under_.now, misfit, note)));
  };
  switch (x->fate.kind) {
  case fate_kind::deadly:
    return later(after, [this, x] { die_of(x); });
  case fate_kind::good:
  case fate_kind::twice:
  case fate_kind::cut:
    return end(x, after, good());
  case fate_kind::retryable:
    return end(x, after, worker_failure{.message = "the oven is cold"});
  case fate_kind::retry_after:
    return end(
      x, milliseconds(10),
      worker_failure{.message = "the oven is full", .retry_after = std::chrono::duration_cast<milliseconds>(after)});
  case fate_kind::final:
    return end(x, after, worker_failure{.message = "there is no oven", .retry = false});
  case fate_kind::hang:
    return;
  case fate_kind::late:
    x->fate.deaf = true;
    return end(x, milliseconds(x->call.time_left) + after, good());
  case fate_kind::not_json:
  case fate_kind::not_utf8:
    return end(x, after, json{{"a", "\xff\xfe"}});
  case fate_kind::too_deep: {
    json deep = json::array();
    for (size_t i = 0; i < depth_beyond; ++i)
      deep = json::array({std::move(deep)});
    return end(x, after, deep);
  }
  case fate_kind::has_nul:
    return end(x, after, json{{"a", std::string(1, '\0')}});
  case fate_kind::too_large:
    return end(x, after, json(std::string(size_beyond, 'x')));
  case fate_kind::misfit:
    return end(x, after, good(true));
  case fate_kind::poison:
    return end(x, after, good(false, poison_text));
  case fate_kind::poison_failure:
    return end(x, after, worker_failure{.message = std::string(poison_text)});
  case fate_kind::throws:
    later(after, [this, x] { end(x, failed_by_exception("the oven is broken")); });
  }
}

/// The process does not outlive what it does.
void worker_life::die_of(const function_ptr& x) {
  if (!functions_.contains(x->work))
    return;
  under_.seen.saw(sight::deaths_of_work);
  state_->dies_at = kill_point::never;
  state_->down = down_after_death;
  // Nothing of the process is left after this.
  const auto kill = under_.kill;
  kill(*life_ptr(state_));
}

void worker_life::end(const function_ptr& x, duration after, const worker_result& result) {
  later(after, [this, x, done = to_work_result(result)] { end(x, done); });
}

void worker_life::end(const function_ptr& x, const work_result& result) {
  if (!functions_.contains(x->work))
    return;
  functions_.erase(x->work);
  if (!x->cancelled)
    returned_[x->call.key] = x->call.attempt;
  under_.audience.saw(work_ended{under_.now, x->number, result.succeeded, result.text});
  inbox_->post(work_done{x->work, result});
}

void worker_life::beat(const function_ptr& x) {
  const bool silent = x->fate.beats > duration(0) && under_.now - x->begun >= x->fate.beats;
  if (silent || !functions_.contains(x->work))
    return;
  x->step->heartbeat("so far " + std::to_string((under_.now - x->begun) / milliseconds(1)));
  const auto next = std::max<duration>(milliseconds(x->call.heartbeat) / beats_per_heartbeat, beat_interval_min);
  later(next, [this, x] { beat(x); });
}

/// Functions that can see by now that nobody waits for them see it, and most of them end for it.
void worker_life::look() {
  for (const auto& each : functions_) {
    const auto& x = each.second;
    if (x->cancelled || !x->step->cancelled())
      continue;
    x->cancelled = true;
    under_.seen.saw(sight::works_cancelled);
    under_.audience.saw(work_cancelled{under_.now, x->number});
    if (!x->fate.deaf)
      later(milliseconds(luck_.between(0, 40)), [this, x] {
        end(x, to_work_result(worker_failure{.message = "it was cancelled"}));
      });
  }
}

void worker_life::look_on(const function_ptr& x) {
  later(look_interval, [this, x] {
    if (!functions_.contains(x->work) || x->cancelled)
      return;
    look();
    look_on(x);
  });
}

// ---- the end ----------------------------------------------------------------

void worker_life::wait_until_done(timestamp until, const std::function<void()>& then) {
  later(look_interval, [this, until, then] {
    if (under_.now >= until || sight_->ended || (sight_->leaving && sight_->being_done == 0))
      then();
    else
      wait_until_done(until, then);
  });
}

void worker_life::stop(std::function<void()> ended) {
  inbox_->post(leave_asked{});
  const auto go = [this, ended = std::move(ended)] {
    inbox_->post(go_asked{});
    later(milliseconds(1), ended);
  };
  wait_until_done(under_.now + stop_grace, [this, go] {
    if (sight_->ended || (sight_->leaving && sight_->being_done == 0))
      return go();
    inbox_->post(cancel_asked_of_all{});
    wait_until_done(under_.now + cancelled_grace, go);
  });
}

} // namespace levain::simulation
