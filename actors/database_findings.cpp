#include "actors/database_findings.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "actors/journal_order.hpp"
#include "persistence/span_text.hpp"

namespace levain {

namespace {

using level = finding_level;

std::string shown(timestamp at) {
  return to_rfc3339(at).substr(0, 19) + "Z";
}

std::string bytes_shown(int64_t bytes) {
  const char* const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto amount = static_cast<double>(bytes);
  size_t unit = 0;
  for (; amount >= 1024 && unit + 1 < std::size(units); ++unit)
    amount /= 1024;
  return fmt::format("{:.{}f} {}", amount, unit == 0 ? 0 : 1, units[unit]);
}

std::string counted(int64_t count) {
  return count >= runs_counted_max ? fmt::format("{} or more", runs_counted_max) : std::to_string(count);
}

std::string named(const std::vector<run_noted>& runs, int64_t all) {
  std::string text;
  for (const auto& each : runs)
    text += (text.empty() ? "" : "; ") + each.run_number + ": " + each.reason;
  if (all > static_cast<int64_t>(runs.size()))
    text += fmt::format("; and {} more", all - static_cast<int64_t>(runs.size()));
  return text;
}

/// Without what the node did not say.
std::vector<std::string> name_parts(const node_health& node) {
  std::vector<std::string> parts;
  for (const auto& part : {node.name, node.version, node.address})
    if (!part.empty())
      parts.push_back(part);
  return parts;
}

class examination {
public:
  explicit examination(const database_health& health)
    : health_(health) {}

  std::vector<finding> examine() {
    look_at_server();
    look_at_connections();
    look_at_schema();
    look_at_what_holds_vacuum();
    if (!health_.has_schema)
      return std::move(found_);
    look_at_runs();
    look_at_stopped_runs();
    look_at_unreadable_rows();
    look_at_contradicted_runs();
    look_at_adopted_runs();
    look_at_times_ahead();
    look_at_nodes();
    look_at_shards();
    look_at_tables();
    look_at_partitions();
    look_at_objects();
    return std::move(found_);
  }

private:
  void good(const char* name, std::string value) {
    found_.push_back({level::ok, finding_subject::database, name, std::move(value)});
  }
  void bad(level how, const char* name, std::string value, std::string right, std::string advice) {
    found_.push_back({how, finding_subject::database, name, std::move(value), std::move(right), std::move(advice)});
  }

  void look_at_server() {
    const auto& server = health_.server;
    const auto value = fmt::format("PostgreSQL {}, up since {}", server.version, shown(server.started_at));
    if (server.in_recovery)
      bad(
        level::critical, "server", value + ", a standby", "a server that takes writes",
        "connect to the primary, or promote this server");
    else
      good("server", value);
    promise("fsync", server.fsync, "after a crash of the machine the journal may be gone");
    promise("full_page_writes", server.full_page_writes, "a page torn by a crash of the machine cannot be mended");
    // `local` and the stronger ones all wait for this server's own disk.
    if (server.synchronous_commit == "off")
      bad(
        level::notice, "synchronous_commit", "off",
        "on: sessions of the engine set it for themselves, others lose what they committed last",
        "set synchronous_commit = on in postgresql.conf and reload");
    else
      good("synchronous_commit", server.synchronous_commit);
    if (server.autovacuum)
      good("autovacuum", "on");
    else
      bad(
        level::warning, "autovacuum", "off", "autovacuum and track_counts on",
        "set both on in postgresql.conf and reload; tables grow and plans get old without");
    look_at_transaction_ids();
  }

  void promise(const char* setting, bool on, const char* otherwise) {
    if (on)
      good(setting, "on");
    else
      bad(
        level::critical, setting, "off", fmt::format("on: {}", otherwise),
        fmt::format("set {} = on in postgresql.conf and restart or reload the server", setting));
  }

