#pragma once

#include "actors/liveness_log.hpp"
#include "actors/messages.hpp"

// What the watchdog asks and is told: the continuation of `messages.hpp`.

namespace levain {

/// What a run says to `liveness_asked`.
struct run_liveness {
  run_id run;
  /// Its newest event.
  int32_t seq = 0;
  /// What is wrong; nothing when something will move it.
  std::optional<liveness_kind> fault;
  /// One line on the fault.
  std::string detail;
};

/// What will move you next?
struct liveness_asked {
  /// Under which the node owns its shard.
  epoch_number epoch = 0;
  /// Whether it stands in line for a slot.
  bool in_line = false;
  /// How long something may be over its time.
  duration overdue_grace{};
  /// Since when the database answers; absent while it does not.
  std::optional<timestamp> database_since;
  receiver<run_liveness> outcome;
};

/// Runs that were asked what will move them.
struct live_page {
  std::vector<run_id> asked;
  /// Runs that were in line although a slot was free, and have it now.
  std::vector<run_id> served;
  /// Where the next page begins; 0 when all were asked.
  size_t next = 0;
};

/// Ask a page of live runs what will move them. `page` is told first, then `told` by each run of it.
struct look_at_live {
  size_t cursor = 0;
  /// About how many.
  size_t limit = 0;
  duration overdue_grace{};
  std::optional<timestamp> database_since;
  receiver<live_page> page;
  receiver<run_liveness> told;
};

/// Open rows that were compared with the runs that are here.
struct open_rows_page {
  /// False: the database could not be asked.
  bool read = false;
  /// Rows of shards that are ready, and no actor, no load and no stop that has them.
  std::vector<run_id> missing;
  /// The last row of the page; absent when there are no more.
  std::optional<run_id> last;
};

/// Compare a page of open rows with the runs that are here.
struct look_at_rows {
  std::optional<run_id> after;
  size_t limit = 0;
  receiver<open_rows_page> page;
};

/// Read the ids of a page of open rows of shards that are still this node's. Answered with `open_rows_listed` to the
/// sender.
struct list_open_rows {
  std::vector<shard_lease> shards;
  look_at_rows asked;
};

/// The answer to `list_open_rows`: `missing` holds all that are open.
struct open_rows_listed {
  open_rows_page found;
  receiver<open_rows_page> page;
};

/// Read some of the runs back whose journals were damaged, at most so many: somebody may have repaired them.
struct look_at_stopped {
  size_t limit = 0;
};

/// Take this run up anew from its journal, whether it has an actor or not; or give it up and write down why.
struct heal_run {
  run_id run;
  bool give_up = false;
  /// One line.
  std::string detail;
};

/// Say `run_settled` to the sender when nothing of this run waits to be written any more.
struct settle_run {
  run_id run;
};

/// The answer to `settle_run`.
struct run_settled {
  run_id run;
};

/// INTERNAL to the watchdog: it is time to look on. Only the newest turn counts.
struct look_around {
  uint64_t turn = 0;
};

} // namespace levain

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::run_liveness)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::liveness_asked)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::live_page)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::look_at_live)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::open_rows_page)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::look_at_rows)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::list_open_rows)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::open_rows_listed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::look_at_stopped)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::heal_run)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::settle_run)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::run_settled)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::look_around)
