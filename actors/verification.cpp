#include "actors/verification.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>

#include <fmt/format.h>

namespace levain {

namespace {

/// Pages that are read or wait to be told, for each thread: one in its hands, one for when that is done.
constexpr size_t pages_per_job = 2;

/// What came out of one page.
struct page_result {
  verify_report report;
  std::vector<verify_difference> differences;
};

bool is_everything(const verify_scope& scope) {
  return std::holds_alternative<operator_scope>(scope.scope) && !scope.since && !scope.run;
}

void count(verify_report& report, const remembered_run& run, const run_verification& result) {
  ++report.runs;
  report.events += run.events.size();
  report.differences += result.differences.size();
  switch (result.verdict) {
  case run_verdict::equal:
    ++report.equal;
    break;
  case run_verdict::going_on:
    ++report.going_on;
    break;
  case run_verdict::adopted:
    ++report.adopted;
    break;
  case run_verdict::journal_dropped:
    ++report.journal_dropped;
    break;
  case run_verdict::different:
    ++report.different;
    break;
  }
}

/// Journals without a row, a page of them; answers the last one's id.
std::optional<run_id> verify_orphans(queries& remembered, const run_range& range, page_result& result) {
  const auto orphans = remembered.events_without_row(operator_scope{}, range);
  for (const auto& run : orphans) {
    ++result.report.runs;
    ++result.report.different;
    ++result.report.differences;
    result.differences.push_back({run, {}, "row", "the journal has events of this run, but there is no row"});
  }
  return orphans.empty() ? std::nullopt : std::optional(orphans.back());
}

page_result
verify_page(queries& remembered, workflow_cache& workflows, const verify_scope& scope, const run_range& range) {
  page_result result;
  // In parts that have room in memory.
  for (auto rest = range;;) {
    const auto part = remembered.verify_batch(scope, rest);
    for (const auto& run : part) {
      auto verified = verify_run(run, workflows);
      count(result.report, run, verified);
      std::move(verified.differences.begin(), verified.differences.end(), std::back_inserter(result.differences));
    }
    if (part.empty() || part.back().row.id == range.upto)
      break;
    rest.after = part.back().row.id;
  }
  if (is_everything(scope))
    for (auto rest = range; (rest.after = verify_orphans(remembered, rest, result));) {
    }
  std::stable_sort(result.differences.begin(), result.differences.end(), [](const auto& a, const auto& b) {
    return a.run.value < b.run.value;
  });
  return result;
}

/// Threads that verify pages in any order and hand the results over in the pages' order.
class page_crew {
public:
  page_crew(
    const queries_options& reads, workflow_cache& workflows, const verify_scope& scope, const verify_options& options)
    : workflows_(workflows)
    , scope_(scope)
    , pages_max_(options.jobs * pages_per_job) {
    for (size_t i = 0; i < options.jobs; ++i)
      threads_.emplace_back([this, reads] { work(reads); });
  }

  ~page_crew() {
    {
      std::lock_guard guard(mutex_);
      ending_ = true;
    }
    changed_.notify_all();
    for (auto& thread : threads_)
      thread.join();
  }

  page_crew(const page_crew&) = delete;
  page_crew& operator=(const page_crew&) = delete;

  bool has_room() const { return given_ - taken_ < pages_max_; }
  bool is_idle() const { return given_ == taken_; }

  void give(const run_range& range) {
    {
      std::lock_guard guard(mutex_);
      todo_.emplace_back(given_++, range);
    }
    changed_.notify_all();
  }

  /// The result of the next page in their order, once it is there. Throws what the first failing thread threw.
  page_result take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return failure_ || done_.contains(taken_); });
    if (failure_)
      std::rethrow_exception(failure_);
    auto result = std::move(done_.extract(taken_++).mapped());
    return result;
  }

private:
  void work(const queries_options& reads) {
    try {
      queries remembered(reads);
      while (const auto page = next()) {
        auto result = verify_page(remembered, workflows_, scope_, page->second);
        std::lock_guard guard(mutex_);
        done_.emplace(page->first, std::move(result));
        changed_.notify_all();
      }
    } catch (...) {
      std::lock_guard guard(mutex_);
      if (!failure_)
        failure_ = std::current_exception();
      changed_.notify_all();
    }
  }

  /// The next page to do; nothing at the end.
  std::optional<std::pair<uint64_t, run_range>> next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ending_ || failure_ || !todo_.empty(); });
    if (ending_ || failure_)
      return std::nullopt;
    auto page = todo_.front();
    todo_.pop_front();
    return page;
  }

  workflow_cache& workflows_;
  const verify_scope scope_;
  const size_t pages_max_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::pair<uint64_t, run_range>> todo_;
  std::map<uint64_t, page_result> done_;
  std::exception_ptr failure_;
  bool ending_ = false;
  /// Of the caller's thread alone.
  uint64_t given_ = 0;
  uint64_t taken_ = 0;
  std::vector<std::thread> threads_;
};

void check_options(const verify_options& options) {
  if (options.jobs < 1 || options.jobs > verify_jobs_max)
    throw std::invalid_argument(fmt::format("jobs: {}; must be 1 to {}", options.jobs, verify_jobs_max));
  if (options.page_runs < 1 || options.page_runs > verify_page_runs_max)
    throw std::invalid_argument(fmt::format("page_runs: {}; must be 1 to {}", options.page_runs, verify_page_runs_max));
}

} // namespace

size_t verify_jobs_default() {
  return std::clamp<size_t>(std::thread::hardware_concurrency(), 1, verify_jobs_max);
}

verify_report& verify_report::operator+=(const verify_report& other) {
  runs += other.runs;
  equal += other.equal;
  going_on += other.going_on;
  adopted += other.adopted;
  journal_dropped += other.journal_dropped;
  different += other.different;
  events += other.events;
  differences += other.differences;
  return *this;
}

verify_report verify_runs(
  const queries_options& reads, workflow_cache& workflows, const verify_scope& scope, const verify_options& options,
  const verify_listener& listener) {
  check_options(options);
  queries ids(reads);
  verify_report report;
  const auto estimated = listener.progress ? ids.estimated_runs(scope) : 0;
  const auto tell = [&](const page_result& result) {
    report += result.report;
    if (listener.difference)
      for (const auto& each : result.differences)
        listener.difference(each);
    if (listener.progress)
      listener.progress(report, estimated);
  };
  std::optional<run_id> last;
  {
    page_crew crew(reads, workflows, scope, options);
    for (bool more = true; more || !crew.is_idle();) {
      if (!more || !crew.has_room()) {
        tell(crew.take());
        continue;
      }
      const auto page = ids.verify_ids(scope, last, options.page_runs);
      more = !page.empty();
      if (!more)
        continue;
      crew.give({last, page.back()});
      last = page.back();
    }
  }
  // Beyond the last row.
  for (auto after = last; is_everything(scope);) {
    page_result result;
    after = verify_orphans(ids, {after, std::nullopt}, result);
    if (!after)
      break;
    tell(result);
  }
  return report;
}

} // namespace levain
