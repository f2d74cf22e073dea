#pragma once

#include <memory>
#include <vector>

#include "tests/simulation/callers.hpp"
#include "tests/simulation/ground.hpp"
#include "tests/simulation/node_life.hpp"
#include "tests/simulation/services.hpp"
#include "tests/simulation/tampering.hpp"
#include "tests/simulation/worker_crowd.hpp"

namespace levain::simulation {

/// When faults have stopped, every run that was accepted ends within this time, or is paused.
inline constexpr duration liveness_bound = std::chrono::minutes(20);

/// A few nodes over one database, with the people who ask them and the services they call, in one thread and in virtual
/// time. Everything follows from the plan; the audience is told of all that can be seen.
class world {
public:
  world(const plan& script, witness& audience);
  ~world();

  /// From the beginning to the end, once.
  void run();

  const coverage& seen() const { return under_.seen; }
  /// Messages that were handled.
  uint64_t messages() const { return messages_; }
  /// Changes with every choice of who is next: equal for equal stories.
  uint64_t fingerprint() const { return fingerprint_; }
  timestamp now() const { return under_.now; }
  /// Whose message is being handled.
  place acting() const { return under_.acting == nullptr ? place{} : under_.acting->who; }
  duration lasted() const { return under_.now - ground::world_begin; }

private:
  struct place_of_node {
    std::unique_ptr<node_life> current;
    int lives = 0;
  };
  // ---- what moves the world ----
  void step(timestamp limit);
  template <class F>
  void for_each_running(F&& f) const;
  void run_one(const runnable_jobs& jobs);
  size_t choose(const runnable_jobs& jobs);
  void pass_time(timestamp limit);
  void let_pass(life& of, duration span);
  void bury();

  // ---- what happens to nodes ----
  void schedule_faults();
  void boot(int node);
  void kill(life& of);
  void come_back(int node, duration down);
  void pause(const pause_item& x);
  void go_on(int node);
  void stop(const stop_item& x);
  void skew(const skew_item& x);
  void drain(int node, bool draining, const std::function<void()>& then);
  void schedule_drain(const drain_item& x);
  void arm_kill(const kill_item& x);
  node_life* living(int node) const;
  void tell(const life& who, process_change change);

  // ---- the end ----
  timestamp end_of_faults() const;
  void clear_up();
  void complete(int node);
  bool all_live() const;
  bool is_paused(const run_id& run) const;
  bool is_quiet(const run_id& run) const;
  std::vector<audit_row> unfinished() const;
  void see_to_attention();
  void let_end();
  std::vector<run_left_over> explain_unfinished();

  ground under_;
  fate_book fates_;
  services services_;
  links links_;
  worker_wire worker_wire_;
  callers callers_;
  tampering tampering_;
  std::vector<place_of_node> nodes_;
  /// Dead, but with frames on the stack that have to return first.
  std::vector<std::unique_ptr<node_life>> dead_;
  worker_crowd workers_;
  size_t depth_ = 0;
  /// Drains that are not over, but those that never end.
  size_t drains_open_ = 0;
  /// The youngest life.
  timestamp booted_at_{};
  bool faults_over_ = false;
  /// It was given up, because it never came to rest.
  bool restless_ = false;
  uint64_t messages_ = 0;
  uint64_t fingerprint_ = 0;
};

} // namespace levain::simulation