  void look_at_transaction_ids() {
    const auto used = health_.server.transaction_ids_used;
    const auto value = fmt::format("{} million since the oldest row", used / 1'000'000);
    if (used < transaction_ids_warning)
      return good("transaction_ids", value);
    bad(
      used < transaction_ids_critical ? level::warning : level::critical, "transaction_ids", value,
      fmt::format("below {} million; the server stops writing at about 2100", transaction_ids_warning / 1'000'000),
      "find what holds vacuum back (open_transactions, replication_slots), then vacuum freeze the database");
  }

  void look_at_connections() {
    const auto& connections = health_.connections;
    std::string applications;
    for (const auto& [name, count] : connections.by_application)
      applications += fmt::format("{}{} {}", applications.empty() ? "" : ", ", count, name);
    const auto value =
      fmt::format("{} of {}: {}", connections.connections_used, connections.connections_max, applications);
    const auto share = static_cast<double>(connections.connections_used) /
                       static_cast<double>(std::max<int64_t>(connections.connections_max, 1));
    if (share < connections_used_warning)
      return good("connections", value);
    bad(
      share < connections_used_critical ? level::warning : level::critical, "connections", value,
      fmt::format("below {:.0f} %", connections_used_warning * 100),
      "end what is not needed, or raise max_connections and restart the server");
  }

  void look_at_schema() {
    using state = migration_status::state_type;
    std::vector<std::string> pending;
    std::vector<std::string> strange;
    std::string newest;
    for (const auto& each : health_.migrations) {
      if (each.state == state::pending)
        pending.push_back(each.name);
      else
        newest = each.name;
      if (each.state == state::edited || each.state == state::unknown)
        strange.push_back(each.name);
    }
    if (!pending.empty())
      bad(
        level::critical, "schema", fmt::format("not applied: {}", fmt::join(pending, ", ")),
        "every migration of this program applied", "levain migrate up");
    else if (!strange.empty())
      bad(
        level::critical, "schema", fmt::format("edited, or unknown to this program: {}", fmt::join(strange, ", ")),
        "the migrations of this program and no others",
        "use the program that made this database; levain migrate verify lists the differences");
    else
      good("schema", newest);
  }

  void look_at_what_holds_vacuum() {
    const auto& open = health_.open_transactions;
    if (open.empty() || open.front().age < open_transaction_notice) {
      good(
        "open_transactions",
        open.empty() ? "none" : fmt::format("the oldest is open for {}", span_text(open.front().age)));
    } else {
      const auto& oldest = open.front();
      bad(
        oldest.age < open_transaction_warning ? level::notice : level::warning, "open_transactions",
        fmt::format("{} ({}, {}) is open for {}", oldest.name, oldest.application, oldest.state, span_text(oldest.age)),
        fmt::format(
          "none older than {}: vacuum can clean nothing that ended since", span_text(open_transaction_notice)),
        oldest.state == "prepared" ? "commit or roll back the prepared transaction"
                                   : "let it end, or end its session by pg_terminate_backend");
    }
    look_at_slots();
  }

  void look_at_slots() {
    std::vector<std::string> bad_ones;
    for (const auto& each : health_.replication_slots)
      if (!each.active || each.bytes_kept >= slot_bytes_warning)
        bad_ones.push_back(fmt::format(
          "{} ({}, keeps {} of the log{})", each.name, each.active ? "active" : "inactive",
          bytes_shown(each.bytes_kept),
          each.transactions_held > 0 ? fmt::format(" and {} transactions from vacuum", each.transactions_held) : ""));
    if (bad_ones.empty())
      return good("replication_slots", std::to_string(health_.replication_slots.size()));
    bad(
      level::warning, "replication_slots", fmt::format("{}", fmt::join(bad_ones, "; ")),
      fmt::format("every slot used, and less than {} kept for it", bytes_shown(slot_bytes_warning)),
      "bring the replica back, or drop its slot by pg_drop_replication_slot: it fills the disk and stops vacuum");
  }

