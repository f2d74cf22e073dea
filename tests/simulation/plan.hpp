#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "persistence/timestamp.hpp"
#include "tests/simulation/witness.hpp"

// What is to happen in a world, as data: drawn from a seed, printed one item a line, read back, shrunk. Times count
// from the world's beginning and are whole milliseconds. What the plan leaves open (which actor is next, how long a
// good call takes) is drawn from the shape's seed.

namespace levain::simulation {

/// A node number that means every node, or whichever owns the run.
inline constexpr int any_node = -1;
/// A worker number that means no worker: the fault is a node's.
inline constexpr int no_worker = -1;
/// A start number that means a run nobody ever started.
inline constexpr int no_start = -1;

/// Which of the messages that could be handled next is handled next.
enum class schedule_kind : uint8_t {
  /// Any, with the same chance.
  any,
  /// The oldest.
  in_order,
  /// Some actors are always slower than others.
  uneven,
};

/// What the world is made of. One a plan, in its first line.
struct world_shape {
  static constexpr std::string_view verb = "world";
  uint64_t seed = 0;
  int nodes = 1;
  /// A single node that knows it is the only one.
  bool sole = false;
  schedule_kind schedule = schedule_kind::any;
  /// In so many of a thousand choices time passes although a message could be handled.
  uint32_t lag = 0;
  /// When faults have ended and what is left has to end.
  duration calm{};
  /// Writers of each node.
  uint64_t writers = 1;
  // Limits of the nodes, see `node_options.hpp`.
  uint64_t running_max = 100'000;
  uint64_t tenant_running_max = 50'000;
  uint64_t waiting_max = 100'000;
  uint64_t unsettled_max = 20'000;
  uint64_t batch_runs_max = 500;
  uint64_t page_runs_max = 500;
  uint64_t shards_at_a_time = 16;
  uint64_t numbers_block = 10'000;
  uint64_t calls_bytes_max = 1'000'000'000;
  uint64_t runs_bytes_max = 1'000'000'000;
  duration projection = std::chrono::milliseconds(250);
  /// The nodes speak to each other: whoever is asked sends requests on to the node that serves them. Without, they know
  /// of each other by the database alone.
  bool routers = false;
  // Limits of the routers, see `cluster_options.hpp`.
  duration route_time_max = std::chrono::seconds(5);
  uint64_t imbalance_max = 1'000;
  uint64_t routed_max = 20'000;
  /// How many workers there are.
  int workers = 0;

