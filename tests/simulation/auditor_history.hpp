#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "tests/simulation/auditor/auditor.hpp"

namespace levain::simulation::test {

using nlohmann::json;
using namespace std::chrono_literals;

/// An event as a history writes it: its number and time follow from where it stands.
struct fact {
  event_kind kind;
  std::string step;
  int32_t attempt = 0;
  json body;
};

/// A small history of one run, made by hand and judged by an auditor as it is told. What a rule is not about is well
/// behaved by itself: a step's call is made with the right key and body, a row follows each write.
class history {
public:
  template <class T>
  using change = std::function<void(T&)>;

  /// Steps `a`, then `b`, which needs it; both can be undone and tried three times. Changed by `shape`.
  explicit history(const change<workflow_known>& shape = [](workflow_known&) {}) {
    step_known step;
    step.name = "a";
    step.compensates = true;
    step.attempts_max = 3;
    step.undo_attempts_max = 3;
    step.retry_wait = step.undo_retry_wait = {1s, 2, 10s, 0.5};
    step.timeout = step.undo_timeout = 30s;
    step.audit = audit_group::forecasting;
    workflow.steps.push_back(step);
    step.name = "b";
    step.needs = {"a"};
    step.audit = audit_group::production;
    workflow.steps.push_back(step);
    workflow.name = "w";
    shape(workflow);
    judge.saw(workflow);
    boot(here);
    own(here, 1);
  }

  // ---- who ------------------------------------------------------------------

  void boot(const place& who) { judge.saw(process_changed{now, who, process_change::booted}); }
  void kill(const place& who) { judge.saw(process_changed{now, who, process_change::killed}); }
  void own(const place& who, epoch_number epoch) {
    uuid id;
    id.bytes.back() = ++joined_;
    judge.saw(lease_renewed{now, who, 5s, id});
    judge.saw(shard_owned{now, who, shard_of(run), epoch, id});
    writer_ = who;
    epoch_ = epoch;
  }
  void pass(duration span) { now += span; }

  // ---- starts ---------------------------------------------------------------

  uint64_t ask(const change<start_asked>& how = [](start_asked&) {}) {
    start_asked x{now, ++ids_, here, tenant, workflow.name, workflow.version, input.dump(), std::nullopt};
    how(x);
    judge.saw(x);
    return x.request;
  }
  void acknowledge(uint64_t request, bool repeated = false) { judge.saw(start_told{now, request, run, repeated, {}}); }
  void refuse(uint64_t request, const std::string& why) {
    judge.saw(start_told{now, request, std::nullopt, false, why});
  }
  /// The start with all that belongs to it.
  void begin() {
    const auto request = ask();
    accept();
    acknowledge(request);
    write({{event_kind::run_started}});
  }

  // ---- the disk -------------------------------------------------------------

  void accept(const change<run_written>& how = [](run_written&) {}) {
    write(
      {{event_kind::run_accepted,
        {},
        0,
        {{"run", to_string(run)},
         {"run_number", "ORCH-20261123-00000001"},
         {"tenant", to_string(tenant)},
         {"workflow", workflow.name},
         {"version", workflow.version},
         {"run_type", "manual"},
         {"priority", "normal"},
         {"input", input}}}},
      how);
  }
  void write(
    const std::vector<fact>& facts, const change<run_written>& how = [](run_written&) {}) {
    run_written x{now, writer_, run, epoch_, {}, std::nullopt, std::nullopt};
    for (const auto& each : facts) {
      x.events.push_back(
        {++seq_, now, each.kind, each.step, each.attempt, each.body.is_null() ? std::string() : each.body.dump()});
      remember(x.events.back());
    }
    x.row = expected_row(story());
    how(x);
    judge.saw(x);
  }
  /// What is written from now on is of another run: `run`, which was changed before.
  void begin_another() {
    seq_ = 0;
    told_.clear();
  }
  void refuse_rows() { judge.saw(run_refused{now, writer_, run}); }

  // ---- calls ----------------------------------------------------------------

