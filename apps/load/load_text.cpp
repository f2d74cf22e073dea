#include "apps/load/load_text.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "apps/terminal/table.hpp"

namespace levain::load {

namespace {

using terminal::ink;

/// Rows of the table over time; a longer load is shown in larger intervals.
constexpr size_t moments_shown_max = 20;
constexpr double bytes_in_mebibyte = 1024.0 * 1024.0;
constexpr double bytes_in_kilobyte = 1000.0;

std::string millis(double value) {
  return terminal::span_text(duration(static_cast<int64_t>(value * 1000)));
}

std::string millis(const std::optional<double>& value) {
  return value ? millis(*value) : "-";
}

std::string or_unknown(const std::optional<double>& value, const char* form) {
  return value ? fmt::format(fmt::runtime(form), *value) : "not known";
}

std::string span_or_unknown(const std::optional<double>& milliseconds) {
  return milliseconds ? millis(*milliseconds) : "not known";
}

std::vector<terminal::cell> latency_row(const std::string& name, const latency_figures& figures) {
  std::vector<terminal::cell> row{{name, ink::strong}, {std::to_string(figures.count), ink::plain, true}};
  for (const double each : {figures.p50, figures.p90, figures.p99, figures.p999, figures.max})
    row.push_back({figures.count > 0 ? millis(each) : "-", ink::plain, true});
  return row;
}

std::string latency_table(const load_result& result, const terminal::paint& look) {
  terminal::table table({"", "COUNT", "P50", "P90", "P99", "P99.9", "MAX"});
  table.add(latency_row("start acknowledged", result.start_ms));
  table.add(latency_row("run ended", result.latency_ms));
  for (const auto& [name, group] : result.priorities)
    if (result.priorities.size() > 1)
      table.add(latency_row("  " + name, group.latency_ms));
  for (const auto& [name, group] : result.tenants)
    table.add(latency_row("  " + name, group.latency_ms));
  return table.text(look);
}

std::string cost_table(const load_result& result, const terminal::paint& look) {
  terminal::table table({"A RUN COST", ""});
  const auto add = [&](const char* name, const std::string& value) { table.add({{name}, {value, ink::plain, true}}); };
  const auto wal = result.wal_bytes_per_run;
  add("write-ahead log", wal ? fmt::format("{:.2f} KB", *wal / bytes_in_kilobyte) : "not known");
  add("transactions of the engine's writers", or_unknown(result.batches_per_run, "{:.3g}"));
  add("commits, as the server counts", or_unknown(result.commits_per_run, "{:.3g}"));
  add("CPU of the engine", span_or_unknown(result.engine_cpu_ms_per_run));
  add("CPU of PostgreSQL", span_or_unknown(result.postgres_cpu_ms_per_run));
  auto text = table.text(look);
  text += fmt::format("events per transaction {}", or_unknown(result.rows_per_batch, "{:.1f}"));
  if (result.peak_rss_bytes)
    text += fmt::format(", most memory {:.0f} MiB", static_cast<double>(*result.peak_rss_bytes) / bytes_in_mebibyte);
  if (result.dead_tuples)
    text += fmt::format(", dead tuples {}", *result.dead_tuples);
  return text + "\n";
}

/// Several moments as one; the quantiles are the worst of theirs.
load_moment merged(const std::vector<load_moment>& all, size_t begin, size_t end) {
  auto moment = all[begin];
  for (auto i = begin + 1; i < end; ++i) {
    const auto& next = all[i];
    moment.started += next.started;
    moment.ended += next.ended;
    moment.steps += next.steps;
    moment.refused += next.refused;
    moment.at_s = next.at_s;
    moment.in_flight = next.in_flight;
    moment.rss_bytes = next.rss_bytes;
    moment.p50_ms = std::max(moment.p50_ms, next.p50_ms);
    moment.p99_ms = std::max(moment.p99_ms, next.p99_ms);
  }
  return moment;
}

std::string time_table(const load_result& result, const terminal::paint& look) {
  const auto& all = result.over_time;
  const size_t span = std::max<size_t>(1, (all.size() + moments_shown_max - 1) / moments_shown_max);
  terminal::table table({"UP TO", "RUNS/S", "STEPS/S", "IN FLIGHT", "REFUSED", "P50", "P99", "MEMORY"});
  double before = 0;
  for (size_t begin = 0; begin < all.size(); begin += span) {
    const auto moment = merged(all, begin, std::min(all.size(), begin + span));
    const auto rate = [&](uint64_t count) {
      return fmt::format("{:.0f}", static_cast<double>(count) / std::max(moment.at_s - before, 1e-6));
    };
    table.add(
      {{fmt::format("{:.1f} s", moment.at_s), ink::quiet, true},
       {rate(moment.ended), ink::plain, true},
       {rate(moment.steps), ink::plain, true},
       {std::to_string(moment.in_flight), ink::plain, true},
       {std::to_string(moment.refused), moment.refused > 0 ? ink::warning : ink::plain, true},
       {millis(moment.p50_ms), ink::plain, true},
       {millis(moment.p99_ms), ink::plain, true},
       {fmt::format("{:.0f} MiB", static_cast<double>(moment.rss_bytes) / bytes_in_mebibyte), ink::plain, true}});
    before = moment.at_s;
  }
  return table.text(look);
}

std::string counts_line(const char* title, const std::map<std::string, uint64_t>& counts) {
  std::string text;
  for (const auto& [name, count] : counts)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, terminal::harmless(name));
  return text.empty() ? "" : fmt::format("{}: {}\n", title, text);
}

std::string
proof_text(const load_result& result, const std::vector<std::string>& complaints, const terminal::paint& look) {
  if (!result.lost)
    return look(ink::quiet, "not proven: nobody asked for it") + "\n";
  auto text = fmt::format("lost {}, duplicates {}", *result.lost, result.duplicates.value_or(0));
  text += result.audit_differences ? fmt::format(", rows that differ from their journal {}", *result.audit_differences)
                                   : ", rows not compared with their journals: no --database was given";
  const bool good = result.proven();
  text = look(good ? ink::good : ink::bad, good ? "proof holds: " : "proof fails: ") + text + "\n";
  for (const auto& each : complaints)
    text += "  " + terminal::harmless(each) + "\n";
  return text;
}

} // namespace

std::string
load_text(const load_result& result, const std::vector<std::string>& complaints, const terminal::screen& out) {
  const auto& look = out.look;
  auto text = fmt::format(
    "{} in {:.1f} s: {} runs/s, {} steps/s\n\n", look(ink::strong, terminal::counted(result.runs, "run")),
    result.seconds, look(ink::strong, fmt::format("{:.0f}", result.runs_per_s)),
    fmt::format("{:.0f}", result.steps_per_s));
  text += latency_table(result, look) + "\n" + cost_table(result, look) + "\n" + time_table(result, look) + "\n";
  text += counts_line("ended", result.endings);
  text += counts_line("refused and tried again", result.refused);
  text += counts_line("errors", result.errors);
  return text + proof_text(result, complaints, look);
}

} // namespace levain::load
