#include "actors/node_findings.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "persistence/span_text.hpp"

namespace levain {

namespace {

using level = finding_level;

finding good(const char* name, std::string value) {
  return {level::ok, finding_subject::node, name, std::move(value)};
}

finding bad(level how, const char* name, std::string value, std::string right, std::string advice) {
  return {how, finding_subject::node, name, std::move(value), std::move(right), std::move(advice)};
}

/// It holds no shards because an operator wants it so, and nothing else is wrong.
bool rests(const node_status& status) {
  return status.draining && status.runs.shards_ready == 0 && why_not_ready(status).size() == 1;
}

finding readiness_finding(const node_status& status) {
  const auto reasons = why_not_ready(status);
  if (reasons.empty())
    return good(
      "ready", fmt::format("yes, {} shards{}", status.runs.shards_ready, status.draining ? ", draining" : ""));
  const auto value = fmt::format("no: {}", fmt::join(reasons, "; "));
  const auto* right = "a node that takes starts";
  if (rests(status))
    return bad(level::notice, "ready", value, right, "levain node undrain lets it hold shards again");
  if (!status.lacks.empty())
    return bad(
      level::critical, "ready", value, right, "start the node with what is missing (--var NAME=VALUE, --cluster)");
  return bad(
    level::critical, "ready", value, right,
    !status.database_outage ? "wait a lease's length; then look for lease and recovery lines in the node's log"
                            : "bring the database back, or make room on its disk; the node goes on by itself then");
}

finding commit_finding(const node_status& status) {
  const auto& micros = status.commit_micros;
  if (micros.count == 0)
    return good("commit_latency", "nothing was written yet");
  const auto span = [](uint64_t value) { return span_text(duration(static_cast<int64_t>(value))); };
  const auto value = fmt::format(
    "median {}, 99 % within {}, longest {}, of the last {} commits", span(micros.median), span(micros.p99),
    span(micros.max), micros.count);
  const duration p99(static_cast<int64_t>(micros.p99));
  if (p99 <= commit_slow)
    return good("commit_latency", value);
  return bad(
    p99 <= commit_very_slow ? level::warning : level::critical, "commit_latency", value,
    fmt::format("99 % within {}", span_text(commit_slow)),
    "look at the database's disk and at what else it does (pg_stat_activity, checkpoints); a synchronous replica that "
    "is slow or gone shows here too");
}

finding batch_finding(const node_status& status) {
  if (status.batch_runs.count == 0)
    return good("batches", "none yet");
  return good(
    "batches", fmt::format(
                 "runs: median {}, 99 % at most {}, of at most {}; events: median {}, 99 % at most {}; of the last {}",
                 status.batch_runs.median, status.batch_runs.p99, status.batch_runs_max, status.batch_events.median,
                 status.batch_events.p99, status.batch_runs.count));
}

finding appends_finding(const node_status& status) {
  const auto value = fmt::format("{}", status.appends_waiting);
  const auto most = batches_waiting_warning * status.batch_runs_max;
  if (status.appends_waiting <= most)
    return good("appends_waiting", value);
  return bad(
    level::warning, "appends_waiting", value, fmt::format("at most {}, {} batches", most, batches_waiting_warning),
    "the database does not follow: see commit_latency; fewer starts, or a faster disk");
}

finding running_finding(const node_status& status) {
  const auto value = fmt::format(
    "{} live, {} running of at most {}", status.runs.runs_live, status.runs.runs_running, status.runs_running_max);
  if (status.runs.runs_running < status.runs_running_max)
    return good("runs_running", value);
  return bad(
    level::notice, "runs_running", value, "room for more: what starts now waits for a slot",
    "raise runs_running_max if the services can take more, or start another node");
}

finding waiting_finding(const node_status& status) {
  const auto value = fmt::format("{} of at most {}", status.runs.runs_waiting, status.runs_waiting_max);
  const auto share =
    static_cast<double>(status.runs.runs_waiting) / static_cast<double>(std::max<size_t>(status.runs_waiting_max, 1));
  if (share < waiting_room_warning)
    return good("waiting_room", value);
  return bad(
    share < waiting_room_critical ? level::warning : level::critical, "waiting_room", value,
    fmt::format("less than {:.0f} %: starts are refused when it is full", waiting_room_warning * 100),
    "levain explain says whose limit the waiting runs wait for; raise it, or start less");
}

double share_of(uint64_t bytes, uint64_t bytes_max) {
  return static_cast<double>(bytes) / static_cast<double>(std::max<uint64_t>(bytes_max, 1));
}

finding runs_memory_finding(const node_status& status) {
  const auto value = fmt::format("{} of at most {} bytes", status.runs_bytes, status.runs_bytes_max);
  const auto share = share_of(status.runs_bytes, status.runs_bytes_max);
  if (share < memory_notice)
    return good("runs_memory", value);
  return bad(
    share < memory_warning ? level::notice : level::warning, "runs_memory", value,
    fmt::format("less than {:.0f} %: starts are refused when it is full (runs_bytes_max)", memory_notice * 100),
    "raise --runs-bytes-max if the machine has the memory, keep large inputs and outputs elsewhere and pass "
    "references, "
    "or start another node");
}

finding calls_memory_finding(const node_status& status) {
  const auto& calls = status.calls_memory;
  const auto value = fmt::format(
    "{} of at most {} bytes; {} {} for room", calls.bytes, calls.bytes_max, calls.calls_waiting + calls.answers_waiting,
    calls.calls_waiting + calls.answers_waiting == 1 ? "call waits" : "calls wait");
  if (calls.calls_waiting + calls.answers_waiting == 0)
    return good("calls_memory", value);
  return bad(
    level::notice, "calls_memory", value, "no call waits for room in memory (calls_bytes_max)",
    "levain explain says which; raise --calls-bytes-max if the machine has the memory, or look for a service that does "
    "not answer and for workers that are missing");
}

finding liveness_finding(const liveness_figures& found) {
  if (!found.looked_at)
    return good("liveness", "not looked at yet");
  const auto looks = fmt::format("{} looks, the last at {}", found.looks, to_rfc3339(*found.looked_at));
  if (found.violations_in_all() == 0)
    return good("liveness", looks + ": something will move every run");
  std::vector<std::string> kinds;
  for (size_t i = 0; i < liveness_kind_count; ++i)
    if (found.violations[i] > 0)
      kinds.push_back(fmt::format("{} {}", found.violations[i], to_string(static_cast<liveness_kind>(i))));
  auto value = fmt::format("{}: {}", looks, fmt::join(kinds, ", "));
  if (!found.last.empty()) {
    const auto& last = found.last.back();
    value += fmt::format("; the newest: run {} at {}: {}", to_string(last.run), to_rfc3339(last.at), last.detail);
  }
  if (found.given_up > 0)
    return bad(
      level::critical, "liveness", fmt::format("{}; {} given up", value, found.given_up),
      "something that will move every run",
      "see stopped_runs; mend what its reason says, then levain retry takes the run up again");
  return bad(
    level::warning, "liveness", std::move(value), "something that will move every run",
    "they were taken up anew from the journal; please report the node's log lines liveness_violation as a bug");
}

} // namespace

namespace {

std::string why_no_shards(const node_status& status) {
  const auto& runs = status.runs;
  if (status.draining)
    return "the node is drained: an operator wants it to hold no shards, and others hold them";
  std::string reason = "the node owns no shards that are recovered";
  if (!status.lacks.empty())
    reason += ": it lacks " + status.lacks + ", which unfinished runs need, and leaves them to nodes that have it";
  else if (runs.shards_recovering > 0)
    reason += fmt::format(": {} runs are back so far, {} shards are left", runs.runs_recovered, runs.shards_recovering);
  else if (runs.fenced_at)
    reason += ": other nodes took them at " + to_rfc3339(*runs.fenced_at) + ", when its lease had run out";
  return reason;
}

std::string why_database_fails(const outage_report& outage) {
  if (outage.writers_failing == 0)
    return fmt::format("the database has not answered since {}: {}", to_rfc3339(outage.since), outage.reason);
  std::string whose;
  if (outage.writers_failing < outage.writers)
    whose = fmt::format(" from {} of {} writers", outage.writers_failing, outage.writers);
  return fmt::format("the database has taken nothing{} since {}: {}", whose, to_rfc3339(outage.since), outage.reason);
}

} // namespace

std::vector<std::string> why_not_ready(const node_status& status) {
  std::vector<std::string> reasons;
  if (status.database_outage)
    reasons.push_back(why_database_fails(*status.database_outage));
  if (status.runs.shards_ready == 0)
    reasons.push_back(why_no_shards(status));
  if (!status.runs.has_run_numbers)
    reasons.emplace_back("the node waits for run numbers from the database");
  if (!status.runs.admitting)
    reasons.emplace_back("the node is shutting down");
  return reasons;
}

finding wanting_finding(const node_status& status) {
  if (status.calls_wanting.empty() && status.lacks.empty())
    return good("calls_waiting", "none waits for something that this node lacks");
  std::vector<std::string> parts;
  for (const auto& [what, count] : status.calls_wanting)
    parts.push_back(fmt::format("{} {} for {}", count, count == 1 ? "waits" : "wait", what));
  if (!status.lacks.empty())
    parts.push_back(fmt::format("unfinished runs need {}, which this node lacks", status.lacks));
  return bad(
    level::critical, "calls_waiting", fmt::format("{}", fmt::join(parts, "; ")),
    "every call of this node's runs can be made",
    "start the node with what is missing (--var NAME=VALUE, --cluster); the runs wait meanwhile and lose nothing");
}

std::vector<finding> node_findings(const node_status& status) {
  return {readiness_finding(status),        commit_finding(status),      batch_finding(status),
          appends_finding(status),          running_finding(status),     waiting_finding(status),
          wanting_finding(status),          runs_memory_finding(status), calls_memory_finding(status),
          liveness_finding(status.liveness)};
}

} // namespace levain
