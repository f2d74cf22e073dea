#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "tests/simulation/auditor/blame.hpp"
#include "tests/simulation/auditor/ownership.hpp"
#include "tests/simulation/witness.hpp"

namespace levain::simulation {

/// What each node's desk says to workers and hears of them, and whether it gives its calls away as it is promised.
class desk_ledger {
public:
  /// Answers whether a run takes no further step.
  using stops = std::function<bool(const run_id&)>;

  desk_ledger(const ownership& owners, stops is_stopping, blame accuse)
    : owners_(owners)
    , is_stopping_(std::move(is_stopping))
    , accuse_(std::move(accuse)) {}

  void changed(const process_changed& x);
  void changed(const link_changed& x);
  void made(const call_made& x);
  void told(const call_told& x);
  void let_go(const call_let_go& x);
  void passed(const word_passed& x);
  /// Nothing happens before time passes.
  void rest(timestamp at);

private:
  /// Key and attempt.
  using call_name = std::pair<std::string, uint32_t>;
  struct seat {
    std::map<std::string, uint32_t> offers;
    /// When it said so.
    std::optional<timestamp> leaving;
    /// What it has room for at least, by its last word and what it was given since.
    std::map<std::string, int64_t> room;
    /// What it was given to take room and has said nothing of.
    std::map<std::string, int64_t> unanswered;
    /// Since when it says so.
    std::map<call_name, timestamp> held;
  };
  struct given_call {
    uint64_t connection = 0;
    call_name name;
    std::string kind;
    duration heartbeat{};
    timestamp heard_at{};
    bool begun = false;
    /// What its worker holds already has its room there.
    bool takes_room = true;
  };
  struct open_call {
    call_name name;
    std::string kind;
    run_id run;
    bool undo = false;
  };
  struct desk {
    std::map<uint64_t, seat> seats;
    std::map<uint64_t, given_call> out;
    std::map<uint64_t, open_call> open;
    /// Kinds of the calls that were ever given.
    std::map<uint64_t, std::string> kinds;
    /// What a worker has just said that its call came to.
    std::optional<word_passed> ended;
    call_name ended_name;
    bool stands_still = false;
  };

  void said(const place& who, desk& at, const word_passed& x);
  void heard(desk& at, const word_passed& x);
  void give(const place& who, desk& at, const word_passed& x);
  void lose(desk& at, uint64_t connection);
  void judge_silence(const place& who, const desk& at, timestamp now) const;
  void judge_room(const place& who, const desk& at) const;
  static size_t count_open(const desk& at, const call_name& name);
  static size_t count_out(const desk& at, const call_name& name);

  const ownership& owners_;
  stops is_stopping_;
  blame accuse_;
  std::map<place, desk> desks_;
  /// Whose connection.
  std::map<uint64_t, place> connections_;
  /// Who made which call.
  std::map<uint64_t, place> callers_;
};

} // namespace levain::simulation
