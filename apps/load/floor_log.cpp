#include "apps/load/floor_log.hpp"

#include <algorithm>
#include <cmath>

#include "apps/load/floor_rows.hpp"

namespace levain::load {

namespace {

double seconds_of(std::chrono::nanoseconds span) {
  return std::chrono::duration<double>(span).count();
}

double milliseconds_of(std::chrono::microseconds span) {
  return static_cast<double>(span.count()) / 1000;
}

/// About so many moments, but none shorter than this.
constexpr double moments_wanted = 60;
constexpr double moment_min_s = 0.25;

/// All of them are equally long, so that the last one can be compared with the others.
double moment_length(double seconds) {
  return seconds / std::clamp(std::floor(seconds / moment_min_s), 1.0, moments_wanted);
}

bool is_last(const floor_commit& commit) {
  return commit.number + 1 == floor_commits;
}

/// What happened in one interval after another; `commits` stand in the order of their ends.
std::vector<load_moment> moments_of(const std::vector<floor_commit>& commits, double seconds) {
  std::vector<load_moment> moments;
  const double length = moment_length(seconds);
  latency_histogram latency;
  uint64_t in_flight = 0;
  uint64_t rss_bytes = 0;
  auto next = commits.begin();
  for (double number = 1; next != commits.end(); ++number) {
    load_moment moment;
    const double at = number * length;
    // What ends at the very end belongs to the last moment, however the lengths were rounded.
    const bool last = at + length / 2 >= seconds;
    moment.at_s = last ? seconds : at;
    latency.clear();
    for (; next != commits.end() && (last || seconds_of(next->ended) <= at); ++next) {
      rss_bytes = next->rss_bytes;
      if (next->number == 0)
        moment.started += next->runs;
      else
        moment.steps += next->runs;
      if (!is_last(*next))
        continue;
      moment.ended += next->runs;
      latency.record(next->ended - next->group_began, next->runs);
    }
    in_flight += moment.started - moment.ended;
    moment.in_flight = in_flight;
    moment.rss_bytes = rss_bytes;
    if (moment.ended > 0) {
      moment.p50_ms = milliseconds_of(latency.quantile(500));
      moment.p99_ms = milliseconds_of(latency.quantile(990));
    }
    moments.push_back(moment);
  }
  return moments;
}

} // namespace

void tell_commits(std::vector<floor_commit> commits, double seconds, load_result& result) {
  std::ranges::sort(commits, {}, &floor_commit::ended);
  latency_histogram latency;
  latency_histogram start;
  uint64_t events = 0;
  for (const auto& commit : commits) {
    events += commit.events;
    if (commit.number == 0)
      start.record(commit.ended - commit.began, commit.runs);
    else
      result.steps += commit.runs;
    if (is_last(commit)) {
      result.runs += commit.runs;
      latency.record(commit.ended - commit.group_began, commit.runs);
    }
  }
  result.seconds = seconds;
  result.latency_ms = latency.figures();
  result.start_ms = start.figures();
  result.over_time = moments_of(commits, seconds);
  if (result.runs == 0 || seconds <= 0)
    return;
  result.endings["completed"] = result.runs;
  result.runs_per_s = static_cast<double>(result.runs) / seconds;
  result.steps_per_s = static_cast<double>(result.steps) / seconds;
  result.batches_per_run = static_cast<double>(commits.size()) / static_cast<double>(result.runs);
  result.rows_per_batch = static_cast<double>(events) / static_cast<double>(commits.size());
}

} // namespace levain::load
