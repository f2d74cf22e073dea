#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <variant>

#include "actors/run_machine/prepare_call.hpp"

namespace levain {

/// What a call came to: JSON text, or why there is none.
using call_result = std::variant<std::string, call_failure>;

/// Told the result of a call, exactly once, on whichever thread has it.
using call_done = std::function<void(call_result)>;

/// Why nobody waits for a call any more.
enum class let_go_reason {
  /// Nobody needs what it comes to.
  not_needed,
  /// Its run goes on at another node, which makes the call again under the same key: what is done for it may go on.
  run_moves,
};

/// Why a call is to be taken back.
enum class withdraw_reason : uint8_t {
  /// Its run is paused: nothing new begins.
  paused,
  /// Its run stops because another step has failed.
  stopped,
  /// Its run is cancelled: whoever does the call is to end early, where that can be said.
  cancelled,
};

/// How a call without a result has moved.
struct call_news {
  enum class kind_type : uint8_t {
    /// It waits: for a worker, or for its turn among the node's calls.
    waits,
    /// Its work may begin: a worker is being given it, or its request is being sent.
    in_flight,
    /// The worker that had it is gone. What it did is not known. The call waits for another.
    delivery_lost,
  };
  kind_type kind = kind_type::waits;
  /// The worker's name, where one has or had it.
  std::string worker = {};
  bool operator==(const call_news&) const = default;
};

/// Told how a call moves before it has a result, on whichever thread knows it.
using call_told = std::function<void(call_news)>;

/// Holds a call that is out. Going out of scope, or `give_up`, tells the executor that nobody waits any more.
class call_in_flight {
public:
  call_in_flight() = default;
  /// `withdraw` may be empty: then the call can never be taken back.
  explicit call_in_flight(
    std::function<void(let_go_reason)> give_up, std::function<void(withdraw_reason)> withdraw = nullptr)
    : give_up_(std::move(give_up))
    , withdraw_(std::move(withdraw)) {}
  call_in_flight(call_in_flight&& other) noexcept
    : give_up_(std::exchange(other.give_up_, nullptr))
    , withdraw_(std::exchange(other.withdraw_, nullptr)) {}
  call_in_flight& operator=(call_in_flight&& other) noexcept {
    if (this != &other) {
      give_up();
      give_up_ = std::exchange(other.give_up_, nullptr);
      withdraw_ = std::exchange(other.withdraw_, nullptr);
    }
    return *this;
  }
  call_in_flight(const call_in_flight&) = delete;
  call_in_flight& operator=(const call_in_flight&) = delete;
  ~call_in_flight() { give_up(); }

  void give_up(let_go_reason why = let_go_reason::not_needed) noexcept {
    if (auto tell = std::exchange(give_up_, nullptr))
      tell(why);
    withdraw_ = nullptr;
  }
  /// Takes the call back if nobody was given it: its result is `withdrawn` then. Otherwise its result is awaited.
  void withdraw(withdraw_reason why) {
    if (withdraw_)
      withdraw_(why);
  }
  /// The call has ended by itself: there is nothing to give up.
  void forget() noexcept {
    give_up_ = nullptr;
    withdraw_ = nullptr;
  }

private:
  std::function<void(let_go_reason)> give_up_;
  std::function<void(withdraw_reason)> withdraw_;
};

} // namespace levain
