#include "tests/support/bakery_night.hpp"

#include <fstream>
#include <iostream>

#include "persistence/migrator.hpp"
#include "persistence/timestamp.hpp"
#include "test_paths.hpp"
#include "tests/support/evidence.hpp"

namespace levain::test {

using namespace std::chrono_literals;
using nlohmann::json;

namespace {

/// How long a test waits for what has to happen; a busy machine may take its time.
constexpr auto generous = 120s;

/// Lists and bytes of the ledger (some fifty calls) that tell that work goes on, and does not only finish what was out.
constexpr size_t lists_that_tell = 10;
constexpr size_t ledger_bytes_that_tell = 15'000;

/// What a daemon may have more when all is over than when it had just begun to work under the same load.
constexpr size_t memory_growth_max = size_t{32} << 20;

/// What a daemon had sent when it was killed may lie unread with a busy service for so long.
constexpr auto straggling_max = 1s;

std::string now() {
  return to_rfc3339(now_utc());
}

} // namespace

interruption away_since(const std::string& from) {
  return {from, to_rfc3339(now_utc() + straggling_max)};
}

json usual_faults() {
  return json::parse(R"({
    "forecasting": [{"slow_ms": 20}, {"rate": 0.05}],
    "production": [{"slow_ms": 20}, {"rate": 0.05, "answer_lost": true}],
    "procurement": [{"slow_ms": 20}, {"rate": 0.05, "method": "DELETE"}],
    "notifications": [{"slow_ms": 20}, {"rate": 0.1, "status": 422}],
    "insights": [{"slow_ms": 20}]
  })");
}

json night_workflow(const std::string& step_timeout) {
  std::ifstream in(LEVAIN_SOURCE_DIR "/apps/bakery/daily_bakery.json");
  auto workflow = json::parse(in);
  const auto patient =
    json{{"max_attempts", 500}, {"initial_interval", "20ms"}, {"backoff", 2.0}, {"max_interval", "500ms"}};
  for (auto& step : workflow.at("steps")) {
    step["timeout"] = step_timeout;
    step["retry"] = patient;
    if (step.contains("compensate")) {
      step["compensate"]["timeout"] = step_timeout;
      step["compensate"]["retry"] = patient;
    }
  }
  return workflow;
}

bakery_night::bakery_night(night_options options)
  : options_(std::move(options))
  , workflow_(night_workflow(options_.step_timeout))
  , callers_(bakery_.tenants(), workflow_.at("workflow"), options_.pace) {
  bakery_.set_faults(options_.faults);
  restart_database();
  database_url_ = database_->url();
  migrate_up(database_url_);
}

void bakery_night::stop_database() {
  database_.reset();
}

void bakery_night::restart_database() {
  stop_database();
  database_ = embedded_postgres::start({.directory = database_folder()});
}

std::vector<std::string> bakery_night::daemon_arguments(const std::string& url) const {
  auto arguments = bakery_.variables();
  arguments.insert(arguments.end(), {"--database", url, "--no-migrate", "--response-timeout-max", "2s"});
  arguments.insert(arguments.end(), options_.daemon_arguments.begin(), options_.daemon_arguments.end());
  return arguments;
}

void bakery_night::start_daemon(const std::string& url) {
  daemon_.emplace(daemon_arguments(url.empty() ? database_url_ : url));
  if (!killed_at_.empty())
    interruptions.push_back(away_since(killed_at_));
  killed_at_.clear();
  callers_.turn_to(daemon_->url());
}

void bakery_night::kill_daemon() {
  killed_at_ = now();
  daemon_->program().kill_and_wait();
}

bool bakery_night::begin(size_t runs, const std::string& url) {
  daemon_.emplace(daemon_arguments(url.empty() ? database_url_ : url));
  daemon_->register_workflow(workflow_);
  daemon_->wait_until_ready();
  callers_.turn_to(daemon_->url());
  evidence seen(database_url_);
  const bool begun = eventually([&] { return seen.runs_ended() >= runs && !seen.all_ended(); }, generous);
  memory_before_ = daemon_->program().memory();
  return begun;
}

bool bakery_night::callers_are_served() {
  const auto before = callers_.taken();
  return eventually([&] { return callers_.taken() >= before + lists_that_tell; }, generous);
}

bool bakery_night::services_are_called() {
  const auto before = bakery_.ledger_bytes();
  return eventually([&] { return bakery_.ledger_bytes() >= before + ledger_bytes_that_tell; }, generous);
}

void bakery_night::verify(std::vector<std::string>& found) const {
  const auto verified =
    run_to_end({.program = "levain", .arguments = {"verify", "--all", "--database", database_url_}}, generous);
  std::cout << verified.output;
  if (verified.status != 0)
    found.push_back("levain verify ends with " + std::to_string(verified.status) + ": " + verified.errors);
}

std::vector<std::string> bakery_night::what_is_wrong() {
  std::vector<std::string> found;
  const auto add = [&found](const std::vector<std::string>& more) {
    found.insert(found.end(), more.begin(), more.end());
  };
  if (!callers_.finish(generous))
    found.emplace_back("not every start is acknowledged");
  evidence seen(database_url_);
  if (!eventually([&] { return seen.all_ended(); }, generous))
    found.push_back(
      "only " + std::to_string(seen.runs_ended()) + " of " + std::to_string(seen.runs()) + " runs have ended");
  add(seen.contradictions());
  add(callers_.contradictions());
  const call_audit audit(database_url_, bakery_, workflow_);
  add(audit.contradictions_with(callers_.acknowledged()));
  add(audit.contradictions(interruptions));
  verify(found);
  if (!daemon_->program().running())
    found.push_back("the daemon has ended; it said: " + daemon_->program().errors());
  else if (!eventually([&] { return daemon_->ready(); }, generous))
    found.emplace_back("the daemon is not ready");
  const auto memory = daemon_->program().memory();
  if (memory > memory_before_ + memory_growth_max)
    found.push_back(
      "the daemon has " + std::to_string(memory >> 20) + " MiB of memory; it had " +
      std::to_string(memory_before_ >> 20) + " at the beginning");
  const auto figures = audit.figures();
  std::cout << seen.runs() << " runs: " << audit.runs_ended_as("completed") << " completed, "
            << audit.runs_ended_as("failed") << " failed, " << audit.runs_ended_as("partial_success") << " partly; "
            << callers_.taken() << " lists of starts acknowledged, " << callers_.refused() << " tries in vain, "
            << callers_.repeated() << " starts repeated; " << figures.calls << " calls of " << figures.keys << " keys, "
            << figures.made_again << " made again (" << figures.made_again_per_thousand() << " per thousand), "
            << figures.answered_from_memory << " answered from memory; memory " << (memory_before_ >> 20)
            << " MiB before, " << (memory >> 20) << " after" << std::endl;
  return found;
}

} // namespace levain::test