  void look_at_runs() {
    const auto& runs = health_.runs;
    auto value = fmt::format("{} pending, {} running", counted(runs.pending), counted(runs.running));
    for (const auto& [status, count] : runs.ended_about)
      value += fmt::format(", about {} {}", count, status);
    good("runs", value);
    look_at_oldest(
      "oldest_pending", runs.oldest_pending, level::warning, pending_run_old,
      "levain explain says whose limit keeps it; see shards too: runs of a shard that nobody owns wait for an owner");
    look_at_oldest(
      "oldest_running", runs.oldest_running, level::notice, running_run_old,
      "levain explain says what it waits for; a pause is a wait like any other");
    if (runs.attention == 0)
      return good("attention", "no run needs a person");
    bad(
      level::warning, "attention",
      fmt::format("{} need a person. {}", counted(runs.attention), named(runs.attention_first, runs.attention)), "none",
      "levain attention --all-tenants lists them; undo by hand what the compensation did not, or retry the run");
  }

  void look_at_oldest(
    const char* name, const std::optional<run_since>& oldest, level how, duration old, const char* advice) {
    if (!oldest)
      return good(name, "none");
    const auto age = health_.server.now - oldest->since;
    const auto value = fmt::format("{}, since {}", oldest->run_number, span_text(std::max(age, duration(0))));
    if (age < old)
      return good(name, value);
    bad(how, name, value, fmt::format("less than {}", span_text(old)), advice);
  }

  void look_at_unreadable_rows() {
    const auto& runs = health_.runs;
    if (runs.unreadable == 0)
      return good("unreadable_rows", "none");
    bad(
      level::warning, "unreadable_rows",
      fmt::format(
        "{}{}: {}{}", runs.unreadable, runs.unreadable >= unreadable_counted_max ? " or more" : "",
        fmt::join(runs.unreadable_first, ", "),
        runs.unreadable > static_cast<int64_t>(runs.unreadable_first.size()) ? ", ..." : ""),
      "none: every time of the years 1 to 9999 and every status known to this program",
      "levain show RUN names the column; correct the row by SQL, or use the program that knows the status");
  }

  void look_at_contradicted_runs() {
    const auto& names = health_.runs.contradicted;
    if (names.empty())
      return good("contradicted_runs", "none");
    const std::vector<std::string> first(
      names.begin(), names.begin() + std::min<std::ptrdiff_t>(std::ssize(names), runs_named_max));
    bad(
      level::warning, "contradicted_runs",
      fmt::format("{}: {}{}", names.size(), fmt::join(first, ", "), names.size() > first.size() ? ", ..." : ""),
      "none: rows of runs that go on were deleted or changed by other programs",
      "a living node takes them up by their journals and writes their rows anew; levain cancel ends a run");
  }

  void look_at_adopted_runs() {
    const auto open = health_.runs.adopted_open;
    if (open == 0)
      return good("adopted_runs", "none is open");
    bad(
      level::notice, "adopted_runs", fmt::format("{} of another program are pending or running", counted(open)),
      "none: Levain does not go on with runs that it did not start",
      "once nobody else acts for them: levain migrate close-adopted --dry-run");
  }

  void look_at_times_ahead() {
    const auto ahead = health_.runs.times_ahead;
    if (ahead == 0)
      return good("times_ahead", "no time lies ahead");
    bad(
      level::warning, "times_ahead", fmt::format("{} started or ended in the future", counted(ahead)),
      "none: times are UTC; programs that write rows in another zone are ahead or behind by its offset",
      "have those programs set timezone to 'UTC', and correct the rows by SQL");
  }

  void look_at_stopped_runs() {
    const auto& runs = health_.runs;
    int64_t all = 0;
    std::string kinds;
    for (const auto& [kind, count] : runs.stopped) {
      all += count;
      kinds += fmt::format("{}{} {}", kinds.empty() ? "" : ", ", count, to_string(kind));
    }
    if (all == 0)
      return good("stopped_runs", "none");
    bad(
      level::critical, "stopped_runs", fmt::format("{}. {}", kinds, named(runs.stopped_first, all)),
      "none: nobody acts for these runs",
      "levain verify --run says what is damaged; mend it, then levain retry takes the run up again");
  }