  bool operator==(const world_shape&) const = default;
};

/// A version of a workflow is registered.
struct workflow_item {
  static constexpr std::string_view verb = "workflow";
  duration at{};
  int node = 0;
  /// The definition, JSON without blanks.
  std::string body;
  bool operator==(const workflow_item&) const = default;
};

/// Somebody starts a run, and asks again as long as it is refused for a time or not answered.
struct start_item {
  static constexpr std::string_view verb = "start";
  /// Tells starts apart; wishes name it.
  int id = 0;
  duration at{};
  int node = 0;
  int tenant = 0;
  std::string workflow;
  /// 0 is the newest.
  int32_t version = 0;
  std::string priority = "normal";
  /// Empty for none.
  std::string key;
  /// The run's input is `{"n": <this>}`; fates name it. Two starts with the same content have the same.
  int input = 0;
  /// How often the caller asks in all.
  uint32_t tries = 1;
  /// The database refuses this input.
  bool poison = false;
  bool operator==(const start_item&) const = default;
};

/// Somebody wishes something of a run.
struct wish_item {
  static constexpr std::string_view verb = "wish";
  int id = 0;
  duration at{};
  wish_kind kind = wish_kind::cancel;
  /// Whose run; `no_start` for a run that does not exist.
  int start = 0;
  /// Whom to ask; `any_node` for the run's owner.
  int node = any_node;
  /// Asks for another tenant than the run's.
  bool stranger = false;
  uint32_t tries = 1;
  /// The database refuses this person's name.
  bool poison = false;
  bool operator==(const wish_item&) const = default;
};

/// Somebody asks why a run is where it is.
struct question_item {
  static constexpr std::string_view verb = "question";
  duration at{};
  /// Whose run; `no_start` for a run that does not exist.
  int start = 0;
  /// Whom to ask; `any_node` for the run's owner.
  int node = any_node;
  /// Asks for another tenant than the run's.
  bool stranger = false;
  bool operator==(const question_item&) const = default;
};

/// What a service makes of a call.
enum class fate_kind : uint8_t {
  /// Succeeds, after so long.
  good,
  retryable,
  /// Fails and says how long to wait.
  retry_after,
  final,
  /// Never answers.
  hang,
  /// Succeeds so long after the deadline.
  late,
  /// Succeeds twice, with different answers.
  twice,
  /// Does the work, and its answer is cut inside its header.
  cut,
  /// Whoever does it dies of it, every time. A service dies as the connection breaks.
  deadly,
  /// Answers in so long, what is no JSON.
  not_json,
  too_deep,
  has_nul,
  not_utf8,
  too_large,
  /// A value that the audit row has no room for.
  misfit,
  /// A value that the database refuses.
  poison,
  /// A failure whose words the database refuses.
  poison_failure,
  /// The executor itself throws.
  throws,
};

/// What becomes of one attempt; attempts that no item names succeed soon.
struct fate_item {
  static constexpr std::string_view verb = "fate";
  /// The run's input.
  int input = 0;
  std::string step;
  uint32_t attempt = 1;
  bool undo = false;
  fate_kind kind = fate_kind::good;
  duration after{};
  // Of what a worker does.
  /// It does not look whether anybody waits for it still.
  bool deaf = false;
  /// It gives no sign of life from so long after its beginning on; 0: it does as long as it works.
  duration beats{};
  bool operator==(const fate_item&) const = default;
};

/// How a commit goes wrong.
enum class commit_fault : uint8_t {
  /// No connection; nothing is written.
  transient,
  /// Rolled back for the sake of another transaction.
  serialization,
  /// The connection is lost before the commit, and it is not known whether it was.
  lost_before,
  /// The commit is done, its answer lost.
  lost_after,
  /// The commit is done, its answer lost, and whoever asks what became of it is told that it never was: its writer
  /// writes it again, and meets its own numbers.
  taken_for_lost,
};

/// The next commits of a node go wrong.
struct commit_item {
  static constexpr std::string_view verb = "commit";
  duration at{};
  int node = 0;
  commit_fault fault = commit_fault::transient;
  uint32_t count = 1;
  bool operator==(const commit_item&) const = default;
};

/// What of the database cannot be reached.
enum class outage_kind : uint8_t {
  everything,
  writes,
  reads,
  leases,
  /// What is asked of the leases is done, but the answer is lost.
  lease_answers,
};

struct outage_item {
  static constexpr std::string_view verb = "outage";
  duration at{};
  duration span{};
  int node = any_node;
  outage_kind kind = outage_kind::everything;
  bool operator==(const outage_item&) const = default;
};

/// Which of a node's connections.
enum class connection_kind : uint8_t { writer, recovery, leases };

/// A connection is slow: what is asked on it takes so long, before or after it is done.
struct slow_item {
  static constexpr std::string_view verb = "slow";
  duration at{};
  duration span{};
  int node = 0;
  connection_kind connection = connection_kind::writer;
  duration delay{};
  bool operator==(const slow_item&) const = default;
};

/// The actors that a thread of a node can keep waiting.
enum class held_actor : uint8_t { writer, recovery, leases, dispatcher, timekeeper, definitions, router };

/// An actor gets no turn for so long.
struct hold_item {
  static constexpr std::string_view verb = "hold";
  duration at{};
  duration span{};
  int node = 0;
  held_actor actor = held_actor::writer;
  bool operator==(const hold_item&) const = default;
};

/// At which of its deeds a node dies.
enum class kill_point : uint8_t {
  never,
  /// After so many further messages.
  message,
  before_commit,
  after_commit,
  before_lease,
  after_lease,
};

/// A node dies, and comes back after a time.
struct kill_item {
  static constexpr std::string_view verb = "kill";
  duration at{};
  int node = 0;
  kill_point point = kill_point::message;
  uint32_t messages = 0;
  duration down{};
  /// The worker that dies instead of a node, at a message.
  int worker = no_worker;
  bool operator==(const kill_item&) const = default;
};

/// A node or a worker stands still, as by SIGSTOP.
struct pause_item {
  static constexpr std::string_view verb = "pause";
  duration at{};
  duration span{};
  int node = 0;
  int worker = no_worker;
  bool operator==(const pause_item&) const = default;
};

/// A node or a worker ends in order and comes back after a time.
struct stop_item {
  static constexpr std::string_view verb = "stop";
  duration at{};
  int node = 0;
  duration down{};
  /// It lets the others have its shards before it ends.
  bool hands_over = false;
  int worker = no_worker;
  bool operator==(const stop_item&) const = default;
};

/// From now on a node's clock is off by so much.
struct skew_item {
  static constexpr std::string_view verb = "skew";
  duration at{};
  int node = 0;
  duration offset{};
  bool operator==(const skew_item&) const = default;
};

/// What becomes of what two nodes say to each other.
enum class cut_kind : uint8_t {
  /// There is no connection: nothing is sent.
  closed,
  /// What is said is lost, and nobody is told.
  silent,
  /// Requests arrive and are served, and their answers are lost.
  answers,
};

/// The link between two nodes, or between a node and a worker, is cut for so long; the database and all other links
/// are as they were.
struct cut_item {
  static constexpr std::string_view verb = "cut";
  duration at{};
  duration span{};
  int node = 0;
  int other = 1;
  cut_kind kind = cut_kind::closed;
  /// In place of the other node. What it is told is lost as what it says is, however it is cut.
  int worker = no_worker;
  bool operator==(const cut_item&) const = default;
};

/// An operator says that a node is to hold no shards, and after so long that it may again; with no span never again. A
/// node that was killed meanwhile comes back as one that may.
struct drain_item {
  static constexpr std::string_view verb = "drain";
  duration at{};
  duration span{};
  int node = 0;
  bool operator==(const drain_item&) const = default;
};

/// A worker offers a kind of steps. One that the plan gives no offer to offers `k0`, `k1` and `k2`, two at once.
struct offer_item {
  static constexpr std::string_view verb = "offer";
  int worker = 0;
  std::string work = "k0";
  uint32_t at_once = 1;
  bool operator==(const offer_item&) const = default;
};

/// What calls need of a node beside itself.
enum class lack_kind : uint8_t {
  /// The value of the variable that URLs begin with.
  variable,
  /// The gate for workers.
  gate,
};

/// A node that boots before this time is started without something, one that boots later has it. Who is without it when
/// faults have ended is started anew.
struct lack_item {
  static constexpr std::string_view verb = "lack";
  int node = 0;
  lack_kind what = lack_kind::variable;
  duration until{};
  bool operator==(const lack_item&) const = default;
};

/// How an event of a journal is damaged.
enum class damage_kind : uint8_t {
  /// Its body is no JSON.
  not_json,
  /// Its body lacks a member; where it has none that it needs, it is no JSON.
  lacks_member,
  /// Its kind is none that the program knows.
  unknown_kind,
  /// It is not there.
  missing,
};

/// Somebody damages the journal of a run that has not ended, behind the back of whoever acts for it, and mends it after
/// so long. With no span it is mended when everybody else has come to rest. The newest event stays as it is: nobody
/// could tell a journal that lacks it from one that never had it.
struct damage_item {
  static constexpr std::string_view verb = "damage";
  duration at{};
  duration span{};
  /// Whose run. Until it has two events it is waited for.
  int start = 0;
  /// Which of its events but the newest, counted around.
  uint32_t event = 0;
  damage_kind kind = damage_kind::not_json;
  bool operator==(const damage_item&) const = default;
};

/// What somebody does to an audit row.
enum class row_change : uint8_t {
  /// It says that the run was cancelled.
  status,
  /// It is deleted.
  deleted,
};

/// Somebody changes the audit row of a run that has not ended, and lets it be.
struct row_item {
  static constexpr std::string_view verb = "row";
  duration at{};
  int start = 0;
  row_change change = row_change::status;
  bool operator==(const row_item&) const = default;
};

using plan_item = std::variant<
  workflow_item, start_item, wish_item, fate_item, commit_item, outage_item, slow_item, hold_item, kill_item,
  pause_item, stop_item, skew_item, question_item, cut_item, drain_item, offer_item, lack_item, damage_item, row_item>;

struct plan {
  world_shape shape;
  std::vector<plan_item> items;
  bool operator==(const plan&) const = default;
};

/// Whether a life of the node that boots so long after the beginning is without this.
bool is_without(const plan& x, int node, lack_kind what, duration booted);

/// Throws `std::invalid_argument` when an item names a node or a worker that the world does not have, or there is none.
void check_plan(const plan& x);

/// One item a line, the shape first.
std::string to_text(const plan& x);
std::string to_text(const plan_item& x);

/// Reads what `to_text` writes; empty lines and lines that begin with `#` are passed over. Throws
/// `std::invalid_argument` that names line and value.
plan parse_plan(std::string_view text);

} // namespace levain::simulation
