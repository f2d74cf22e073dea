#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "actors/worker/workbench.hpp"

namespace levain {

/// An attempt at a step as its function sees it. The function's thread and the worker's share it.
class step_at_work : public worker_step {
public:
  /// `beat` is told the words of each heartbeat; both functions are called on any thread.
  step_at_work(
    arrived_call call, worker_moment deadline, std::function<worker_moment()> now,
    std::function<void(std::string)> beat);

  const std::string& run() const override { return run_; }
  const std::string& run_number() const override { return call_.given.run_number; }
  const std::string& tenant() const override { return tenant_; }
  const std::string& step() const override { return call_.given.step; }
  const std::string& kind() const override { return call_.given.kind; }
  const std::string& key() const override { return call_.given.key; }
  uint32_t attempt() const override { return call_.given.attempt; }
  bool undo() const override { return call_.given.undo; }
  std::chrono::system_clock::time_point deadline() const override;
  const nlohmann::json& input() const override { return call_.body->at("input"); }
  const nlohmann::json& results() const override { return call_.body->at("results"); }
  const nlohmann::json& run_facts() const override { return call_.body->at("run"); }
  const std::string* body() const override { return call_.text.get(); }
  void heartbeat(const std::string& progress) override;
  bool cancelled() const override;

  /// Somebody waits longer. Any thread.
  void extend(worker_moment deadline) { deadline_ = deadline.time_since_epoch(); }
  /// Nobody waits. Any thread.
  void cancel() { cancelled_ = true; }

private:
  worker_moment steady_deadline() const { return worker_moment(deadline_.load()); }

  arrived_call call_;
  std::string run_;
  std::string tenant_;
  std::atomic<worker_moment::duration> deadline_;
  std::atomic<bool> cancelled_{false};
  std::function<worker_moment()> now_;
  std::function<void(std::string)> beat_;
};

} // namespace levain
