#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "actors/cluster/wire_messages.hpp"
#include "actors/worker/kept_results.hpp"
#include "actors/worker/work_result.hpp"

namespace levain {

/// Counts the times that a worker called one of its functions.
using work_number = uint64_t;

/// A call as it arrived, its body read.
struct arrived_call {
  /// Its `body` is empty: it is in the next member.
  call_given given;
  std::shared_ptr<const nlohmann::json> body;
  /// The body as it came.
  std::shared_ptr<const std::string> text = nullptr;
};

/// What a worker says to a node.
using worker_word =
  std::variant<call_begun, call_declined, room_made, call_heartbeat, call_ended, calls_held, worker_leaving>;

// What the workbench wants done.

/// Say this to a gate.
struct say_to_gate {
  gate_number gate = 0;
  worker_word word;
};
/// Call the function of the call's kind.
struct begin_work {
  work_number work = 0;
  arrived_call call;
  worker_moment deadline;
};
/// Whoever waits for it waits longer.
struct extend_work {
  work_number work = 0;
  worker_moment deadline;
};
/// It is to end early: nobody waits for it any more, or its run is cancelled.
struct cancel_work {
  work_number work = 0;
};
using workbench_effect = std::variant<say_to_gate, begin_work, extend_work, cancel_work>;

/// Everything that a worker knows and decides: slots per kind, calls by node and number, work by key, results that
/// nobody took yet. It has no wire, no thread and no clock: it is told what happened and when, and answers what is to
/// be done. One thread.
///
/// Work with one key is never done twice at a time: a call with a key that is being done joins it and gets its answer.
/// Of several callers the one with the highest epoch gets it, and of those the last; the others hear no more of it. A
/// call whose key is being done for nobody any more (it was dropped, or its time is over) waits until that function has
/// returned, and is done afresh.
class workbench {
public:
  /// `result_kept_max`: how long results that nobody took are kept.
  explicit workbench(std::chrono::milliseconds result_kept_max);

  /// Before anything else is said.
  void offer(const std::string& kind, uint32_t at_once);
  std::vector<wire_offer> offers() const;

  /// A gate has welcomed this worker. `told` of the held calls it knows from the introduction.
  void gate_opened(gate_number gate, size_t told, worker_moment now);
  void gate_lost(gate_number gate, worker_moment now);
  /// A call's body is on its way, or is being read: a slot is kept for it until it is given or withdrawn. False when
  /// there is no room for it; it is declined then.
  bool reserve(gate_number gate, const call_given& call, worker_moment now);
  /// A call for which a slot was kept does not come: it is declined.
  void withdraw(gate_number gate, const call_given& call);
  /// Answers what is wrong when no node of ours would send this.
  std::optional<std::string> give(gate_number gate, arrived_call call, worker_moment now);
  /// This gate does not wait for the call any more. What is done for it is cancelled, unless its run `moves`: then it
  /// goes on, and all gates are told that it is held here.
  void drop(gate_number gate, uint64_t number, bool moves);
  /// The run of this call is cancelled: what is done for it is to end early, and its result is awaited all the same.
  void cancel(gate_number gate, uint64_t number);

  /// The function says that it goes on.
  void beat(work_number work, const std::string& progress, worker_moment now);
  /// The function has returned.
  void finish(work_number work, work_result result, worker_moment now);

  /// Takes nothing new from now on, and says so to everybody.
  void leave();
  /// Cancels what is still being done. What succeeds nevertheless counts; that it failed tells nobody anything.
  void cancel_all();

  /// Time has passed: says what had to wait.
  void pass(worker_moment now);
  /// When `pass` is to be called at the latest; nothing when nothing waits for time.
  std::optional<worker_moment> next_due() const;
  /// True when a node may think wrongly of the room here: there is none any more, there is more, or it was declined.
  bool room_moved() const { return !room_moved_.empty(); }
  /// Says how much room there is to everybody, once for each kind. Call when a batch of news was told.
  void tell_room();

  /// What is to be done since the last time, in order.
  std::vector<workbench_effect> take_effects() { return std::exchange(effects_, {}); }

  /// Work and results without a node that waits for them.
  std::vector<held_call> held(worker_moment now);
  size_t being_done() const { return works_.size(); }
  size_t results_kept() const { return kept_.size(); }

private:
  struct kind_slots {
    uint32_t at_once = 0;
    uint32_t taken = 0;
  };
  /// Who waits for an answer.
  struct caller {
    gate_number gate = 0;
    uint64_t number = 0;
    int64_t epoch = 0;
  };
  /// A call that waits for a function to return, and how long anybody waits for it.
  struct next_call {
    arrived_call call;
    worker_moment deadline;
  };
  struct work {
    std::string kind;
    std::string key;
    uint32_t attempt = 0;
    worker_moment deadline;
    /// Nobody waits for what is being done; its result counts for nothing.
    bool dropped = false;
    /// It was cancelled because this worker goes: unless it succeeds nevertheless, it is another worker's.
    bool handed_back = false;
    std::optional<caller> waits;
    /// The same key, to be done when this has returned: in any case when it was dropped, otherwise when it has failed.
    std::optional<next_call> next;
    worker_moment beat_at{};
    std::optional<std::string> words;
  };
  using call_name = std::pair<gate_number, uint64_t>;

  void say(gate_number gate, worker_word word) { effects_.emplace_back(say_to_gate{gate, std::move(word)}); }
  void say_ended(const caller& to, const std::string& key, const work_result& result);
  void decline(gate_number gate, const call_given& call);
  void unreserve(const std::pair<gate_number, uint64_t>& call);
  void begin(arrived_call call, const caller& waits, worker_moment deadline);
  void begin_next(next_call next, const caller& waits, worker_moment now);
  void join(work_number number, work& at, gate_number gate, arrived_call call, worker_moment now);
  void wait_for(work_number number, work& at, gate_number gate, const call_given& call);
  void forget_caller(work& at);
  void keep(gate_number gate, const std::string& key, uint32_t attempt, work_result result, worker_moment now);
  void say_beat(work_number number, work& at, worker_moment now);
  void say_held(gate_number gate, const std::vector<held_call>& held, size_t from);
  void release(const std::string& kind);
  static uint32_t free_of(const kind_slots& slots) { return slots.at_once - slots.taken; }

  std::map<std::string, kind_slots> kinds_;
  std::set<gate_number> gates_;
  std::map<work_number, work> works_;
  std::unordered_map<std::string, work_number> by_key_;
  std::map<call_name, work_number> by_call_;
  std::set<std::pair<worker_moment, work_number>> beats_due_;
  /// Kinds of the slots that are kept for calls on their way.
  std::map<call_name, std::string> reserved_;
  kept_results kept_;
  /// Sent, but perhaps to a node that was dying.
  kept_results sent_;
  /// Kinds whose room is to be told.
  std::set<std::string> room_moved_;
  work_number last_work_ = 0;
  bool leaving_ = false;
  std::vector<workbench_effect> effects_;
};

} // namespace levain
