#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "actors/append_backlog.hpp"
#include "actors/append_turns.hpp"
#include "actors/database_outage.hpp"
#include "actors/held_up_runs.hpp"
#include "actors/interfaces.hpp"
#include "actors/node_options.hpp"
#include "actors/recent_values.hpp"

namespace levain {

/// What a writer tells the rest of the node without being asked: figures for health pages. Any thread may read.
struct persistence_status {
  database_outage outage;
  std::atomic<uint64_t> batches{0};
  std::atomic<uint64_t> appends{0};
  std::atomic<uint64_t> events{0};
  /// Appends that wait, of all writers.
  std::atomic<size_t> waiting{0};
  append_backlog backlog;
  held_up_runs held_up;
  /// Actors of runs that were told of a rejection and have neither answered it nor gone, of all writers.
  std::atomic<size_t> rejections_open{0};

  /// Of the newest batches that were committed at the first try: runs and events in each, and how long the database
  /// took for it, in microseconds.
  recent_values batch_runs;
  recent_values batch_events;
  recent_values commit_micros;

  append_pressure pressure(timestamp now) const {
    return {backlog.wait(now), waiting.load(std::memory_order_relaxed), !outage.going_on()};
  }

  /// Why the database takes nothing, in its own words on one line; empty while it does.
  std::string failing_reason() const {
    const auto now = outage.report();
    return now ? now->reason : std::string();
  }
};

/// The batching writer. It writes what is there as soon as the previous batch is settled: a lonely run pays one commit,
/// ten thousand runs share it.
struct persistence_state {
  static inline const char* name = "persistence";

  explicit persistence_state(persistence_actor::pointer self);

  void begin(
    std::unique_ptr<journal> store, persistence_options options, std::function<timestamp()> now,
    std::function<uuid_entropy()> entropy, std::shared_ptr<persistence_status> status,
    std::function<void(shard_lease)> on_fenced);
  void add(append_events&& x, const caf::strong_actor_ptr& sender);
  void write();
  caf::result<drained> drain_all();
  void tell_when_settled(const settle_run& x, const caf::strong_actor_ptr& who);
  /// The actor knows of its rejection, or is no more.
  void forget_rejection(const caf::actor_addr& who);

private:
  struct part {
    append_events what;
    caf::strong_actor_ptr from;
    timestamp arrived_at{};
  };
  /// What one run that is held up has waiting, in order, and when it is tried again.
  struct held_up_run {
    std::deque<part> parts;
    caf::actor_clock::time_point due{};
  };
  /// What one run has waiting, in order.
  struct waiting_run {
    std::deque<part> parts;
  };

  void schedule_write();
  void gather();
  append_answer append_measured();
  void settle(const append_answer& answer);
  void settle_held_up(size_t index, const std::string& reason);
  /// Puts those whose time has come back in line.
  void try_held_up_again();
  void settle_rejected(size_t index, const std::string& reason);
  void remember_rejection(const caf::strong_actor_ptr& who);
  void answer(const part& to, const append_outcome& outcome);
  void wait_for_database(const std::string& reason);
  void database_is_back();
  void finish_drains();
  void report_waiting();
  /// The oldest part that is not settled yet.
  std::optional<timestamp> oldest_arrival() const;
  void tell_the_settled();
  static run_append merge(const std::deque<part>& parts);

  persistence_actor::pointer self_;
  std::unique_ptr<journal> store_;
  persistence_options options_;
  std::function<timestamp()> now_;
  std::function<uuid_entropy()> entropy_;
  std::shared_ptr<persistence_status> status_;
  size_t backlog_place_ = 0;
  size_t outage_place_ = 0;
  std::function<void(shard_lease)> on_fenced_;

  std::unordered_map<run_id, waiting_run> waiting_;
  /// Whose turn it is. It may name runs whose appends have been dropped since.
  append_turns turns_;
  size_t parts_waiting_ = 0;
  /// How many of them the status knows of.
  size_t parts_reported_ = 0;

  /// The batch that is being written: kept until it is settled.
  std::vector<run_append> batch_;
  std::vector<std::deque<part>> batch_parts_;
  bool in_doubt_ = false;
  bool write_scheduled_ = false;
  std::chrono::milliseconds retry_interval_{0};

  /// Runs that wait for a lock of others. They stand in no line meanwhile, and count in no figure of what waits for the
  /// database: it is not the database that is slow.
  std::unordered_map<run_id, held_up_run> held_up_;

  /// Actors whose run was rejected and that have not yet said that they know. One that goes is forgotten.
  std::unordered_set<caf::actor_addr> rejected_;
  /// Runs whose waiting parts go one by one, because one of them was rejected in company.
  std::unordered_set<run_id> separately_;
  std::vector<caf::typed_response_promise<drained>> drains_;
  /// Who waits until nothing of a run is to be written any more.
  std::vector<std::pair<run_id, caf::strong_actor_ptr>> settling_;
};

/// `entropy` spreads the waits for a lost database; `on_fenced` is called on this actor's thread with each shard
/// of which the journal says that it has another owner, and the epoch that was tried.
persistence_actor::behavior_type persistence(
  persistence_actor::stateful_pointer<persistence_state> self, std::unique_ptr<journal> store,
  persistence_options options, std::function<timestamp()> now, std::function<uuid_entropy()> entropy,
  std::shared_ptr<persistence_status> status, std::function<void(shard_lease)> on_fenced);

} // namespace levain
