#include <algorithm>
#include <atomic>
#include <fmt/format.h>
#include <map>
#include <nlohmann/json.hpp>

#include "actors/gateway/api_core.hpp"
#include "actors/gateway/api_start_request.hpp"

namespace levain {

namespace {

using nlohmann::ordered_json;

/// How one start of a request ended.
using start_result = std::variant<start_acknowledged, api_problem>;

ordered_json acknowledgement_json(const start_acknowledged& started) {
  return {
    {"id", to_string(started.run)},
    // Absent only when the run of an earlier request could not be read.
    {"run_number", started.run_number.empty() ? ordered_json() : ordered_json(started.run_number)},
    {"repeated", started.repeated},
  };
}

/// The starts of one request on their way: goes from finding workflows to starting to reading the numbers of runs that
/// were there before, each when the one before it is through for all starts, and answers once. Whoever settles the last
/// start of a phase begins the next.
class start_batch : public std::enable_shared_from_this<start_batch> {
public:
  start_batch(api_core_ptr core, const tenant_id& tenant, parsed_starts parsed, api_respond respond)
    : core_(std::move(core))
    , tenant_(tenant)
    , is_list_(parsed.is_list)
    , all_(parsed.all)
    , place_(std::move(parsed.place))
    , respond_(std::move(respond))
    , results_(parsed.starts.size())
    , wanted_(parsed.starts.size()) {
    for (size_t i = 0; i < parsed.starts.size(); ++i) {
      if (auto* errors = std::get_if<std::vector<field_error>>(&parsed.starts[i]))
        results_[i] = invalid_content(std::move(*errors));
      else
        wanted_[i] = std::move(std::get<wanted_start>(parsed.starts[i]));
    }
  }

  void find_workflows();

private:
  using workflow_name = std::pair<std::string, std::optional<int32_t>>;

  std::string field(size_t index, const char* name) const {
    return is_list_ ? fmt::format("{}[{}].{}", place_, index, name) : name;
  }

  void found(const workflow_name& name, const std::variant<workflow_ptr, std::string>& outcome);
  void start_all();
  start_run start_of(size_t index);
  /// Answers with what is wrong with the starts that cannot be made, for a list that is to be taken as a whole.
  void refuse_all();
  void settle(size_t index, start_result result);
  void read_numbers();
  void answer();
  http_response answer_one() const;
  http_response answer_list() const;

