#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "persistence/ids.hpp"

namespace levain {

/// The three priorities of the seed, most urgent first.
enum class run_priority : uint8_t { critical, high, normal };

inline constexpr int run_priority_count = 3;

std::string_view to_string(run_priority priority);
std::optional<run_priority> parse_run_priority(std::string_view text);

/// Who waits for a slot, and who is next: priorities first, deficit round-robin over tenants inside each, and ageing so
/// that nobody waits for ever. A plain data structure: no actor, no clock. All times are handed in and may not run
/// backwards.
///
/// Deficit round-robin after M. Shreedhar and G. Varghese, "Efficient Fair Queuing Using Deficit Round-Robin",
/// IEEE/ACM Transactions on Networking 4(3), 1996: a tenant's turn is worth `quantum` steps, what is not used is kept.
class admission_queue {
public:
  struct limits {
    size_t running_max = 1;
    size_t running_per_tenant_max = 1;
    /// A run that waited so long moves to the next higher priority, behind those that are there.
    duration ageing_interval{};
    int64_t quantum = 1;
  };

  explicit admission_queue(limits bounds);

  /// Puts a run at the end of its tenant's line. `cost` is its number of steps, at least 1.
  void push(const run_id& run, const tenant_id& tenant, run_priority priority, int64_t cost, timestamp now);

  /// Takes a run out of the line. False when it does not wait.
  bool remove(const run_id& run);

  /// The run to begin now, if a slot is free for somebody; its slot is then taken.
  std::optional<run_id> pop(timestamp now);

  /// Takes a slot without waiting when one is free for the tenant and nobody stands before it. True when taken.
  bool try_begin(const tenant_id& tenant);

  /// A run that was running when this node took it over: it has its slot whatever the limits say.
  void occupy(const tenant_id& tenant);

  /// A run of the tenant has left: its slot is free.
  void release(const tenant_id& tenant);

  /// When the next waiting run moves up; nothing when none can.
  std::optional<timestamp> next_ageing() const;

  /// Whether the run stands in line.
  bool waits(const run_id& run) const { return waiting_.contains(run); }

  size_t waiting() const { return waiting_.size(); }
  size_t running() const { return running_; }

  /// What a waiting run waits for, as a sentence: the tenant's limit or the node's, and how many stand before it at
  /// most.
  std::string why_waiting(const run_id& run) const;

private:
  struct entry {
    run_id run;
    tenant_id tenant;
    int64_t cost = 1;
    timestamp since{};
  };
  using line = std::list<entry>;

  struct tenant_line {
    line waiting;
    int64_t deficit = 0;
    /// Whether it has had its quantum in this turn.
    bool credited = false;
  };

  struct priority_class {
    std::unordered_map<tenant_id, tenant_line> tenants;
    /// Whose turn it is: the front.
    std::deque<tenant_id> turns;
    /// Everybody's arrival in order, for ageing; entries that have left are passed over.
    std::deque<std::pair<timestamp, run_id>> arrivals;
    size_t count = 0;
  };

  struct place {
    run_priority priority;
    tenant_id tenant;
    line::iterator position;
  };

  void move_up_the_aged(timestamp now);
  void enqueue(run_priority priority, const entry& who);
  entry take(std::unordered_map<run_id, place>::iterator found);
  std::optional<run_id> pop_from(priority_class& from);
  bool tenant_has_slot(const tenant_id& tenant) const;
  void begin(const tenant_id& tenant);

  limits limits_;
  std::array<priority_class, run_priority_count> classes_;
  std::unordered_map<run_id, place> waiting_;
  std::unordered_map<tenant_id, size_t> running_by_tenant_;
  size_t running_ = 0;
};

} // namespace levain
