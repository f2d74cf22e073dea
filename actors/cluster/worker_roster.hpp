#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "actors/calls/call_in_flight.hpp"
#include "actors/cluster/wire_limits.hpp"
#include "actors/cluster/wire_messages.hpp"
#include "actors/cluster/worker_view.hpp"
#include "actors/run_machine/prepare_call.hpp"
#include "actors/run_machine/worker_call_view.hpp"

namespace levain {

struct worker_roster_options {
  /// Workers on the machine of this name come first; empty when none does.
  std::string host;
  /// Further ones are refused.
  size_t workers_max = levain::workers_max;
  /// Further calls fail, and may be tried again.
  size_t calls_waiting_max = levain::worker_calls_waiting_max;
  /// An attempt fails, and may be tried again, once so many workers were lost with it in hand.
  size_t deliveries_max = 5;
};

/// Who is to do which call: the workers that are connected, the calls that wait for one, and those that are out.
///
/// A call goes to who holds it already (same key and attempt), else to a worker that has not let down an earlier
/// attempt at the step (it may be busy with it for good), else to one on this machine, else to who has the most room,
/// else to who got a call longest ago. Calls of one kind wait in the order in which they began; one that comes back has
/// its old place. Knows neither clocks nor wires; not safe from several threads.
class worker_roster {
public:
  /// A worker that is connected; counts up, and is never given twice.
  using seat = uint64_t;

  /// This call is this worker's now: it is to be told.
  struct gift {
    seat to = 0;
    uint64_t number = 0;
    bool operator==(const gift&) const = default;
  };

  /// What became of a worker's word.
  struct word_taken {
    /// Why no program of ours says it; empty when it may be said. Nothing has changed then.
    std::string fault = {};
    /// The call that has ended by it.
    std::optional<uint64_t> ended = {};
  };

  /// A call whose worker has been silent for too long.
  struct silent_call {
    uint64_t number = 0;
    seat with = 0;
    std::string worker;
    duration heartbeat{};
  };

  /// How a call that is out has moved.
  struct moved_call {
    uint64_t number = 0;
    call_news what;
  };

  /// A call that ended without a worker's answer.
  struct ended_call {
    uint64_t number = 0;
    call_failure why;
  };

  explicit worker_roster(worker_roster_options options);

  // ---- workers

  /// Seats a worker whose hello was checked (`fault_in`); refuses it with a sentence. If it was seated already, it
  /// leaves that seat.
  std::variant<seat, std::string> join(const worker_hello& who, timestamp now);
  /// The worker is gone: its calls are somebody else's.
  void leave(seat who, timestamp now);
  /// The worker with this id; nothing when it is not connected.
  std::optional<seat> seat_of(const uuid& worker) const;
  bool is_seated(seat who) const { return workers_.contains(who); }
  /// For people; empty when there is nobody.
  std::string name_of(seat who) const;
  /// The runs of the calls that it has, each once.
  std::vector<run_id> runs_with(seat who) const;

  // ---- calls

  /// Lets a `worker_call` begin: answers its number, or why it cannot.
  std::variant<uint64_t, std::string> add(call_request request, timestamp now);
  /// Nobody waits for the call any more. Answers who has it and is to be told.
  std::optional<seat> drop(uint64_t number);
  /// Takes a call back that nobody was given: it has ended (`take_ended`) as withdrawn. If it may have begun and its
  /// run does not go on, it is given to no further worker, and ends as unknown when it waits for one. Answers who has
  /// it.
  std::optional<seat> withdraw(uint64_t number, withdraw_reason why);
  bool is_out(uint64_t number) const { return calls_.contains(number); }
  /// What a worker is told of a call that is out with it; without its body when that is longer than
  /// `call_whole_bytes_max`.
  call_given message_of(uint64_t number, timestamp now) const;
  /// The body of a call; null when there is no such call any more.
  const std::string* body_of(uint64_t number) const;
  /// What has been given since this was asked last, in that order.
  std::vector<gift> take_gifts() { return std::exchange(gifts_, {}); }
  /// How calls have moved since this was asked last, in that order.
  std::vector<moved_call> take_moved() { return std::exchange(moved_, {}); }
  /// Which calls have ended without an answer since this was asked last.
  std::vector<ended_call> take_ended() { return std::exchange(ended_, {}); }

  // ---- what workers say

  word_taken take(seat who, const call_begun& x, timestamp now);
  word_taken take(seat who, const call_declined& x, timestamp now);
  word_taken take(seat who, const room_made& x, timestamp now);
  word_taken take(seat who, const call_heartbeat& x, timestamp now);
  word_taken take(seat who, const call_ended& x, timestamp now);
  word_taken take(seat who, const calls_held& x, timestamp now);
  word_taken take(seat who, const worker_leaving& x, timestamp now);

