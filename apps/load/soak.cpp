#include "apps/load/soak.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actors/gateway/http_server.hpp"
#include "apps/client/exit_status.hpp"
#include "apps/load/bench/bench_daemon.hpp"
#include "apps/load/process_cpu.hpp"

namespace levain::load {

namespace {

using namespace std::chrono_literals;
using nlohmann::ordered_json;

constexpr auto look_interval = 250ms;
/// An allocator gives memory back by and by.
constexpr auto rest = 20s;
constexpr uint64_t mebibyte = 1024 * 1024;
/// Of large starts a request has few.
constexpr size_t list_max = 4;
constexpr size_t connections = 2;
/// What a run may have on its way to the database at a time, in answers; see `run_budget`.
constexpr uint64_t answers_on_their_way = 4;

std::string definition_of(const soak_options& options, const std::string& service) {
  auto steps = ordered_json::array();
  for (uint32_t i = 0; i < options.steps; ++i) {
    ordered_json step{
      {"name", fmt::format("step{}", i + 1)},
      {"call", {{"http", {{"url", service}}}}},
      {"timeout", "1m"},
      {"retry", {{"max_attempts", 10}}}};
    if (i > 0)
      step["needs"] = {fmt::format("step{}", i)};
    steps.push_back(std::move(step));
  }
  // The service's port is another one each time.
  const auto port = service.substr(service.rfind(':') + 1);
  return ordered_json{{"workflow", fmt::format("soak_{}", port)}, {"version", 1}, {"steps", std::move(steps)}}.dump();
}

/// Looks at the daemon's memory until it is told to end.
class memory_watch {
public:
  memory_watch(const bench_daemon& daemon, soak_result& result)
    : daemon_(daemon)
    , result_(result)
    , thread_([this] { run(); }) {}
  ~memory_watch() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  memory_watch(const memory_watch&) = delete;
  memory_watch& operator=(const memory_watch&) = delete;

private:
  void run() {
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, look_interval, [this] { return ended_; }))
      look();
  }

  void look() {
    result_.rss_peak = std::max(result_.rss_peak, rss_bytes_of(daemon_.process()).value_or(0));
    try {
      const auto memory = daemon_.status().at("memory");
      result_.runs_bytes_peak = memory.at("runs_bytes_peak");
      result_.calls_bytes_peak = memory.at("calls_bytes_peak");
      ++result_.looks;
      if (memory.at("calls_waiting").get<uint64_t>() > 0)
        ++result_.looks_with_waiting_calls;
    } catch (const std::exception&) {
      // A daemon that does not answer is the load's to tell.
    }
  }

  const bench_daemon& daemon_;
  soak_result& result_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;
  std::thread thread_;
};

void judge_load(soak_result& result) {
  const auto& load = result.load.result;
  for (const auto& [status, count] : load.endings)
    if (status != "completed")
      result.complaints.push_back(fmt::format("{} runs ended as {}", count, status));
  for (const auto& [what, count] : load.errors)
    result.complaints.push_back(fmt::format("{} times: {}", count, what));
  if (load.runs == 0)
    result.complaints.emplace_back("no run has ended");
  result.complaints.insert(result.complaints.end(), result.load.complaints.begin(), result.load.complaints.end());
}

} // namespace

std::vector<std::string> memory_complaints(const soak_options& options, const soak_result& result) {
  std::vector<std::string> all;
  const auto check = [&](const char* what, uint64_t value, uint64_t most, const std::string& why) {
    if (value > most)
      all.push_back(
        fmt::format("{}: {} MiB, at most {} MiB are right ({})", what, value / mebibyte, most / mebibyte, why));
  };
  const auto grown = [&](uint64_t to) { return to - std::min(to, result.rss_begin); };
  check(
    "resident memory grew at its peak by", grown(result.rss_peak),
    options.runs_bytes_max + options.calls_bytes_max + options.other_bytes_max,
    "runs_bytes_max, calls_bytes_max and what else a daemon takes");
  check("resident memory had grown at the end by", grown(result.rss_end), options.other_bytes_max, "nothing runs then");
  const auto run_bytes = options.body_bytes * (options.steps + answers_on_their_way);
  check(
    "live runs held at most", result.runs_bytes_peak, options.runs_bytes_max + run_bytes, "runs_bytes_max and one run");
  // A call carries the input and what came before; one call and one answer go beyond.
  const auto call_bytes = options.body_bytes * (options.steps + 1);
  check(
    "calls held at most", result.calls_bytes_peak, options.calls_bytes_max + call_bytes,
    "calls_bytes_max, one call and one answer");
  return all;
}

soak_result run_soak(const soak_options& options, const load_watch& watch) {
  soak_result result;
  const auto answer = json_of_bytes(options.body_bytes);
  http_server_options serving;
  serving.any_host = true;
  serving.bodies_bytes_max = serving.answers_bytes_max = 16'384 * mebibyte;
  http_server service(serving, [&answer](http_request, const std::function<void(http_response)>& respond) {
    http_response response;
    response.body = answer;
    respond(std::move(response));
  });
  bench_options stage;
  stage.directory = options.directory;
  stage.daemon_program = options.daemon_program;
  stage.stopped = watch.stopped;
  bench_daemon daemon(
    stage, options.database_url,
    {"--runs-bytes-max", std::to_string(options.runs_bytes_max), "--calls-bytes-max",
     std::to_string(options.calls_bytes_max)});
  daemon.wait_until_ready();
  result.rss_begin = rss_bytes_of(daemon.process()).value_or(0);
  load_options load;
  load.definition = definition_of(options, fmt::format("http://127.0.0.1:{}", service.port()));
  load.input_bytes = options.body_bytes;
  load.pace.in_flight = options.in_flight;
  load.length = options.length;
  load.drain = 10min;
  load.proof = false;
  {
    const memory_watch looking(daemon, result);
    result.load = load_daemons(load, {{daemon.url()}, list_max, connections}, options.database_url, watch);
  }
  result.rss_peak = std::max(result.rss_peak, peak_rss_bytes_of(daemon.process()).value_or(0));
  std::this_thread::sleep_for(rest);
  result.rss_end = rss_bytes_of(daemon.process()).value_or(0);
  if (result.rss_end == 0)
    result.complaints.emplace_back("the daemon has ended");
  judge_load(result);
  const auto memory = memory_complaints(options, result);
  result.complaints.insert(result.complaints.end(), memory.begin(), memory.end());
  return result;
}

} // namespace levain::load