  api_core_ptr core_;
  tenant_id tenant_;
  bool is_list_;
  /// All are to be started, or none.
  bool all_;
  std::string place_;
  api_respond respond_;
  /// Each is written by whoever settles it and read after `pending_` said that all are.
  std::vector<std::optional<start_result>> results_;
  std::vector<std::optional<wanted_start>> wanted_;
  std::map<workflow_name, std::vector<size_t>> by_workflow_;
  std::atomic<size_t> pending_{0};
};

void start_batch::find_workflows() {
  for (size_t i = 0; i < wanted_.size(); ++i)
    if (wanted_[i])
      by_workflow_[{wanted_[i]->workflow, wanted_[i]->version}].push_back(i);
  if (all_ && std::any_of(results_.begin(), results_.end(), [](const auto& each) { return each.has_value(); }))
    return refuse_all();
  if (by_workflow_.empty())
    return answer();
  pending_ = by_workflow_.size();
  core_->ask_node(respond_, [this](node& engine) {
    for (const auto& each : by_workflow_)
      engine.find(each.first.first, each.first.second, [self = shared_from_this(), &name = each.first](auto outcome) {
        self->found(name, outcome);
      });
  });
}

void start_batch::found(const workflow_name& name, const std::variant<workflow_ptr, std::string>& outcome) {
  const auto* failure = std::get_if<std::string>(&outcome);
  const auto workflow = failure ? workflow_ptr() : std::get<workflow_ptr>(outcome);
  for (const size_t index : by_workflow_.at(name)) {
    wanted_[index]->request.workflow = workflow;
    wanted_[index]->request.version_named = name.second.has_value();
    if (failure)
      results_[index] = unavailable(*failure);
    else if (!workflow && name.second)
      results_[index] = api_problem{
        404, fmt::format("there is no version {} of a workflow '{}'", *name.second, name.first),
        field(index, "version")};
    else if (!workflow)
      results_[index] =
        api_problem{404, fmt::format("there is no workflow '{}'", name.first), field(index, "workflow")};
  }
  if (pending_.fetch_sub(1) == 1)
    start_all();
}

void start_batch::start_all() {
  std::vector<size_t> ready;
  for (size_t i = 0; i < results_.size(); ++i)
    if (!results_[i])
      ready.push_back(i);
  if (all_ && ready.size() < results_.size())
    return refuse_all();
  if (ready.empty())
    return answer();
  pending_ = ready.size();
  core_->ask_node(respond_, [&](node& engine) {
    if (all_) {
      std::vector<start_run> starts;
      for (const size_t index : ready)
        starts.push_back(start_of(index));
      return engine.start_all(std::move(starts), [self = shared_from_this()](const start_refused& refused) {
        auto problem = problem_of(refused);
        problem.detail += "; nothing was started";
        self->respond_(to_response(problem));
      });
    }
    for (const size_t index : ready) {
      auto start = start_of(index);
      engine.start(std::move(start.request), std::move(start.outcome));
    }
  });
}

start_run start_batch::start_of(size_t index) {
  return {std::move(wanted_[index]->request), [self = shared_from_this(), index](start_outcome outcome) {
            if (auto* started = std::get_if<start_acknowledged>(&outcome))
              return self->settle(index, std::move(*started));
            auto problem = problem_of(std::get<start_refused>(outcome));
            if (!problem.field.empty())
              problem.field = self->field(index, problem.field.c_str());
            self->settle(index, std::move(problem));
          }};
}

void start_batch::refuse_all() {
  api_problem all;
  for (const auto& each : results_) {
    const auto* problem = each ? std::get_if<api_problem>(&*each) : nullptr;
    if (problem == nullptr)
      continue;
    if (all.detail.empty())
      all = *problem;
    else
      all.errors.insert(all.errors.end(), problem->errors.begin(), problem->errors.end());
  }
  all.detail += "; nothing was started";
  respond_(to_response(all));
}

void start_batch::settle(size_t index, start_result result) {
  results_[index] = std::move(result);
  if (pending_.fetch_sub(1) == 1)
    read_numbers();
}

void start_batch::read_numbers() {
  std::vector<start_acknowledged*> repeated;
  for (auto& each : results_)
    if (auto* started = std::get_if<start_acknowledged>(&*each); started && started->run_number.empty())
      repeated.push_back(started);
  if (repeated.empty())
    return answer();
  core_->read_or(
    [self = shared_from_this(), repeated](queries& database) {
      for (auto* each : repeated)
        if (const auto row = database.find_run(self->tenant_, each->run))
          each->run_number = row->run_number;
      self->answer();
    },
    // The runs are durable: to say so without their numbers is better than not to say so.
    [self = shared_from_this()](const api_problem&) { self->answer(); });
}

void start_batch::answer() {
  respond_(is_list_ ? answer_list() : answer_one());
}

http_response start_batch::answer_one() const {
  const auto& result = *results_.front();
  if (const auto* problem = std::get_if<api_problem>(&result))
    return to_response(*problem);
  const auto& started = std::get<start_acknowledged>(result);
  auto response = json_response(started.repeated ? 200 : 201, acknowledgement_json(started));
  response.headers["Location"] = fmt::format("/v1/tenants/{}/runs/{}", to_string(tenant_), to_string(started.run));
  return response;
}

http_response start_batch::answer_list() const {
  auto all = ordered_json::array();
  size_t refused = 0;
  size_t repeated = 0;
  std::optional<std::chrono::milliseconds> retry_after;
  for (const auto& each : results_) {
    if (const auto* problem = std::get_if<api_problem>(&*each)) {
      ++refused;
      if (problem->retry_after)
        retry_after = std::max(*problem->retry_after, retry_after.value_or(*problem->retry_after));
      all.push_back(problem_json(*problem));
    } else {
      const auto& started = std::get<start_acknowledged>(*each);
      repeated += started.repeated ? 1 : 0;
      all.push_back(acknowledgement_json(started));
    }
  }
  const auto started = results_.size() - refused - repeated;
  auto response = json_response(
    refused == 0 ? 200 : 207,
    {{"started", started}, {"repeated", repeated}, {"refused", refused}, {"results", std::move(all)}});
  if (retry_after)
    response.headers["Retry-After"] = std::to_string(std::chrono::ceil<std::chrono::seconds>(*retry_after).count());
  return response;
}

void start_runs(const api_core_ptr& core, api_call call) {
  query_reader(call.request, {});
  const auto tenant = tenant_of(call);
  require_json(call.request);
  std::optional<std::string> key;
  if (const auto found = call.request.headers.find("idempotency-key"); found != call.request.headers.end())
    key = found->second;
  auto parsed = parse_starts(call.request.body, tenant, key);
  if (auto* problem = std::get_if<api_problem>(&parsed))
    throw request_refused(std::move(*problem));
  std::make_shared<start_batch>(core, tenant, std::move(std::get<parsed_starts>(parsed)), std::move(call.respond))
    ->find_workflows();
}

} // namespace

std::vector<api_route> start_routes(const api_core_ptr& core) {
  return {
    {"POST", "/v1/tenants/{tenant}/runs", [core](api_call call) { start_runs(core, std::move(call)); }},
  };
}

} // namespace levain
