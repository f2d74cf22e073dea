#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "persistence/embedded_postgres.hpp"
#include "tests/support/call_audit.hpp"
#include "tests/support/daemon.hpp"
#include "tests/support/insistent_callers.hpp"
#include "tests/support/running_bakery.hpp"

namespace levain::test {

/// The interruption by a daemon that was killed at `from` and whose successor begins now.
interruption away_since(const std::string& from);

/// What a night begins with.
struct night_options {
  insistent_callers::pace pace = {};
  /// What the services do wrong all the time; see `usual_faults`.
  nlohmann::json faults;
  /// For the daemons, beside database and services.
  std::vector<std::string> daemon_arguments = {};
  /// How long an attempt of a step or a compensation may take, in the words of a definition.
  std::string step_timeout = "5s";
};

/// Services that take some time, fail now and then, lose an answer now and then, and refuse one in ten notifications
/// for good, so that what was done before has to be undone.
nlohmann::json usual_faults();

/// The bakery's workflow with retries that come quickly and last for long.
nlohmann::json night_workflow(const std::string& step_timeout = "5s");

/// The bakery's night, to be disturbed: the services, a PostgreSQL, and callers who start runs all the time and insist
/// on every one. One thread.
class bakery_night {
public:
  /// Starts services and database. Throws when one does not start.
  explicit bakery_night(night_options options = {.faults = usual_faults()});

  running_bakery& bakery() { return bakery_; }
  insistent_callers& callers() { return callers_; }
  const std::string& database_url() const { return database_url_; }
  std::filesystem::path database_folder() const { return folder_.path() / "database"; }
  embedded_postgres& database() { return *database_; }
  /// Lets go of the server, which may be dead already, and starts it again.
  void restart_database();
  void stop_database();

  /// What a daemon needs to work here, with the database at `url`.
  std::vector<std::string> daemon_arguments(const std::string& url) const;

  /// The daemon that the callers turn to.
  running_daemon& daemon() { return *daemon_; }
  /// Starts it on the database at `url` (empty: ours); the callers turn to it once it listens.
  void start_daemon(const std::string& url = {});
  /// `kill -9`; what is called again until the next one listens is explained by that.
  void kill_daemon();

  /// Starts the daemon, registers the workflow, and lets the callers begin. True once `runs` runs have ended and others
  /// are at work; that is also when the daemon's memory is noted.
  bool begin(size_t runs, const std::string& url = {});

  /// True once starts are acknowledged again, many lists of them.
  bool callers_are_served();
  /// True once calls of services are answered again, many of them.
  bool services_are_called();

  /// The callers stop. A sentence for each thing that is not as it was promised: starts that are not acknowledged, runs
  /// that do not end, what `evidence` and `call_audit` find, differences that `levain verify` prints, and memory that
  /// the daemon has not given back. Prints what was counted.
  std::vector<std::string> what_is_wrong();

  /// When daemons were away.
  std::vector<interruption> interruptions;

private:
  void verify(std::vector<std::string>& found) const;

  night_options options_;
  temporary_folder folder_;
  running_bakery bakery_;
  std::unique_ptr<embedded_postgres> database_;
  std::string database_url_;
  nlohmann::json workflow_;
  insistent_callers callers_;
  std::optional<running_daemon> daemon_;
  std::string killed_at_;
  size_t memory_before_ = 0;
};

} // namespace levain::test
