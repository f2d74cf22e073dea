#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "actors/gateway/api_core.hpp"
#include "actors/gateway/api_start_request.hpp"
#include "actors/gateway/run_view.hpp"
#include "actors/run_machine/machine.hpp"
#include "persistence/log_quoted.hpp"

namespace levain {

namespace {

using nlohmann::ordered_json;

/// The row of the run, if it is this tenant's.
std::optional<audit_row> find_row(queries& database, const read_scope& scope, const run_reference& run) {
  if (const auto* id = std::get_if<run_id>(&run))
    return database.find_run(scope, *id);
  return database.find_run_by_number(scope, std::get<std::string>(run));
}

/// The row as far as it can be read, and why that is not all of it.
struct found_row {
  audit_row row;
  std::optional<unreadable_row> unreadable;
};

std::optional<found_row> find_row_or_part(queries& database, const read_scope& scope, const run_reference& run) {
  try {
    auto row = find_row(database, scope, run);
    return row ? std::optional(found_row{std::move(*row), std::nullopt}) : std::nullopt;
  } catch (const row_unreadable& part) {
    return found_row{part.row(), part.why()};
  }
}

/// A run that has only its row: adopted from an older system, made by hand, or with a journal that is damaged.
ordered_json view_of_row(const audit_row& row) {
  auto view = audit_row_json(row);
  view["activity"] = nullptr;
  view["progress"] = nullptr;
  view["steps"] = ordered_json::array();
  return view;
}

/// As lists say it, for a run that has not ended.
ordered_json activity_of(const run_state& state) {
  if (state.phase == run_phase::ended || !(state.cancelling || state.paused))
    return {};
  return to_string(state.cancelling ? run_activity::cancelling : run_activity::paused);
}

/// The row is shown as the journal's events make it, so that it agrees with the steps beside it even while the table is
/// a projection interval behind.
ordered_json view_of_state(const run_state& state) {
  auto view = audit_row_json(audit_of(state));
  view["activity"] = activity_of(state);
  view["progress"] = progress_json(state);
  view["steps"] = steps_json(state);
  return view;
}

/// Only a journal that was changed by hand comes here. What its row says is still worth seeing.
http_response view_of_damage(audit_row row, const std::string& damage) {
  spdlog::error("broken_journal run={} reason={}", to_string(row.id), log_quoted(damage));
  if (!row.stopped)
    row.stopped = std::string(to_string(stop_kind::journal_damaged)) + ": " + damage;
  return json_response(200, view_of_row(row));
}

/// What the row cannot say, the journal does.
http_response
view_of_events(const workflow_ptr& workflow, const found_row& found, const std::vector<event_record>& events) {
  const auto& row = found.row;
  if (!workflow)
    return view_of_damage(
      row, fmt::format("workflow {} version {} is not registered", row.workflow, row.workflow_version));
  try {
    auto view = view_of_state(fold_events(workflow, events));
    if (row.stopped)
      view["stopped"] = *row.stopped;
    if (found.unreadable)
      view["unreadable"] = {{"column", found.unreadable->column}, {"message", found.unreadable->message}};
    return json_response(200, view);
  } catch (const std::exception& failure) {
    return view_of_damage(row, failure.what());
  }
}

/// The events in order, or why they cannot be read.
std::variant<std::vector<event_record>, std::string> read_events(queries& database, const run_id& run) {
  try {
    return database.read_events(run);
  } catch (const journal_unavailable&) {
    throw;
  } catch (const std::runtime_error& unreadable) {
    return unreadable.what();
  }
}

using planned_workflow = std::pair<std::string, int32_t>;

/// The workflow that the run was accepted for, or why its journal does not say.
std::variant<planned_workflow, std::string> plan_or_damage(const event_record& first, const run_id& run) {
  try {
    const auto plan = decode_plan(first, run);
    return planned_workflow{plan.workflow, plan.workflow_version};
  } catch (const std::exception& damage) {
    return damage.what();
  }
}

void show_run(const api_core_ptr& core, api_call call) {
  query_reader(call.request, {});
  const auto tenant = tenant_of(call);
  const auto run = run_of(call);
  core->read(std::move(call.respond), [core, tenant, run](queries& database, const api_respond& respond) {
    auto row = find_row_or_part(database, tenant, run);
    if (!row)
      return respond(to_response(no_such_run(run)));
    auto found = read_events(database, row->row.id);
    const auto* damage = std::get_if<std::string>(&found);
    if (row->unreadable && (damage != nullptr || std::get<std::vector<event_record>>(found).empty()))
      throw row_unreadable(row->row, *row->unreadable);
    if (damage != nullptr)
      return respond(view_of_damage(row->row, *damage));
    auto& events = std::get<std::vector<event_record>>(found);
    if (events.empty())
      return respond(json_response(200, view_of_row(row->row)));
    // The journal's first event names the workflow, also where the row no longer does.
    const auto plan = plan_or_damage(events.front(), row->row.id);
    if (const auto* broken = std::get_if<std::string>(&plan))
      return respond(view_of_damage(row->row, *broken));
    core->ask_node(respond, [&](node& engine) {
      const auto& [name, version] = std::get<planned_workflow>(plan);
      engine.find(name, version, [core, row = std::move(*row), events = std::move(events), respond](auto outcome) {
        if (const auto* failure = std::get_if<std::string>(&outcome))
          return respond(to_response(unavailable(*failure)));
        // A long journal takes a while to be shown. The thread that finds workflows is needed by every start.
        core->read(respond, [row, events, workflow = std::get<workflow_ptr>(outcome)](queries&, const auto& answer) {
          answer(view_of_events(workflow, row, events));
        });
      });
    });
  });
}

void show_events(const api_core_ptr& core, api_call call) {
  query_reader(call.request, {});
  const auto tenant = tenant_of(call);
  const auto run = run_of(call);
  core->read(std::move(call.respond), [tenant, run](queries& database, const api_respond& respond) {
    const auto found_row = find_row_or_part(database, tenant, run);
    if (!found_row)
      return respond(to_response(no_such_run(run)));
    const auto& row = found_row->row;
    auto all = ordered_json::array();
    const auto found = read_events(database, row.id);
    if (const auto* damage = std::get_if<std::string>(&found))
      return respond(to_response({409, "the run's events cannot be read: " + *damage}));
    for (const auto& each : std::get<std::vector<event_record>>(found))
      all.push_back(event_json(each));
    respond(
      json_response(200, {{"id", to_string(row.id)}, {"run_number", row.run_number}, {"events", std::move(all)}}));
  });
}

void explain_one(const api_core_ptr& core, api_call found) {
  query_reader(found.request, {});
  with_run_id(core, std::move(found), [core](run_id run, api_call call) {
    const auto tenant = tenant_of(call);
    core->ask_node(call.respond, [&](node& engine) {
      engine.explain(run, tenant, [run, respond = call.respond](explain_outcome outcome) {
        if (const auto* refused = std::get_if<wish_refused>(&outcome))
          return respond(to_response(problem_of(*refused)));
        ordered_json answer{{"id", to_string(run)}};
        answer.update(explanation_json(std::get<explanation>(outcome)));
        respond(json_response(200, answer));
      });
    });
  });
}

/// Says why this node does not do it, and who does.
void refuse_elsewhere(const api_core_ptr& core, const run_id& run, const wish_refused& refused, api_respond respond) {
  const auto problem = problem_of(refused);
  core->read_or(
    [problem, run, respond](queries& database) {
      auto named = problem;
      const auto owner = database.find_owner(shard_of(run));
      if (owner)
        named.detail += fmt::format(
          "; it is node '{}'{}{}", owner->name, owner->address.empty() ? "" : " at " + owner->address,
          owner->alive ? "" : ", whose lease has run out");
      auto document = problem_json(named);
      document["owner"] = nullptr;
      if (owner)
        document["owner"] = {
          {"node", to_string(owner->node)},
          {"name", owner->name},
          {"address", owner->address.empty() ? ordered_json() : ordered_json(owner->address)},
          {"alive", owner->alive}};
      auto response = to_response(named);
      response.body = json_response(named.status, document).body;
      respond(std::move(response));
    },
    [problem, respond](const api_problem& /*unknown*/) { respond(to_response(problem)); });
}

void change_one(const api_core_ptr& core, const std::string& asked, api_call found) {
  query_reader(found.request, {});
  require_json(found.request);
  auto parsed = parse_wish(asked, found.request.body);
  if (auto* problem = std::get_if<api_problem>(&parsed))
    throw request_refused(std::move(*problem));
  with_run_id(core, std::move(found), [core, asked, what = std::get<wish>(parsed)](run_id run, api_call call) {
    const auto tenant = tenant_of(call);
    core->ask_node(call.respond, [&](node& engine) {
      engine.change(run, tenant, what, [core, run, asked, respond = call.respond](wish_outcome outcome) {
        const auto* refused = std::get_if<wish_refused>(&outcome);
        if (refused == nullptr)
          respond(json_response(200, {{"id", to_string(run)}, {"granted", asked}}));
        else if (refused->reason == wish_refused::reason_type::elsewhere)
          refuse_elsewhere(core, run, *refused, respond);
        else
          respond(to_response(problem_of(*refused)));
      });
    });
  });
}

/// An id in the same shard that no run has.
run_id nobodys_run(run_id run) {
  constexpr size_t random_byte = 9;
  constexpr uint8_t changed_bits = 0x5a;
  run.value.bytes[random_byte] ^= changed_bits;
  return run;
}

/// The call for a run of another tenant: it is asked for a run that nobody has, so that the answer and its time are
/// those of a run that is not there.
api_call asked_for_nobodys_run(api_call call, const run_id& run) {
  call.respond = [respond = std::move(call.respond), asked = to_string(run),
                  instead = to_string(nobodys_run(run))](http_response response) {
    for (size_t at = 0; (at = response.body.find(instead, at)) != std::string::npos; at += asked.size())
      response.body.replace(at, instead.size(), asked);
    respond(std::move(response));
  };
  return call;
}

/// What an action of one tenant does for a run of any tenant: the run's row says whose it is.
std::function<void(api_call)> of_any_tenant(const api_core_ptr& core, std::function<void(api_call)> action) {
  return [core, action = std::move(action)](api_call call) {
    const auto run = run_of(call);
    auto respond = call.respond;
    const auto kept = std::make_shared<api_call>(std::move(call));
    core->read(std::move(respond), [kept, run, action](queries& database, const api_respond& answer) {
      const auto found = find_row_or_part(database, operator_scope{}, run);
      if (!found)
        return answer(to_response({404, fmt::format("there is no run '{}'", kept->segment("run")), "run"}));
      kept->captured.emplace_back("tenant", to_string(found->row.tenant));
      try {
        action(std::move(*kept));
      } catch (const request_refused& refused) {
        answer(to_response(refused.problem));
      }
    });
  };
}

} // namespace

void with_run_id(const api_core_ptr& core, api_call call, std::function<void(run_id, api_call)> go_on) {
  const auto tenant = tenant_of(call);
  const auto run = run_of(call);
  const auto kept = std::make_shared<const api_call>(std::move(call));
  const auto* id = std::get_if<run_id>(&run);
  const auto named = id ? std::optional(*id) : std::nullopt;
  core->read_or(
    [=](queries& database) {
      if (const auto found = find_row_or_part(database, tenant, run))
        go_on(found->row.id, *kept);
      else if (!named)
        kept->respond(to_response(no_such_run(run)));
      else if (database.has_run(operator_scope{}, *named))
        go_on(nobodys_run(*named), asked_for_nobodys_run(*kept, *named));
      else
        go_on(*named, *kept);
    },
    [=](const api_problem& problem) {
      if (named)
        go_on(*named, *kept);
      else
        kept->respond(to_response(problem));
    });
}

std::vector<api_route> run_routes(const api_core_ptr& core) {
  std::vector<api_route> routes{
    {"GET", "", [core](api_call call) { show_run(core, std::move(call)); }},
    {"GET", "/events", [core](api_call call) { show_events(core, std::move(call)); }},
    {"GET", "/explain", [core](api_call call) { explain_one(core, std::move(call)); }},
  };
  for (const std::string asked : {"cancel", "pause", "resume", "retry", "terminate", "resolve"})
    routes.push_back({"POST", "/" + asked, [core, asked](api_call call) { change_one(core, asked, std::move(call)); }});
  // Each also for a run of any tenant.
  for (size_t i = 0, of_a_tenant = routes.size(); i < of_a_tenant; ++i) {
    routes.push_back(
      {routes[i].method, "/v1/operator/runs/{run}" + routes[i].pattern, of_any_tenant(core, routes[i].action)});
    routes[i].pattern.insert(0, "/v1/tenants/{tenant}/runs/{run}");
  }
  return routes;
}

} // namespace levain
