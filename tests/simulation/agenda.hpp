#pragma once

#include <functional>
#include <map>
#include <optional>

#include "persistence/timestamp.hpp"

namespace levain::simulation {

/// What is to happen in a world beside what its nodes do, in the order of time and then of asking.
class agenda {
public:
  void at(timestamp when, std::function<void()> what) { coming_.emplace(when, std::move(what)); }

  std::optional<timestamp> next() const {
    return coming_.empty() ? std::nullopt : std::optional(coming_.begin()->first);
  }

  /// Lets everything happen that is due, also what is asked for meanwhile.
  void happen_until(timestamp now) {
    while (!coming_.empty() && coming_.begin()->first <= now) {
      auto next = coming_.extract(coming_.begin());
      next.mapped()();
    }
  }

private:
  std::multimap<timestamp, std::function<void()>> coming_;
};

} // namespace levain::simulation
