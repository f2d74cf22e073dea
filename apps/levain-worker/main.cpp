// A worker: parses, wires, waits.
#include <csignal>
#include <iostream>
#include <memory>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "actors/worker/include/levain/worker.hpp"
#include "apps/client/exit_status.hpp"
#include "apps/program/init_process.hpp"
#include "apps/program/log_format.hpp"
#include "apps/worker/bakery_work.hpp"
#include "apps/worker/fork_server.hpp"
#include "apps/worker/worker_command_line.hpp"

namespace levain {

namespace {

void set_up_log(const worker_command_line& line) {
  // The name that the worker's library looks for.
  auto log = spdlog::stderr_color_mt("levain_worker");
  if (line.log_json)
    log->set_formatter(std::make_unique<json_log_formatter>());
  else
    log->set_formatter(std::make_unique<plain_log_formatter>());
  log->set_level(spdlog::level::from_str(line.log_level));
  spdlog::set_default_logger(std::move(log));
}

worker_function function_of(
  const offered_kind& kind, const std::shared_ptr<bakery_work>& bakery, const std::vector<std::string>& passed) {
  if (kind.service.empty())
    return [command = kind.command, passed](worker_step& step) { return run_command(command, step, passed); };
  return [bakery, service = kind.service](worker_step& step) { return bakery->answer(service, step); };
}

int run(const worker_command_line& line) {
  try {
    const auto bakery = std::make_shared<bakery_work>(line.state_dir, line.faults);
    worker works(line.worker);
    for (const auto& each : line.kinds) {
      works.offer(each.kind, each.at_once, function_of(each, bakery, line.passed_variables));
      spdlog::info("offered kind={} at_once={}", each.kind, each.at_once);
    }
    works.run();
    spdlog::info("stopped");
    return static_cast<int>(exit_status::done);
  } catch (const std::exception& failure) {
    std::cerr << "levain-worker: " << failure.what() << '\n';
    return static_cast<int>(exit_status::failed);
  }
}

} // namespace

} // namespace levain

int main(int argc, char** argv) {
  levain::begin_below_init();
  const auto read = levain::read_worker_command_line(argc, argv);
  if (const auto* status = std::get_if<int>(&read))
    return *status;
  const auto& line = std::get<levain::worker_command_line>(read);
  levain::set_up_log(line);
  // A peer, a reader of the log or a command that went away is an error of that one write.
  std::signal(SIGPIPE, SIG_IGN);
  levain::fork_server::of_this_process();
  return levain::run(line);
}
