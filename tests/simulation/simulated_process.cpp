#include "tests/simulation/simulated_process.hpp"

#include <algorithm>

#include <caf/abstract_actor.hpp>
#include <caf/atom.hpp>
#include <caf/scheduled_actor.hpp>

#include "actors/cluster/wire_messages.hpp"

namespace levain::simulation {

simulated_process::config::config() {
  set("scheduler.policy", caf::atom("testing"));
  add_message_types<caf::id_block::levain_wire>();
}

simulated_process::simulated_process(ground& under, place who)
  : under_(under)
  , state_(std::make_shared<life>(who))
  , system_(config_)
  , scheduler_(dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler()))
  , followed_(under.now) {}

void simulated_process::add_runnable(runnable_jobs& into) {
  for (size_t i = 0; i < scheduler_.jobs.size(); ++i)
    if (!is_held(actor_at(i)))
      into.emplace_back(this, i);
}

caf::actor_id simulated_process::actor_at(size_t job) const {
  const auto* actor = dynamic_cast<const caf::abstract_actor*>(scheduler_.jobs[job]);
  return actor == nullptr ? 0 : actor->id();
}

void simulated_process::run(size_t job) {
  auto& jobs = scheduler_.jobs;
  auto* next = jobs[job];
  const auto who = actor_at(job);
  jobs.erase(jobs.begin() + static_cast<std::ptrdiff_t>(job));
  jobs.push_front(next);
  auto* outer = std::exchange(under_.acting, state_.get());
  if (who != 0 && who == listened_to_)
    run_listening(*dynamic_cast<caf::scheduled_actor*>(next));
  else
    scheduler_.run_once();
  has_run();
  under_.acting = outer;
}

/// CAF passes over answers that nobody waits for any more (the deadlines of requests that were answered, and answers
/// after a deadline), and handles what comes behind them in the same turn. What is behind an answer that is waited for
/// is seen a turn too early.
void simulated_process::run_listening(caf::scheduled_actor& actor) {
  const caf::strong_actor_ptr keep(actor.ctrl());
  actor.peek_at_next_mailbox_element(); // Moves what has arrived to where it can be seen.
  bool reaches_further = true;
  actor.mailbox().queue().peek_all([&](const caf::mailbox_element& x) {
    if (!reaches_further)
      return;
    if (heard_.insert(&x).second)
      hears(x);
    reaches_further = x.mid.is_response();
  });
  scheduler_.run_once();
  std::set<const caf::mailbox_element*> left;
  if (!actor.mailbox().closed())
    actor.mailbox().queue().peek_all([&](const caf::mailbox_element& x) { left.insert(&x); });
  std::erase_if(heard_, [&](const caf::mailbox_element* x) { return !left.contains(x); });
}

void simulated_process::run_out() {
  while (scheduler_.try_run_once()) {
  }
  scheduler_.clock().cancel_all();
}

std::optional<timestamp> simulated_process::next_timer() const {
  const auto& coming = scheduler_.clock().schedule();
  if (coming.empty())
    return std::nullopt;
  const auto left = coming.begin()->first - scheduler_.clock().now();
  return followed_ + std::max(duration(0), std::chrono::ceil<duration>(left));
}

void simulated_process::follow_time() {
  // Also when no time passed: a timer may be due at once.
  scheduler_.advance_time(under_.now - followed_);
  followed_ = under_.now;
}

} // namespace levain::simulation
