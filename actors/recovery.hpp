#pragma once

#include <array>
#include <caf/actor_clock.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/interfaces.hpp"
#include "actors/node_environment.hpp"
#include "actors/persistence.hpp"
#include "actors/run_budget.hpp"
#include "actors/workflow_cache.hpp"
#include "persistence/journal_survey.hpp"

namespace levain {

/// However many appends wait, and however much the runs that are here hold, so often a page is read: recovery comes to
/// its end also where they always do.
inline constexpr std::chrono::milliseconds recovery_hold_max{1'000};

/// Folds a journal into a run's state. Throws `broken_journal` when the events are not those of a run of a registered
/// workflow, in whichever way, and `journal_unavailable` when its definition cannot be read.
run_state fold_journal(const run_id& run, const std::vector<event_record>& events, workflow_cache& workflows);

/// What recovery needs to begin.
struct recovery_beginning {
  std::unique_ptr<journal> store;
  std::shared_ptr<workflow_cache> workflows;
  recovery_options options;
  /// How many appends wait is read here; null: none does.
  std::shared_ptr<const persistence_status> writers;
  /// What the live runs hold; a page is no larger than what is free of it. Null: it is not looked at.
  std::shared_ptr<const run_budget> memory = {};
  /// Bytes of a page and of one run; see journal_survey.hpp. Not settings of the daemon. They hold where `store` is a
  /// `journal_survey` too.
  uint64_t page_bytes_max = recovery_page_bytes_max;
  uint64_t run_bytes_max = recovery_run_bytes_max;
};

/// Reads runs back, a page at a time, no faster than the dispatcher takes them and the database bears it.
struct recovery_state {
  static inline const char* name = "recovery";

  explicit recovery_state(recovery_actor::pointer self);

  void begin(recovery_beginning how);
  void recover(const shards_taken& x, const caf::strong_actor_ptr& from);
  void forget();
  void forget_some(const forget_shards& x);
  void load(const load_run& x, const caf::strong_actor_ptr& from);
  void next_page();
  void list(const list_open_rows& x, const caf::strong_actor_ptr& from);
  void note(const note_stops& x);
  void write_stops();

private:
  /// Shards that are recovered together.
  struct portion {
    std::vector<shard_lease> shards;
    /// Their unfinished runs in the order of their ids; nothing before they were listed.
    std::optional<std::vector<run_id>> runs;
    /// How many of them are behind us.
    size_t next = 0;
  };
  /// The runs of a page, and where the next one begins.
  struct page_choice {
    std::vector<run_id> runs;
    /// The place in the portion after each of them.
    std::vector<size_t> next_after;
    size_t next = 0;
    /// Why the first run, which is then alone, cannot be read; empty when it can.
    std::string too_large;
  };
  using shard_epochs = std::array<std::optional<epoch_number>, shard_count>;

  void read_page();
  /// The next runs of the portion, without those of shards that are to be recovered no further.
  page_choice choose_page(const portion& from, const shard_epochs& epochs) const;
  /// Leaves the first runs of the page, those that have room in memory together.
  void cut_by_bytes(page_choice& page);
  /// Why the journal of a run that was stopped is not to be read; empty when it may be.
  std::string why_unreadable(const run_id& run);
  adopt_runs read_chosen(const page_choice& page, const shard_epochs& epochs);
  /// Adds the runs whose rows contradict their journals.
  void survey_journal(const std::vector<shard_lease>& shards, open_rows_page& found);
  adopt_runs fold_page(const std::vector<unfinished_run>& found, const shard_epochs& epochs);
  /// For a page that the memory does not bear. A run that it does not bear again and again, alone, is left out: it is
  /// stopped by name, and the watchdog reads it back when it can.
  void do_with_less_memory(const page_choice& page, const shard_epochs& epochs);
  /// Hands the page over and goes on behind it.
  void hand_on(adopt_runs page, size_t next, caf::actor_clock::time_point begun_at);
  /// Reads the page again a little later, with half as many runs.
  void try_a_smaller_page(std::string_view reason);
  void portion_done();
  void go_on_after(std::chrono::nanoseconds wait);
  /// How long the next page has to wait; zero: not at all.
  std::chrono::nanoseconds pause();
  /// The runs that are here need the database or the memory for themselves.
  bool is_held_up() const;
  /// Bytes of events that the next page may have.
  uint64_t page_bytes() const;

  recovery_actor::pointer self_;
  recovery_beginning with_;
  /// Whoever told of the shards.
  dispatcher_actor dispatcher_;
  std::vector<portion> portions_;
  /// Whether a page or its acknowledgement is on its way.
  bool busy_ = false;
  /// What is still to be written down of runs that nobody acts for.
  std::map<run_id, stop_change> stops_;
  /// Whether another try is under way.
  bool writing_stops_ = false;
  size_t recovered_ = 0;
  /// Where the look through the journal goes on, and what it has found.
  std::optional<run_id> surveyed_down_to_;
  std::vector<run_id> contradicted_;
  journal_survey* survey_ = nullptr;
  /// Runs of the next page; fewer after a page that was too much for the memory or for the time there is.
  size_t page_runs_ = 1;
  /// How often in a row one run alone was too much for the memory.
  int lone_runs_failed_ = 0;
  /// By the actors' clock: before that, enough runs were taken up.
  caf::actor_clock::time_point next_page_at_{};
  /// Since when a page has been held up, or the next.
  std::optional<caf::actor_clock::time_point> held_since_;
};

/// To be spawned detached: it waits for the database.
recovery_actor::behavior_type recovery(recovery_actor::stateful_pointer<recovery_state> self, recovery_beginning how);

} // namespace levain
