#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

// `docs/examples/greeting_worker/greeting_worker.cpp` is a worker in ten lines (it is installed too, in
// `share/levain/examples`); `docs/workers.md` tells what is promised to a worker, and what is asked of it.
//
// What a worker does may be done again after a crash: with the same `key`, so that whoever it talks to can do it once.

namespace levain {

/// Why a step was not done.
struct worker_failure {
  /// A sentence.
  std::string message;
  /// Whether a later attempt may mend it: then the step's retry policy decides.
  bool retry = true;
  /// When to try again at the earliest; absent leaves it to the step's policy.
  std::optional<std::chrono::milliseconds> retry_after = std::nullopt;
};

/// What a step came to: JSON, or a failure.
class worker_result {
public:
  worker_result(nlohmann::json output)
    : came_to_(std::move(output)) {}
  worker_result(worker_failure failure)
    : came_to_(std::move(failure)) {}
  const std::variant<nlohmann::json, worker_failure>& value() const { return came_to_; }

private:
  std::variant<nlohmann::json, worker_failure> came_to_;
};

/// One attempt at a step, as the function that does it sees it. Lives as long as the function runs.
class worker_step {
public:
  virtual ~worker_step() = default;

  /// Which run, a UUID in text.
  virtual const std::string& run() const = 0;
  virtual const std::string& run_number() const = 0;
  virtual const std::string& tenant() const = 0;
  virtual const std::string& step() const = 0;
  virtual const std::string& kind() const = 0;
  /// The same for every attempt at this step, whoever makes it.
  virtual const std::string& key() const = 0;
  /// From 1.
  virtual uint32_t attempt() const = 0;
  /// True when the step is to be undone.
  virtual bool undo() const = 0;
  /// Nobody waits for a result that comes later.
  virtual std::chrono::system_clock::time_point deadline() const = 0;
  /// The input of the run.
  virtual const nlohmann::json& input() const = 0;
  /// What earlier steps answered, by their names.
  virtual const nlohmann::json& results() const = 0;
  /// The run itself as the call's body has it.
  virtual const nlohmann::json& run_facts() const = 0;

  /// The body of the call as it came, JSON text of an object with `run`, `input` and `results`: for those who pass it
  /// on unread. Null where there is none.
  virtual const std::string* body() const { return nullptr; }

  /// Says that the work goes on, with a few words for people; at most `progress_bytes_max` bytes of them are kept. A
  /// step whose definition asks for heartbeats is given up when none came for so long. Any thread.
  virtual void heartbeat(const std::string& progress = {}) = 0;
  /// Nobody waits for the result any more: the deadline has passed, the run was cancelled, or another does it. Any
  /// thread.
  virtual bool cancelled() const = 0;
};

/// Does a step. Called on a thread of the worker, several at a time; an exception is a failure that a later attempt may
/// mend, with the exception's text.
using worker_function = std::function<worker_result(worker_step&)>;

/// Settings of a worker, with their defaults.
struct worker_options {
  /// HOST:PORT of at least one node; the others are learnt from it.
  std::vector<std::string> nodes;
  /// For people; by default the name of the machine and the number of the process.
  std::string name;
  /// PEM files for mutual TLS: all three, or none for a cluster without.
  std::string certificate;
  std::string key;
  std::string ca;
  /// Between tries to reach a node: from the first to the second, doubling, with jitter.
  std::chrono::milliseconds reconnect_interval_initial{100};
  std::chrono::milliseconds reconnect_interval_max{5'000};
  /// How long `stop` waits for the steps that are being done.
  std::chrono::milliseconds stop_grace{10'000};
  /// How long a result is kept that no node is there to take.
  std::chrono::milliseconds result_kept_max{600'000};
};

/// A process that does steps of some kinds for a cluster of nodes. What it goes through (connections, refusals) goes to
/// the logger `levain_worker` of spdlog: standard error, unless the program has registered one by that name. One at a
/// time in a process. Members are for the thread that made it, but `stop` and `connected`.
class worker {
public:
  static constexpr size_t progress_bytes_max = 1000;
  static constexpr uint32_t at_once_max = 10'000;

  /// Throws `std::invalid_argument` for options that cannot be, with the option and its value.
  explicit worker(worker_options options);
  /// Stops as `stop` does.
  ~worker();
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;

  /// Does steps of `kind`, at most `at_once` at a time, 1 to `at_once_max`. Before `start` or `run`. Throws
  /// `std::invalid_argument` when the kind is no letter followed by letters, digits, '_', '-' and '.', has more than
  /// 100 bytes or is offered already, or one of more than 100, or when `at_once` is out of range.
  void offer(std::string kind, uint32_t at_once, worker_function function);

  /// Connects and works in the background. Throws `std::runtime_error` when the certificates cannot be used, and
  /// `std::logic_error` when nothing is offered.
  void start();
  /// `start`, then waits until SIGTERM, SIGINT, SIGQUIT, SIGHUP (unless it was ignored) or `stop`, then stops. Call
  /// before other threads begin: it blocks these signals until it returns. A second signal ends the program at once.
  /// What SIGPIPE does is left to the program. Throws as `start`, and `std::runtime_error` when the worker broke.
  void run();
  /// Takes nothing new, ends what is being done within `stop_grace`, and goes. What has not ended by then is cancelled
  /// and soon left alone: the nodes have it done elsewhere, with the same keys. Any thread but those that do steps.
  void stop();

  /// Nodes that it is connected with now. Any thread.
  size_t connected() const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace levain
