#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "actors/worker/worker_link.hpp"
#include "tests/simulation/fate_book.hpp"
#include "tests/simulation/simulated_process.hpp"
#include "tests/simulation/worker_wire.hpp"

namespace levain::simulation {

/// What a worker of a world is joined to.
struct worker_roads {
  worker_wire& wire;
  const fate_book& fates;
};

/// One life of a worker: the actor that speaks for it, as `worker` begins it, and functions that do what the plan has
/// for them.
class worker_life : public simulated_process {
public:
  /// `offers` has how many at once, by kind.
  worker_life(ground& under, const worker_roads& roads, place who, const std::map<std::string, uint32_t>& offers);
  /// The process is gone: nothing it says any more reaches anybody.
  ~worker_life() override;

  /// Ends in order, as `worker::stop` does; `ended` is told when the process is at its end.
  void stop(std::function<void()> ended);

private:
  /// A function that was called and has not returned.
  struct function {
    uint64_t number = 0;
    work_number work = 0;
    call_given call;
    std::shared_ptr<step_at_work> step;
    int input = 0;
    fate_item fate;
    timestamp begun{};
    bool cancelled = false;
    bool returns = false;
  };
  using function_ptr = std::shared_ptr<function>;

  worker_surroundings surroundings();
  void connect(
    caf::event_based_actor* self, const wire_address& at, std::chrono::milliseconds time_max,
    const std::function<void(caf::actor)>& connected, const std::function<void(std::string)>& failed);
  void hears(const caf::mailbox_element& x) override;
  void has_run() override;
  bool is_being_done(const std::string& key) const;

  void begin(work_number work, const call_given& call, const std::shared_ptr<step_at_work>& step);
  void come_about(const function_ptr& x);
  void die_of(const function_ptr& x);
  void beat(const function_ptr& x);
  void look();
  void look_on(const function_ptr& x);
  void end(const function_ptr& x, duration after, const worker_result& result);
  void end(const function_ptr& x, const work_result& result);
  void wait_until_done(timestamp until, const std::function<void()>& then);
  worker_moment moment() const;
  /// Lets this happen in the process when it is due.
  void later(duration after, std::function<void()> what);

  const worker_roads roads_;
  chance luck_;
  std::shared_ptr<worker_inbox> inbox_ = std::make_shared<worker_inbox>();
  std::shared_ptr<worker_sight> sight_ = std::make_shared<worker_sight>();
  caf::actor link_;
  /// Answers the link when it wants to be connected.
  caf::actor connector_;
  std::map<work_number, function_ptr> functions_;
  /// The last attempt of each key that was done to its end.
  std::map<std::string, uint32_t> returned_;
  /// The key of the call that is about to be handled, when its attempt was done before.
  std::string asked_again_;
};

} // namespace levain::simulation
