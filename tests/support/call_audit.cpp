#include "tests/support/call_audit.hpp"

#include <algorithm>
#include <optional>
#include <pqxx/pqxx>
#include <set>

namespace levain::test {

using nlohmann::json;

namespace {

constexpr const char* undo_ending = "/undo";

/// The run, the step, and whether the step is undone.
struct key_parts {
  std::string run;
  std::string step;
  bool undo = false;
};

std::optional<key_parts> cut_key(const std::string& key) {
  const auto slash = key.find('/');
  if (slash == std::string::npos)
    return std::nullopt;
  key_parts parts{key.substr(0, slash), key.substr(slash + 1)};
  if (parts.step.ends_with(undo_ending)) {
    parts.undo = true;
    parts.step.resize(parts.step.size() - std::string(undo_ending).size());
  }
  return parts;
}

std::string shown(const ledger_call& call) {
  return call.method + " " + call.key + " attempt " + std::to_string(call.attempt) + " at " + call.at;
}

/// The path of a URL such as `${forecasting_url}/forecasts`.
std::string path_of(const std::string& url) {
  const auto end = url.find('}');
  return url.substr(end == std::string::npos ? 0 : end + 1);
}

/// An answer after which the engine does not ask again.
bool refused_for_good(int status) {
  return status / 100 == 4 && status != 408 && status != 425 && status != 429;
}

bool made_by_a_sleeper(const ledger_call& call, const std::vector<interruption>& interruptions) {
  return std::any_of(interruptions.begin(), interruptions.end(), [&](const interruption& each) {
    return each.woke && each.from <= call.at && call.at <= each.to;
  });
}

bool explained(const ledger_call& first, const ledger_call& again, const std::vector<interruption>& interruptions) {
  return std::any_of(interruptions.begin(), interruptions.end(), [&](const interruption& each) {
    return first.at <= each.to && again.at >= each.from;
  });
}

/// The first of `calls` that came after `moment`, other than from a daemon that had slept.
const ledger_call* late_call(
  const std::vector<const ledger_call*>& calls, const std::string& moment,
  const std::vector<interruption>& interruptions) {
  for (const auto* each : calls)
    if (each->at > moment && !made_by_a_sleeper(*each, interruptions))
      return each;
  return nullptr;
}

} // namespace

/// By the last attempt: an earlier refusal came too late to be heard.
bool call_audit::refused_at_last(const step_facts& step) {
  const auto by_attempt = [](const ledger_call* a, const ledger_call* b) { return a->attempt < b->attempt; };
  const auto last = std::max_element(step.calls.begin(), step.calls.end(), by_attempt);
  return last != step.calls.end() && refused_for_good((*last)->status);
}

// ---- reading ----------------------------------------------------------------

call_audit::call_audit(const std::string& database_url, const running_bakery& bakery, const json& definition)
  : ledger_(bakery.ledger())
  , done_(bakery.done())
  , outbox_(bakery.outbox()) {
  std::stable_sort(
    ledger_.begin(), ledger_.end(), [](const ledger_call& a, const ledger_call& b) { return a.at < b.at; });
  read_definition(definition);
  read_journal(database_url);
  sort_calls();
}

void call_audit::read_definition(const json& definition) {
  for (const auto& step : definition.at("steps")) {
    auto& rule = rules_[step.at("name")];
    for (const char* relation : {"needs", "after"})
      if (step.contains(relation))
        for (const auto& other : step.at(relation))
          rule.after.push_back(other);
    rule.compensated = step.contains("compensate");
    rule.decisive = step.value("on_failure", "fail") == "fail";
    rule.path = path_of(step.at("call").at("http").at("url"));
  }
}

void call_audit::read_journal(const std::string& database_url) {
  pqxx::connection connection(database_url);
  pqxx::work work(connection);
  for (const auto& row : work.exec("select id, tenant_id, status from orchestration_runs"))
    runs_[row[0].c_str()] = {row[1].c_str(), row[2].c_str(), {}};
  for (const auto& row : work.exec(
         "select run_id, step, kind, seq, attempt from run_events where kind in ('step_succeeded', 'step_compensated', "
         "'attempt_failed', 'compensation_attempt_failed')")) {
    auto& step = runs_[row[0].c_str()].steps[row[1].c_str()];
    const std::string kind = row[2].c_str();
    if (kind == "step_succeeded")
      step.succeeded = row[3].as<int>();
    else if (kind == "step_compensated")
      step.compensated = row[3].as<int>();
    else
      (kind == "attempt_failed" ? step.failed : step.undo_failed).insert(row[4].as<unsigned>());
  }
  for (const auto& row : work.exec("select tenant_id, idempotency_key, run_id from run_starts"))
    starts_[{row[0].c_str(), row[1].c_str()}] = row[2].c_str();
}

void call_audit::sort_calls() {
  for (const auto& call : ledger_) {
    const auto parts = cut_key(call.key);
    const auto run = parts ? runs_.find(parts->run) : runs_.end();
    if (run == runs_.end())
      continue;
    auto& step = run->second.steps[parts->step];
    (parts->undo ? step.undo_calls : step.calls).push_back(&call);
  }
}

// ---- judging ----------------------------------------------------------------

std::vector<std::string> call_audit::contradictions(const std::vector<interruption>& interruptions) const {
  complaints found;
  for (const auto& call : ledger_)
    check_call(call, found);
  check_work(found);
  for (const auto& [run, facts] : runs_) {
    for (const auto& [name, step] : facts.steps) {
      check_repetitions(step.calls, step.failed, interruptions, found);
      check_repetitions(step.undo_calls, step.undo_failed, interruptions, found);
    }
    check_order(run, facts, interruptions, found);
    check_ending(run, facts, found);
    check_compensations(run, facts, interruptions, found);
  }
  return found;
}

void call_audit::check_call(const ledger_call& call, complaints& found) const {
  const auto parts = cut_key(call.key);
  const auto run = parts ? runs_.find(parts->run) : runs_.end();
  if (run == runs_.end()) {
    found.push_back(shown(call) + " is of no run");
    return;
  }
  if (call.run != run->first || call.tenant != run->second.tenant)
    found.push_back(
      shown(call) + " was sent for run " + call.run + " of tenant " + call.tenant + ", the run is of tenant " +
      run->second.tenant);
  const auto rule = rules_.find(parts->step);
  if (
    rule == rules_.end() || call.method != (parts->undo ? "DELETE" : "POST") ||
    !call.path.starts_with(rule->second.path))
    found.push_back(shown(call) + " is not how that step is called: " + call.path);
  if (call.status != 200 && !call.fault)
    found.push_back(shown(call) + " was answered " + std::to_string(call.status));
}

void call_audit::check_repetitions(
  const std::vector<const ledger_call*>& calls, const std::set<unsigned>& failed,
  const std::vector<interruption>& interruptions, complaints& found) const {
  std::map<unsigned, const ledger_call*> last_of;
  const ledger_call* furthest = nullptr;
  for (const auto* call : calls) {
    const auto before = last_of.find(call->attempt);
    if (before != last_of.end() && !explained(*before->second, *call, interruptions))
      found.push_back(shown(*call) + " was made at " + before->second->at + " already and nothing explains it");
    if (furthest && call->attempt < furthest->attempt && !made_by_a_sleeper(*call, interruptions))
      found.push_back(shown(*call) + " came after attempt " + std::to_string(furthest->attempt));
    if (call->attempt != 1 && !failed.contains(call->attempt - 1))
      found.push_back(shown(*call) + " was made although the attempt before it had not failed");
    if (!furthest || call->attempt > furthest->attempt)
      furthest = call;
    last_of[call->attempt] = call;
  }
}

void call_audit::check_work(complaints& found) const {
  std::map<std::string, size_t> done;
  for (const auto& work : done_) {
    const std::string key = work.at("key");
    if (++done[key] == 2)
      found.push_back("the work of " + key + " was done twice");
    const auto parts = cut_key(key);
    const auto run = parts ? runs_.find(parts->run) : runs_.end();
    if (run == runs_.end()) {
      found.push_back("the work of " + key + " is of no run");
      continue;
    }
    if (work.at("tenant") != run->second.tenant)
      found.push_back("the work of " + key + " was done for tenant " + work.at("tenant").get<std::string>());
    const auto step = run->second.steps.find(parts->step);
    const bool remembered =
      step != run->second.steps.end() && (parts->undo ? step->second.compensated : step->second.succeeded) > 0;
    // A service that has done the work and then refuses it contradicts itself; the engine can only believe the last.
    if (!remembered && !(step != run->second.steps.end() && refused_at_last(step->second)))
      found.push_back("the work of " + key + " was done and the journal does not know");
  }
  for (const auto& [run, facts] : runs_)
    for (const auto& [name, step] : facts.steps) {
      if (step.succeeded > 0 && !done.contains(run + "/" + name))
        found.push_back(name + " of run " + run + " is said to have succeeded and was not done");
      if (step.compensated > 0 && !done.contains(run + "/" + name + undo_ending))
        found.push_back(name + " of run " + run + " is said to be compensated and was not undone");
    }
  for (const auto& message : outbox_) {
    const auto run = runs_.find(message.at("run"));
    if (run == runs_.end() || message.at("tenant") != run->second.tenant)
      found.push_back("a message went to another tenant than its run's: " + message.dump());
  }
}

void call_audit::check_order(
  const std::string& run, const run_facts& facts, const std::vector<interruption>& interruptions,
  complaints& found) const {
  for (const auto& [name, step] : facts.steps) {
    const auto rule = rules_.find(name);
    if (rule == rules_.end() || step.calls.empty())
      continue;
    for (const auto& earlier : rule->second.after) {
      const auto before = facts.steps.find(earlier);
      if (before == facts.steps.end() || before->second.calls.empty())
        found.push_back(name + " of run " + run + " was called and never " + earlier);
      else if (const auto* late = late_call(before->second.calls, step.calls.front()->at, interruptions))
        found.push_back(shown(*late) + " came after the first call of " + name + " at " + step.calls.front()->at);
    }
  }
}

void call_audit::check_ending(const std::string& run, const run_facts& facts, complaints& found) const {
  std::string expected = "completed";
  for (const auto& [name, step] : facts.steps)
    if (refused_at_last(step) && expected != "failed")
      expected = rules_.at(name).decisive ? "failed" : "partial_success";
  if (facts.status != expected)
    found.push_back("run " + run + " is " + facts.status + "; by what the services answered it would be " + expected);
  if (expected == "completed" && facts.steps.size() != rules_.size())
    found.push_back("run " + run + " has only " + std::to_string(facts.steps.size()) + " steps");
}

void call_audit::check_compensations(
  const std::string& run, const run_facts& facts, const std::vector<interruption>& interruptions,
  complaints& found) const {
  const bool undone = facts.status == "failed" || facts.status == "cancelled";
  std::map<int, const step_facts*> by_success;
  for (const auto& [name, step] : facts.steps) {
    const auto rule = rules_.find(name);
    if (rule == rules_.end() || !rule->second.compensated)
      continue;
    const bool due = undone && step.succeeded > 0;
    if (due != (step.compensated > 0) || due != !step.undo_calls.empty())
      found.push_back(
        name + " of run " + run + ", which is " + facts.status + ", was " + (step.succeeded > 0 ? "" : "not ") +
        "done, " + (step.compensated > 0 ? "" : "not ") + "compensated, and undone by " +
        std::to_string(step.undo_calls.size()) + " calls");
    else if (due)
      by_success[step.succeeded] = &step;
  }
  const step_facts* earlier = nullptr;
  for (const auto& [number, step] : by_success) {
    // What succeeded earlier is undone later, and only once the other's undoing is remembered.
    if (earlier) {
      if (earlier->compensated < step->compensated)
        found.push_back(earlier->undo_calls.front()->key + " was compensated too early");
      if (const auto* late = late_call(step->undo_calls, earlier->undo_calls.front()->at, interruptions))
        found.push_back(shown(*late) + " came after " + shown(*earlier->undo_calls.front()));
    }
    earlier = step;
  }
  if (!by_success.empty())
    for (const auto& [name, step] : facts.steps)
      if (const auto* late = late_call(step.calls, by_success.rbegin()->second->undo_calls.front()->at, interruptions))
        found.push_back(shown(*late) + " came after the run had begun to undo");
}

std::vector<std::string>
call_audit::contradictions_with(const std::map<insistent_callers::start, std::string>& acknowledged) const {
  complaints found;
  std::set<std::string> asked_for;
  for (const auto& [start, run] : acknowledged) {
    const auto name = "the start " + start.second + " of " + start.first;
    asked_for.insert(run);
    const auto row = runs_.find(run);
    if (row == runs_.end())
      found.push_back(name + " was acknowledged as run " + run + ", which is lost");
    else if (row->second.tenant != start.first)
      found.push_back(name + " became run " + run + " of tenant " + row->second.tenant);
    const auto key = starts_.find(start);
    if (key == starts_.end() || key->second != run)
      found.push_back(name + " was acknowledged as run " + run + " and its key is not kept for it");
  }
  for (const auto& [run, facts] : runs_)
    if (!asked_for.contains(run))
      found.push_back("nobody asked for run " + run);
  return found;
}

call_figures call_audit::figures() const {
  call_figures all{.calls = ledger_.size()};
  std::map<std::string, std::set<unsigned>> attempts;
  for (const auto& call : ledger_) {
    all.made_again += attempts[call.key].insert(call.attempt).second ? 0 : 1;
    all.answered_from_memory += call.repeated ? 1 : 0;
  }
  all.keys = attempts.size();
  return all;
}

size_t call_audit::runs_ended_as(const std::string& status) const {
  return static_cast<size_t>(
    std::count_if(runs_.begin(), runs_.end(), [&](const auto& run) { return run.second.status == status; }));
}

} // namespace levain::test
