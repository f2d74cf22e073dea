#include "actors/worker/step_at_work.hpp"

#include "persistence/plain_line.hpp"

namespace levain {

step_at_work::step_at_work(
  arrived_call call, worker_moment deadline, std::function<worker_moment()> now, std::function<void(std::string)> beat)
  : call_(std::move(call))
  , run_(to_string(call_.given.run))
  , tenant_(to_string(call_.given.tenant))
  , deadline_(deadline.time_since_epoch())
  , now_(std::move(now))
  , beat_(std::move(beat)) {}

std::chrono::system_clock::time_point step_at_work::deadline() const {
  const auto left = steady_deadline() - now_();
  return std::chrono::system_clock::now() + std::chrono::duration_cast<std::chrono::system_clock::duration>(left);
}

void step_at_work::heartbeat(const std::string& progress) {
  beat_(plain_line(progress, worker::progress_bytes_max));
}

bool step_at_work::cancelled() const {
  return cancelled_ || now_() >= steady_deadline();
}

} // namespace levain
