#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <caf/behavior.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/stateful_actor.hpp>

#include "actors/cluster/wire_facing_actor.hpp"
#include "actors/worker/call_arrivals.hpp"
#include "actors/worker/gate_book.hpp"
#include "actors/worker/step_at_work.hpp"
#include "actors/worker/workbench.hpp"
#include "actors/worker/worker_inbox.hpp"

namespace levain {

/// What whoever waits for a worker can see of it.
struct worker_sight {
  std::mutex mutex;
  std::condition_variable changed;
  size_t connected = 0;
  /// Functions that have not returned.
  size_t being_done = 0;
  /// It takes nothing new any more.
  bool leaving = false;
  /// The actor that speaks for the worker has ended.
  bool ended = false;
};

/// The world around a worker: a program has clocks, a wire and threads. All are called in the actor's turn.
struct worker_surroundings {
  std::function<worker_moment()> now;
  /// In [0, 1).
  std::function<double()> random;
  /// As `connect_to_gate`.
  std::function<void(
    caf::event_based_actor*, const wire_address&, std::chrono::milliseconds, std::function<void(caf::actor)>,
    std::function<void(std::string)>)>
    connect;
  /// As `levain::cut_off`.
  std::function<void(const caf::strong_actor_ptr&)> cut_off;
  /// Calls the function of the call's kind, and posts a `work_done` to the inbox when it has returned. Throws
  /// `std::system_error` when it cannot be called now.
  std::function<void(work_number, const call_given&, std::shared_ptr<step_at_work>)> begin;
  /// Does something that takes long on another thread. Throws `std::system_error` when there is none; absent where
  /// everything may be done in the actor's turn.
  std::function<void(std::function<void()>)> aside = nullptr;
};

/// Everything that the actor which speaks for a worker is begun with.
struct worker_link_options {
  uuid id;
  std::string name;
  std::string host;
  std::vector<wire_address> nodes;
  backoff_options wait;
  std::chrono::milliseconds result_kept_max{};
  /// How many steps at once, by kind.
  std::map<std::string, uint32_t> offers;
  std::shared_ptr<worker_inbox> inbox;
  std::shared_ptr<worker_sight> sight;
  worker_surroundings around;
};

/// The hands of the workbench: connects to gates, says what the workbench wants said, calls functions.
struct worker_link_state {
  explicit worker_link_state(worker_link_options given);

  /// A node that is connected, or being introduced to.
  struct gate_link {
    /// What took the introduction.
    caf::actor gate;
    /// What answered it and gives calls; null until then.
    caf::actor desk;
    std::string name;
    std::vector<wire_address> addresses;
  };
  using links = std::map<gate_number, gate_link>;

  void begin(caf::event_based_actor* with);
  void connect_due();
  void connected(const wire_address& at, const caf::actor& gate);
  void introduce(gate_number number);
  void welcomed(gate_number number, size_t told, const worker_welcome& welcome);
  void not_welcomed(gate_number number, const std::string& reason, bool slowly);
  void unreachable(const wire_address& at, const std::string& reason);
  void lost(gate_number number, const std::string& reason, bool slowly = false);
  void list(gate_number from, const std::vector<std::string>& gates);
  /// The welcomed gate in whose program the sender of the current message lives.
  links::iterator sender();
  /// True when the sender lives in a program whose gate has not answered the introduction yet, or not in time.
  bool is_being_introduced() const;
  void cut_off_sender(const std::string& reason);

  void take_call(call_given call);
  void announce_call(const call_announced& announced);
  void take_part(call_part part);
  /// Reads a large body aside, and gives the call to the bench when that is done.
  void read_aside(gate_number gate, call_given call);
  /// True when the sender is a welcomed gate; otherwise it is declined or cut off.
  bool may_give(links::iterator from, uint64_t number);
  void give(gate_number gate, std::variant<arrived_call, nonsense> call);
  void cut_off_gate(gate_number gate, const std::string& reason);
  void drop_call(const call_dropped& dropped);
  void cancel_call(const call_cancelled& cancelled);
  void take_news();
  void take_one(const work_beat& news);
  void take_one(const work_done& news);
  void take_one(call_read& news);
  void take_one(const leave_asked& news);
  void take_one(const cancel_asked_of_all& news);
  void take_one(const go_asked& news);

  void settle();
  void act(const say_to_gate& effect);
  void act(begin_work& effect);
  void act(const extend_work& effect);
  void act(const cancel_work& effect);
  void arm();
  void perform();
  void tell_room();
  void show();

  double random() const { return options.around.random(); }
  worker_moment now() const { return options.around.now(); }

  caf::event_based_actor* self = nullptr;
  worker_link_options options;
  workbench bench;
  call_arrivals arrivals;
  gate_book book;
  links gates;
  std::map<work_number, std::shared_ptr<step_at_work>> at_work;
  gate_number last_gate = 0;
  /// Programs that did not answer the introduction in time; they may think that this worker is welcome there.
  std::set<caf::node_id> unanswered;
  /// It has been told to go; what it is answered from now on is of no interest.
  bool gone = false;
  /// A word about room is on its way.
  bool telling = false;
  /// When a tick is on its way.
  std::optional<worker_moment> armed;
};

/// WORKER LINK. Speaks for a worker: see `actors/cluster/wire_messages.hpp` for what it hears from nodes and tells
/// them. Lives in a wire system.
caf::behavior worker_link(wire_facing_actor* self, worker_link_options options);

} // namespace levain
