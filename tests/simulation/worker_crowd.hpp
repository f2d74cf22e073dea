#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/simulation/worker_life.hpp"

namespace levain::simulation {

/// The workers of a world, and what the plan has happen to them.
class worker_crowd {
public:
  worker_crowd(ground& under, const worker_roads& roads);

  /// Boots them all, and puts on the agenda what goes wrong.
  void begin();
  template <class F>
  void for_each_running(F&& f) const {
    for (const auto& each : workers_)
      if (each.current && !each.current->state()->paused)
        f(*each.current);
  }
  void kill(life& of);
  /// Nothing goes wrong any more.
  void calm_down();
  bool all_live() const;

private:
  struct place_of_worker_life {
    std::map<std::string, uint32_t> offers;
    std::unique_ptr<worker_life> current;
    int lives = 0;
  };

  void boot(int worker);
  void arm_kill(const kill_item& x);
  void pause(const pause_item& x);
  void go_on(int worker);
  void stop(const stop_item& x);
  void come_back(int worker, duration down);
  worker_life* living(int worker) const;
  void tell(const life& who, worker_change change);

  ground& under_;
  const worker_roads roads_;
  std::vector<place_of_worker_life> workers_;
};

} // namespace levain::simulation