  uint64_t call(
    const std::string& step, uint32_t attempt = 1, const change<call_made>& how = [](call_made&) {},
    bool undo = false) {
    call_made x;
    x.at = now;
    x.call = ++ids_;
    x.from = writer_;
    x.run = run;
    x.tenant = tenant;
    x.step = step;
    x.attempt = attempt;
    x.undo = undo;
    x.idempotency_key = to_string(run) + "/" + step + (undo ? "/undo" : "");
    x.timeout = 30s;
    x.body = body_of(step, attempt, results).dump();
    how(x);
    judge.saw(x);
    return x.call;
  }
  uint64_t undo(const std::string& step, uint32_t attempt = 1) {
    return call(
      step, attempt, [](call_made&) {}, true);
  }
  json body_of(const std::string& step, uint32_t attempt, const json& with) const {
    return {
      {"run",
       {{"id", to_string(run)},
        {"number", "ORCH-20261123-00000001"},
        {"tenant", to_string(tenant)},
        {"workflow", workflow.name},
        {"version", workflow.version},
        {"step", step},
        {"attempt", attempt}}},
      {"input", input},
      {"results", with}};
  }
  void answer(uint64_t call, const json& output, bool awaited = true) {
    judge.saw(call_told{now, call, output.dump(), {}, awaited});
  }
  void fail(uint64_t call, const std::string& kind, bool awaited = true) {
    judge.saw(call_told{now, call, std::nullopt, kind, awaited});
  }
  /// A call, its answer, and the event.
  void succeed(const std::string& step, uint32_t attempt = 1, const std::vector<fact>& more = {}) {
    const json output = {{"of", step}};
    answer(call(step, attempt), output);
    std::vector<fact> facts = {{event_kind::step_succeeded, step, static_cast<int32_t>(attempt), {{"output", output}}}};
    facts.insert(facts.end(), more.begin(), more.end());
    write(facts);
    results[step] = output;
  }
  void fail_finally(const std::string& step, const std::vector<fact>& more = {}) {
    fail(call(step), "final");
    std::vector<fact> facts = {{event_kind::step_failed, step, 1, {{"kind", "final"}, {"message", "no"}}}};
    facts.insert(facts.end(), more.begin(), more.end());
    write(facts);
  }
  void undone(const std::string& step, const std::vector<fact>& more = {}) {
    answer(undo(step), json::object());
    std::vector<fact> facts = {{event_kind::step_compensated, step, 1}};
    facts.insert(facts.end(), more.begin(), more.end());
    write(facts);
  }
  fact fails_for_now(const std::string& step, duration wait, int32_t attempt = 1) const {
    return {
      event_kind::attempt_failed,
      step,
      attempt,
      {{"kind", "retryable"}, {"message", "later"}, {"due_at", to_rfc3339(now + wait)}}};
  }

  // ---- people ---------------------------------------------------------------

  uint64_t wish(
    wish_kind kind, const std::string& by, const change<wish_asked>& how = [](wish_asked&) {}) {
    wish_asked x{now, ++ids_, here, run, tenant, kind, by};
    how(x);
    judge.saw(x);
    return x.request;
  }
  void grant(uint64_t request) { judge.saw(wish_told{now, request, true, {}}); }
  void deny(uint64_t request, const std::string& why) { judge.saw(wish_told{now, request, false, why}); }

  // ---- the end --------------------------------------------------------------

  void finish(const std::vector<run_left_over>& left = {}) { judge.finish(now, left); }

  /// The rules that were broken, in order, without repetitions.
  std::string broken() const {
    std::string names;
    for (const auto& each : judge.violations())
      if (const std::string name(to_string(each.broken)); names.find(name) == std::string::npos)
        names += (names.empty() ? "" : " ") + name;
    return names;
  }

  const run_story& story() const { return told_.front(); }

  place here{1, 0};
  place there{2, 0};
  tenant_id tenant{*uuid::parse("11111111-1111-4111-8111-111111111111")};
  tenant_id stranger{*uuid::parse("22222222-2222-4222-8222-222222222222")};
  run_id run{*uuid::parse("0190f2d0-0000-7000-8000-000000000005")};
  json input = {{"day", 1}};
  json results = json::object();
  workflow_known workflow;
  timestamp now{std::chrono::sys_days{std::chrono::year{2026} / 11 / 23}};
  auditor judge;

private:
  void remember(const event_record& event) {
    const auto told = read_told(event);
    if (told_.empty())
      told_.emplace_back(run, workflow, event.at, told.body);
    else
      told_.front().follow(event, told, now);
  }

  place writer_;
  epoch_number epoch_ = 0;
  uint64_t ids_ = 0;
  /// A node comes back under another id.
  uint8_t joined_ = 0;
  int32_t seq_ = 0;
  std::vector<run_story> told_;
};

inline const fact completed{event_kind::run_completed};
inline const fact started{event_kind::run_started};
inline const fact failed{event_kind::run_failed, {}, 0, {{"reason", "it failed"}}};
inline const fact compensates{event_kind::compensation_started};

} // namespace levain::simulation::test