  void look_at_nodes() {
    std::vector<std::string> living;
    std::vector<std::string> dead;
    for (const auto& each : health_.nodes)
      (each.alive ? living : dead)
        .push_back(fmt::format(
          "{} ({} shards, heartbeat {} ago)", fmt::join(name_parts(each), " "), each.shards,
          span_text(each.since_heartbeat)));
    if (living.empty())
      bad(
        level::critical, "nodes",
        dead.empty() ? std::string("none") : fmt::format("none alive; dead: {}", fmt::join(dead, ", ")),
        "at least one: runs go on only while a daemon does", "start levaind");
    else
      good("nodes", fmt::format("{}", fmt::join(living, ", ")));
    if (!living.empty() && !dead.empty())
      bad(
        level::notice, "dead_nodes", fmt::format("{}", fmt::join(dead, ", ")),
        "none: the living take their shards and forget them", "find out what ended them");
  }

  void look_at_shards() {
    const auto& shards = health_.shards;
    const auto ownerless = shards.free + shards.abandoned;
    if (ownerless == 0)
      return good("shards", fmt::format("all {} owned", shard_count));
    bad(
      level::critical, "shards",
      fmt::format("{} without an owner: {} free, {} of dead nodes", ownerless, shards.free, shards.abandoned),
      "none for longer than a lease: their runs stand still",
      "start levaind, or wait until a living node takes them over and look again");
  }

  void look_at_tables() {
    int64_t bytes = 0;
    std::vector<std::string> bloated;
    std::vector<std::string> unseen;
    for (const auto& each : health_.tables) {
      bytes += each.bytes;
      const auto limit = dead_rows_warning * static_cast<double>(each.live_rows);
      if (each.dead_rows >= dead_rows_min && static_cast<double>(each.dead_rows) > limit)
        bloated.push_back(fmt::format(
          "{} has {} dead rows beside {} ({})", each.name, each.dead_rows, each.live_rows,
          each.vacuumed_at ? "vacuumed " + shown(*each.vacuumed_at) : "never vacuumed"));
      if (each.live_rows >= analyzed_rows_min && !each.analyzed_at)
        unseen.push_back(fmt::format("{} ({} rows)", each.name, each.live_rows));
    }
    good("size", fmt::format("{} in {} tables", bytes_shown(bytes), health_.tables.size()));
    if (bloated.empty())
      good("dead_rows", vacuum_words());
    else
      bad(
        level::warning, "dead_rows", fmt::format("{}", fmt::join(bloated, "; ")),
        fmt::format("less than {:.0f} % of the rows", dead_rows_warning * 100),
        "see open_transactions, replication_slots and autovacuum for what holds vacuum back, then vacuum these tables");
    if (unseen.empty())
      good("statistics", "there where they are needed");
    else
      bad(
        level::notice, "statistics", fmt::format("none of {}", fmt::join(unseen, ", ")),
        "every table with many rows analyzed", "analyze these tables; plans are guesses until then");
  }

  std::string vacuum_words() const {
    const auto runs = std::find_if(health_.tables.begin(), health_.tables.end(), [](const table_health& each) {
      return each.name == "orchestration_runs";
    });
    if (runs == health_.tables.end())
      return "few";
    return fmt::format(
      "few; orchestration_runs has {} beside {} ({})", runs->dead_rows, runs->live_rows,
      runs->vacuumed_at ? "vacuumed " + shown(*runs->vacuumed_at) : "never vacuumed");
  }

