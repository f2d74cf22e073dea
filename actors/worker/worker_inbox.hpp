#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include <caf/actor.hpp>

#include "actors/worker/call_checks.hpp"
#include "actors/worker/workbench.hpp"

namespace levain {

// What the threads of a worker tell the actor that speaks for it.

/// A function goes on.
struct work_beat {
  work_number work = 0;
  std::string progress;
};
/// A function has returned.
struct work_done {
  work_number work = 0;
  work_result result;
};
/// The body of a call has been read.
struct call_read {
  gate_number gate = 0;
  uint64_t number = 0;
  std::variant<arrived_call, nonsense> call;
};
/// Take nothing new.
struct leave_asked {};
/// Cancel what is being done.
struct cancel_asked_of_all {};
/// Go.
struct go_asked {};
using worker_news = std::variant<work_beat, work_done, call_read, leave_asked, cancel_asked_of_all, go_asked>;

/// Wakes an actor that has news to take; the only message that a worker's threads send. Of no harm from a stranger.
using news_atom = caf::atom_constant<caf::atom("news")>;

/// Carries news from any thread to one actor, which takes all there is with every `news_atom`. So news needs no type
/// of the wire, and what came together is handled together.
class worker_inbox {
public:
  /// Tells `reader` from now on.
  void open(caf::actor reader);
  /// Drops what is there and what comes, and lets go of the reader.
  void close();
  void post(worker_news news);
  std::vector<worker_news> take();

private:
  std::mutex mutex_;
  caf::actor reader_;
  std::vector<worker_news> news_;
  /// Where in them the newest heartbeat of a piece of work stands: a later one takes its place.
  std::unordered_map<work_number, size_t> beats_;
};

} // namespace levain
