#include "apps/load/node_target.hpp"

#include <future>
#include <thread>

#include <fmt/format.h>

#include "actors/node_findings.hpp"
#include "actors/workflow/parse_definition.hpp"
#include "apps/client/exit_status.hpp"
#include "apps/load/process_cpu.hpp"

namespace levain::load {

namespace {

/// A node that has not taken its shards by then never will.
constexpr std::chrono::seconds ready_patience{60};
constexpr std::chrono::milliseconds ready_look_interval{20};

/// What comes by a receiver, waited for.
template <class Outcome, class Ask>
Outcome await(const char* what, Ask ask) {
  auto promise = std::make_shared<std::promise<Outcome>>();
  auto future = promise->get_future();
  ask([promise](Outcome outcome) { promise->set_value(std::move(outcome)); });
  if (future.wait_for(ready_patience) != std::future_status::ready)
    throw command_failed(exit_status::failed, fmt::format("the node did not answer in time: {}", what));
  return future.get();
}

node_status status_of(node& engine) {
  return await<node_status>("its status", [&](receiver<node_status> told) { engine.status(std::move(told)); });
}

start_setback setback_of(const start_refused& refused) {
  start_setback setback;
  setback.wait = refused.retry_after.value_or(std::chrono::seconds(1));
  using reason_type = start_refused::reason_type;
  switch (refused.reason) {
  case reason_type::busy:
    setback.reason = "busy";
    break;
  case reason_type::not_ready:
    // The node may have given up a start that was on its way to the database.
    setback.reason = "not_ready";
    setback.next = refused.retry_after ? start_setback::next_type::again : start_setback::next_type::unknown;
    break;
  case reason_type::key_conflict:
  case reason_type::rejected:
    setback.reason = refused.reason == reason_type::rejected ? "rejected" : "key_conflict";
    setback.next = start_setback::next_type::never;
    setback.refused = false;
    break;
  }
  return setback;
}

} // namespace

struct node_target::gate {
  template <class Use>
  void pass(Use use) {
    const std::shared_lock guard(mutex);
    if (listener != nullptr)
      use(*listener);
  }
  void set(load_listener* who) {
    const std::unique_lock guard(mutex);
    listener = who;
  }

  std::shared_mutex mutex;
  load_listener* listener = nullptr;
};

node_target::node_target(node_options options, const std::string& database_url)
  : gate_(std::make_shared<gate>())
  , engine_(std::move(options), postgres_ports(database_url)) {}

node_target::~node_target() {
  stop();
}

workflow_ptr node_target::register_definition(const std::string& text) {
  auto parsed = parse_definition(text);
  if (!parsed.workflow) {
    std::string all;
    for (const auto& each : parsed.errors)
      all += "\n  " + to_string(each);
    throw command_failed(exit_status::wrong_command_line, "the definition is not right:" + all);
  }
  const auto outcome = await<register_outcome>("registering the definition", [&](receiver<register_outcome> told) {
    engine_.put_workflow(parsed.workflow, std::move(told));
  });
  if (const auto* failure = std::get_if<std::string>(&outcome))
    throw command_failed(exit_status::service_missing, *failure);
  if (const auto* refused = std::get_if<definition_refused>(&outcome))
    throw command_failed(exit_status::failed, "the database refuses the definition: " + refused->reason);
  if (std::get<definition_store::put_result>(outcome) == definition_store::put_result::conflict)
    throw command_failed(
      exit_status::failed,
      fmt::format(
        "version {} of workflow '{}' is registered with another content: give the file another version",
        parsed.workflow->version, parsed.workflow->name));
  return parsed.workflow;
}

void node_target::wait_until_ready() {
  const auto until = std::chrono::steady_clock::now() + ready_patience;
  for (;;) {
    const auto status = status_of(engine_);
    const auto reasons = why_not_ready(status);
    if (reasons.empty() && status.runs.shards_recovering == 0)
      return;
    if (std::chrono::steady_clock::now() >= until)
      throw command_failed(
        exit_status::service_missing,
        fmt::format(
          "the node takes no starts: {}", reasons.empty() ? "it still recovers older runs" : reasons.front()));
    std::this_thread::sleep_for(ready_look_interval);
  }
}

void node_target::begin(const load_work& work, load_listener& listener) {
  work_ = work;
  wait_until_ready();
  workflow_ = register_definition(work.definition);
  gate_->set(&listener);
  engine_.on_ended(
    [gate = gate_](const run_ending& ending) { gate->pass([&](load_listener& who) { who.ended(ending, false); }); });
}

start_request node_target::request_for(const start_ask& ask) const {
  start_request request;
  request.tenant = work_.tenants[ask.tenant];
  request.workflow = workflow_;
  request.run_type = "test";
  request.priority = priority_names[ask.priority];
  request.input = work_.input;
  if (ask.keyed)
    request.idempotency_key = key_of(ask);
  return request;
}

void node_target::start(const std::vector<start_ask>& asks) {
  for (const auto& ask : asks)
    engine_.start(request_for(ask), [gate = gate_, ticket = ask.ticket](const start_outcome& outcome) {
      gate->pass([&](load_listener& who) {
        if (const auto* done = std::get_if<start_acknowledged>(&outcome))
          who.acknowledged(ticket, done->run, done->repeated);
        else
          who.set_back(ticket, setback_of(std::get<start_refused>(outcome)));
      });
    });
}

engine_figures node_target::figures() {
  const auto status = status_of(engine_);
  constexpr double micros_in_milli = 1000;
  return {
    status.batches, status.events, static_cast<double>(own_cpu().count()) / micros_in_milli,
    peak_rss_bytes_of(::getpid())};
}

void node_target::stop() {
  gate_->set(nullptr);
  engine_.stop();
}

} // namespace levain::load