  /// When the next call will have been silent for too long.
  std::optional<timestamp> next_due() const;
  /// Ends the calls that have been silent for too long.
  std::vector<silent_call> take_silent(timestamp now);

  // ---- for people

  std::optional<worker_call_view> look(const std::string& key, uint32_t attempt) const;
  worker_figures figures() const;
  std::vector<worker_view> list() const;

private:
  using call_name = std::pair<std::string, uint32_t>;

  struct call {
    call_request request;
    std::string kind;
    duration heartbeat{};
    timestamp deadline{};
    /// Who has it; nothing while it waits.
    std::optional<seat> with;
    timestamp given_at{};
    /// How often it was given to a worker.
    uint32_t deliveries = 0;
    /// The workers that were lost with it in hand, by earlier nodes too.
    std::vector<std::string> lost_workers;
    /// A worker had it and is gone, or an earlier owner of its run may have given it to one.
    bool may_have_begun = false;
    /// Only a worker that has it already is given it: its run has stopped.
    bool to_holder_only = false;
    /// Its worker has said that it does it.
    bool begun = false;
    /// What its worker holds already has its room there.
    bool takes_room = false;
    timestamp heard_at{};
    std::string progress;
    std::optional<timestamp> progress_at;
  };

  struct room {
    uint32_t at_once = 0;
    uint32_t free = 0;
    /// Calls given that take room, and neither begun nor declined: what the worker says of its room does not count
    /// them.
    uint32_t on_the_way = 0;
  };

  struct dropped_call {
    std::string kind;
    std::string key;
  };

  struct worker {
    uuid id;
    std::string name;
    std::string host;
    std::string version;
    timestamp since{};
    std::map<std::string, room> rooms;
    std::set<uint64_t> calls;
    /// Calls that it holds, in the order in which it said so, and the place of each in that order.
    std::map<uint64_t, call_name> held;
    std::map<call_name, uint64_t> held_at;
    uint64_t held_ever = 0;
    /// Calls that nobody waits for, by number: a word on them may be on its way.
    std::map<uint64_t, dropped_call> dropped;
    std::multiset<std::string> dropped_keys;
    /// Those up to here may have been dropped and are not known any more.
    uint64_t forgotten_up_to = 0;
    /// The count of gifts when it got its last one.
    uint64_t last_gift = 0;
    bool leaving = false;
  };

  struct line {
    std::set<uint64_t> waiting;
    std::set<seat> offered_by;
  };

  std::optional<seat> choose(const line& from) const;
  bool give_to_holder(uint64_t number, timestamp now);
  void serve(const std::string& kind, timestamp now);
  void give(uint64_t number, seat to, bool held, timestamp now);
  void take_back(uint64_t number);
  void lose_delivery(uint64_t number, const worker& whose);
  void end_if_given_up(uint64_t number);
  void end(uint64_t number, call_failure why);
  void hold(seat who, const std::vector<held_call>& held, timestamp now);
  void let_go(seat who, const call_name& name);
  void forget_held(const call_name& name);
  void stop_offering(seat who);
  void erase(uint64_t number);
  void arrived(worker& whose, call& x);
  void remember_dropped(worker& whose, uint64_t number, const call& dropped);
  static void forget_dropped(worker& whose, std::map<uint64_t, dropped_call>::iterator dropped);
  void watch(uint64_t number, call& whose, timestamp heard_at);
  void unwatch(uint64_t number, const call& whose);
  bool is_late(const worker& who, uint64_t number) const;
  std::string fault_of(const worker& who, uint64_t number) const;
  call* find_given(seat who, uint64_t number);
  room* find_room(worker& whose, const std::string& kind);

  worker_roster_options options_;
  std::map<seat, worker> workers_;
  seat last_seat_ = 0;
  std::unordered_map<uint64_t, call> calls_;
  uint64_t last_number_ = 0;
  std::map<call_name, uint64_t> by_name_;
  /// All who say so.
  std::map<call_name, std::set<seat>> held_by_;
  std::map<std::string, line> lines_;
  /// By the time at which it will have been silent for too long.
  std::set<std::pair<timestamp, uint64_t>> watched_;
  std::vector<gift> gifts_;
  std::vector<moved_call> moved_;
  std::vector<ended_call> ended_;
  uint64_t gifts_ever_ = 0;
  size_t waiting_ = 0;
};

} // namespace levain
