#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "actors/cluster/wire_system.hpp"
#include "actors/worker/kept_results.hpp"
#include "persistence/backoff.hpp"

namespace levain {

/// Which gates a worker knows, and when each is to be tried. Knows no wire: whoever has one says what came of a try.
/// Random numbers are in [0, 1). One thread.
class gate_book {
public:
  /// The gates that the caller named are never forgotten. `refused_pause` is the wait after a refusal.
  gate_book(const std::vector<wire_address>& given, backoff_options wait, std::chrono::milliseconds refused_pause);

  /// The gates to connect with now; they count as being tried until one of the next four is said of them.
  std::vector<wire_address> due(worker_moment now);
  /// When the next one is due; nothing when all are connected or being tried.
  std::optional<worker_moment> next_due() const;

  void opened(const wire_address& at, gate_number gate);
  /// Nobody answered. Answers how many tries in vain there were by now; 0 when the gate is forgotten for it: the nodes
  /// that are connected do not list it any more.
  uint32_t failed(const wire_address& at, worker_moment now, double random);
  /// It answered that it will not have us.
  void refused(const wire_address& at, worker_moment now, double random);
  /// The connection is gone; all its addresses are tried again. With `slowly` as after a refusal.
  void lost(gate_number gate, worker_moment now, double random, bool slowly = false);

  /// An open gate says which gates there are. Beyond `gates_known_max` addresses further ones are left out.
  void list(gate_number from, const std::vector<wire_address>& gates, worker_moment now);

  size_t known() const { return places_.size(); }

private:
  struct place {
    explicit place(backoff_options options)
      : wait(options) {}
    bool given = false;
    bool trying = false;
    backoff wait;
    worker_moment due{};
    /// 0: not connected.
    gate_number gate = 0;
  };

  bool is_listed(const wire_address& at) const;
  void wait_after_refusal(place& at, worker_moment now, double random) const;

  backoff_options wait_;
  std::chrono::milliseconds refused_pause_;
  std::map<wire_address, place> places_;
  /// What each open gate listed last.
  std::map<gate_number, std::set<wire_address>> lists_;
};

} // namespace levain
