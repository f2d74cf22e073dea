#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "actors/cluster/worker_calls.hpp"
#include "actors/cluster/worker_roster.hpp"

namespace levain {

/// Between the engine, which begins calls, and the actor that speaks with the workers. Knows no wire: what is to be
/// sent waits here until the actor takes it, and calls wait here while there is no actor yet.
///
/// Held by a `shared_ptr`, which the calls that are out refer to weakly. All members are safe from any thread.
class worker_desk : public worker_calls, public std::enable_shared_from_this<worker_desk> {
public:
  using seat = worker_roster::seat;

  /// What is to be sent to a worker.
  struct word_out {
    seat to = 0;
    std::variant<call_given, call_dropped, call_cancelled> word;
  };

  worker_desk(worker_roster_options options, std::function<timestamp()> now);
  ~worker_desk() override;

  // ---- the engine's side

  /// The call waits until a worker has room for it, for as long as nobody gives it up.
  call_in_flight begin(call_request request, call_done done) override;
  /// The same; `told` learns when a worker is given the call and when the call waits again.
  call_in_flight begin_told(call_request request, call_done done, call_told told) override;
  std::optional<worker_call_view> look(const std::string& key, uint32_t attempt) const override;
  worker_figures figures() const override;
  std::vector<worker_view> list() const override;

  /// Ends all calls, those that are yet to begin too: the node is shutting down. Idempotent.
  void close();

  // ---- the side of the wire

  /// `wake` is called when the engine has left something to take, from any thread; once until `take_out` is called, and
  /// never after `close`. It may not ask the desk anything.
  void on_word_out(std::function<void()> wake);
  /// What is to be sent, in that order.
  std::vector<word_out> take_out();

  /// How long the body of a call is; 0 when nobody waits for the call any more.
  uint64_t body_bytes(uint64_t number) const;
  /// A piece of the body of a call; nothing when nobody waits for the call any more.
  std::optional<std::string> body_part(uint64_t number, uint64_t offset, uint64_t bytes) const;

  /// Seats a worker, or says why not in a sentence.
  std::variant<seat, std::string> join(const worker_hello& who);
  /// The worker is gone.
  void leave(seat who);
  std::string name_of(seat who) const;
  /// The runs of the calls that it has, each once.
  std::vector<run_id> runs_with(seat who) const;

  /// What a worker says. Answers why no program of ours says it, a sentence; the worker is to be cut off then, and
  /// nothing has changed. Empty when all is well.
  std::string take(seat who, const call_begun& x);
  std::string take(seat who, const call_declined& x);
  std::string take(seat who, const room_made& x);
  std::string take(seat who, const call_heartbeat& x);
  std::string take(seat who, const call_ended& x);
  std::string take(seat who, const calls_held& x);
  std::string take(seat who, const worker_leaving& x);

  /// When `end_silent_calls` has something to do.
  std::optional<timestamp> next_due() const;
  /// Ends the calls that gave no heartbeat for too long.
  void end_silent_calls();

  timestamp now() const { return now_(); }

private:
  /// Who waits for a call.
  struct waiter {
    call_done done;
    call_told told;
  };
  /// What waiters are to be told once the lock is free.
  using outcomes = std::vector<std::pair<call_done, call_result>>;

  /// The call's number, or why it is refused; `who` is taken with the number only.
  std::variant<uint64_t, call_failure> admit(call_request request, waiter& who, outcomes& ended);
  template <class Word>
  std::string hear(seat who, const Word& x);
  void give_up(uint64_t number, let_go_reason why);
  void withdraw(uint64_t number, withdraw_reason why);
  void note_moves(outcomes& ended);
  void wake_if_needed();
  waiter take_waiter(uint64_t number);

  const std::function<timestamp()> now_;
  mutable std::mutex mutex_;
  worker_roster roster_;
  /// Who waits for the result of which call.
  std::unordered_map<uint64_t, waiter> waiting_;
  std::vector<word_out> out_;
  std::function<void()> wake_;
  bool woken_ = false;
  bool closed_ = false;
};

} // namespace levain