  void look_at_partitions() {
    const auto& partitions = health_.partitions;
    const auto ahead = partitions.covered_until ? *partitions.covered_until - health_.server.now : duration(0);
    const auto days = std::chrono::duration_cast<std::chrono::hours>(ahead).count() / 24;
    const auto value = partitions.covered_until
                         ? fmt::format("{} days, until {}", days, shown(*partitions.covered_until))
                         : std::string("none, not even for now");
    if (ahead >= partitions_ahead_warning)
      good("partitions_ahead", value);
    else
      bad(
        level::warning, "partitions_ahead", value,
        fmt::format(
          "at least {} days", std::chrono::duration_cast<std::chrono::hours>(partitions_ahead_warning).count() / 24),
        "a daemon makes them every hour: look for upkeep_failed in its log; levain migrate up makes them too");
    if (partitions.default_is_used)
      bad(
        level::notice, "default_partition", "holds events", "empty: what stands there is not dropped with its week",
        "making the missing partition moves them there; ids that are no UUIDv7 of this program stay");
    else
      good("default_partition", "empty");
    const auto oldest = fmt::format(
      "{} partitions{}", partitions.count,
      partitions.oldest_from ? ", the oldest from " + shown(*partitions.oldest_from).substr(0, 10) : "");
    if (partitions.count < partitions_notice)
      good("partitions", oldest);
    else
      bad(
        level::notice, "partitions", oldest, fmt::format("fewer than {}", partitions_notice),
        "decide how long journals are kept, and drop the partitions of older weeks");
  }

  void look_at_objects() {
    const auto none = [&](
                        const char* name, const std::vector<std::string>& bad_ones, level how, const char* right,
                        const char* advice) {
      if (bad_ones.empty())
        good(name, "none");
      else
        bad(how, name, fmt::format("{}", fmt::join(bad_ones, ", ")), right, advice);
    };
    none(
      "unlogged_tables", health_.unlogged_tables, level::critical, "none: a crash empties them",
      "alter table ... set logged");
    none(
      "invalid_indexes", health_.invalid_indexes, level::warning, "none: they cost writes and help no read",
      "reindex index concurrently ..., or drop it and make it anew");
    if (const auto& schema = health_.schema_open_to_all; !schema.empty())
      bad(
        level::warning, "schema_rights", fmt::format("every role may create objects in the schema {}", schema),
        "only roles that you trust: an operator or a function made there can take the place of PostgreSQL's own in "
        "the engine's statements",
        fmt::format("revoke create on schema {} from public", schema));
    if (!health_.rights_missing.empty())
      bad(
        level::warning, "role_rights",
        fmt::format("the role {} lacks {}", health_.role, fmt::join(health_.rights_missing, "; ")),
        "select, insert, update and delete on every table of Levain, for the role of a daemon; for its upkeep (next "
        "months' partitions, the daily view) the tables' owner, who may create in the schema",
        fmt::format(
          "grant select, insert, update, delete on all tables in schema ... to {}; where the owner is another role, "
          "let "
          "it run levain migrate up every month, and refresh materialized view concurrently orchestration_daily",
          health_.role));
    if (!health_.definitions_unreadable.empty())
      bad(
        level::critical, "unreadable_definitions", fmt::format("{}", fmt::join(health_.definitions_unreadable, ", ")),
        "registered_at is a time of the years 1 to 9999",
        "correct registered_at in workflow_definitions; until then nobody can start these");
  }

  const database_health& health_;
  std::vector<finding> found_;
};

} // namespace

std::vector<finding> database_findings(const database_health& health) {
  return examination(health).examine();
}

finding clock_finding(const clock_reading& clock, finding_subject whose) {
  const auto difference = clock.ours - clock.database;
  // What the round trip may hide is taken as none.
  const auto certain = std::max(duration(std::abs(difference.count())) - clock.round_trip / 2, duration(0));
  const auto value = fmt::format(
    "{} {} the database's, give or take {}", span_text(duration(std::abs(difference.count()))),
    difference >= duration(0) ? "ahead of" : "behind", span_text(clock.round_trip / 2));
  if (certain < clock_difference_warning)
    return {level::ok, whose, "clock", value};
  return {
    certain <= clock_difference_max ? level::warning : level::critical,
    whose,
    "clock",
    value,
    fmt::format("less than {}: the times in the journal are the nodes'", span_text(clock_difference_warning)),
    "run a time service (chrony, systemd-timesyncd) on both machines",
  };
}

} // namespace levain
