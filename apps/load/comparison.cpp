#include "apps/load/comparison.hpp"

#include <fstream>
#include <set>
#include <stdexcept>

#include <nlohmann/json.hpp>

namespace levain::load {

namespace {

std::optional<double> number(const std::optional<uint64_t>& value) {
  return value ? std::optional<double>(static_cast<double>(*value)) : std::nullopt;
}

/// A latency of nothing is not zero.
std::optional<double> of(const latency_figures& latency, double latency_figures::*figure) {
  return latency.count == 0 ? std::nullopt : std::optional<double>(latency.*figure);
}

using texts = std::map<std::string, std::string>;

void note_differences(std::vector<std::string>& found, const texts& first, const texts& second) {
  std::set<std::string> names;
  for (const auto& each : {first, second})
    for (const auto& [name, text] : each)
      names.insert(name);
  const auto text_of = [](const texts& from, const std::string& name) {
    const auto at = from.find(name);
    return at == from.end() ? std::string() : at->second;
  };
  for (const auto& name : names) {
    const auto before = text_of(first, name);
    const auto after = text_of(second, name);
    if (before != after)
      found.push_back(name + ": " + before + " -> " + after);
  }
}

} // namespace

std::optional<double> compared_figure::ratio() const {
  if (!first || !second || *first == 0)
    return std::nullopt;
  return *second / *first;
}

std::vector<compared_figure> compare(const load_result& first, const load_result& second) {
  std::vector<compared_figure> all;
  const auto add = [&](const char* name, bool more_is_better, auto figure) {
    all.push_back({name, figure(first), figure(second), more_is_better});
  };
  const auto always = [](double load_result::*member) {
    return [member](const load_result& x) { return std::optional<double>(x.*member); };
  };
  const auto latency = [](latency_figures load_result::*which, double latency_figures::*figure) {
    return [which, figure](const load_result& x) { return of(x.*which, figure); };
  };
  add("runs", true, [](const load_result& x) { return number(x.runs); });
  add("runs_per_s", true, always(&load_result::runs_per_s));
  add("steps_per_s", true, always(&load_result::steps_per_s));
  add("latency_p50_ms", false, latency(&load_result::latency_ms, &latency_figures::p50));
  add("latency_p90_ms", false, latency(&load_result::latency_ms, &latency_figures::p90));
  add("latency_p99_ms", false, latency(&load_result::latency_ms, &latency_figures::p99));
  add("latency_p999_ms", false, latency(&load_result::latency_ms, &latency_figures::p999));
  add("latency_max_ms", false, latency(&load_result::latency_ms, &latency_figures::max));
  add("start_p50_ms", false, latency(&load_result::start_ms, &latency_figures::p50));
  add("start_p99_ms", false, latency(&load_result::start_ms, &latency_figures::p99));
  add("wal_bytes_per_run", false, [](const load_result& x) { return x.wal_bytes_per_run; });
  add("commits_per_run", false, [](const load_result& x) { return x.commits_per_run; });
  add("batches_per_run", false, [](const load_result& x) { return x.batches_per_run; });
  add("rows_per_batch", true, [](const load_result& x) { return x.rows_per_batch; });
  add("engine_cpu_ms_per_run", false, [](const load_result& x) { return x.engine_cpu_ms_per_run; });
  add("postgres_cpu_ms_per_run", false, [](const load_result& x) { return x.postgres_cpu_ms_per_run; });
  add("peak_rss_bytes", false, [](const load_result& x) { return number(x.peak_rss_bytes); });
  add("dead_tuples", false, [](const load_result& x) { return number(x.dead_tuples); });
  return all;
}

std::vector<std::string> setting_differences(const load_result& first, const load_result& second) {
  std::vector<std::string> found;
  if (first.kind != second.kind)
    found.push_back("kind: " + first.kind + " -> " + second.kind);
  note_differences(found, first.settings, second.settings);
  note_differences(found, first.machine, second.machine);
  return found;
}

load_result read_load_result(const std::string& file) {
  std::ifstream in(file);
  if (!in)
    throw std::invalid_argument(file + ": cannot be read; it should be what levain-load has written with --out");
  try {
    return load_result_from_json(nlohmann::json::parse(in));
  } catch (const nlohmann::json::exception& wrong) {
    throw std::invalid_argument(file + ": is no JSON: " + wrong.what());
  } catch (const std::invalid_argument& wrong) {
    throw std::invalid_argument(file + ": " + wrong.what());
  }
}

} // namespace levain::load
