#include "apps/load/load_result.hpp"

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <type_traits>

namespace levain::load {

namespace {

using nlohmann::json;

// Each record's members stand in one list, `members`, which both the writer and the reader walk: what one of them
// knows, the other cannot forget.

template <class Walk, class Record>
requires std::is_same_v<std::remove_const_t<Record>, latency_bucket>
void members(Walk& walk, Record& x) {
  walk("upper_ms", x.upper_ms);
  walk("count", x.count);
}

template <class Walk, class Record>
requires std::is_same_v<std::remove_const_t<Record>, latency_figures>
void members(Walk& walk, Record& x) {
  walk("p50", x.p50);
  walk("p90", x.p90);
  walk("p99", x.p99);
  walk("p999", x.p999);
  walk("max", x.max);
  walk("mean", x.mean);
  walk("count", x.count);
  walk("histogram", x.histogram);
}

template <class Walk, class Record>
requires std::is_same_v<std::remove_const_t<Record>, load_moment>
void members(Walk& walk, Record& x) {
  walk("at_s", x.at_s);
  walk("started", x.started);
  walk("ended", x.ended);
  walk("steps", x.steps);
  walk("refused", x.refused);
  walk("in_flight", x.in_flight);
  walk("p50_ms", x.p50_ms);
  walk("p99_ms", x.p99_ms);
  walk("rss_bytes", x.rss_bytes);
}

template <class Walk, class Record>
requires std::is_same_v<std::remove_const_t<Record>, load_group>
void members(Walk& walk, Record& x) {
  walk("runs", x.runs);
  walk("latency_ms", x.latency_ms);
}

template <class Walk, class Record>
requires std::is_same_v<std::remove_const_t<Record>, load_result>
void members(Walk& walk, Record& x) {
  walk("kind", x.kind);
  walk("began_at", x.began_at);
  walk("settings", x.settings);
  walk("machine", x.machine);
  walk("runs", x.runs);
  walk("steps", x.steps);
  walk("seconds", x.seconds);
  walk("runs_per_s", x.runs_per_s);
  walk("steps_per_s", x.steps_per_s);
  walk("latency_ms", x.latency_ms);
  walk("start_ms", x.start_ms);
  walk("wal_bytes_per_run", x.wal_bytes_per_run);
  walk("commits_per_run", x.commits_per_run);
  walk("batches_per_run", x.batches_per_run);
  walk("rows_per_batch", x.rows_per_batch);
  walk("engine_cpu_ms_per_run", x.engine_cpu_ms_per_run);
  walk("postgres_cpu_ms_per_run", x.postgres_cpu_ms_per_run);
  walk("peak_rss_bytes", x.peak_rss_bytes);
  walk("dead_tuples", x.dead_tuples);
  walk("refused", x.refused);
  walk("errors", x.errors);
  walk("endings", x.endings);
  walk("lost", x.lost);
  walk("duplicates", x.duplicates);
  walk("audit_differences", x.audit_differences);
  walk("over_time", x.over_time);
  walk("tenants", x.tenants);
  walk("priorities", x.priorities);
}

// ---- writing ----------------------------------------------------------------

template <class Record>
json written(const Record& x);

json written(double x) {
  return x;
}
json written(uint64_t x) {
  return x;
}
json written(const std::string& x) {
  return x;
}
template <class Value>
json written(const std::optional<Value>& x) {
  return x ? written(*x) : json();
}
template <class Value>
json written(const std::vector<Value>& x) {
  auto list = json::array();
  for (const auto& each : x)
    list.push_back(written(each));
  return list;
}
template <class Value>
json written(const std::map<std::string, Value>& x) {
  auto object = json::object();
  for (const auto& [name, value] : x)
    object[name] = written(value);
  return object;
}

template <class Record>
json written(const Record& x) {
  auto object = json::object();
  const auto walk = [&object](const char* name, const auto& value) { object[name] = written(value); };
  members(walk, x);
  return object;
}

// ---- reading ----------------------------------------------------------------

/// A place in the text, with its name for errors: `over_time[2].at_s`.
struct place {
  const json& text;
  std::string name;

  [[noreturn]] void refuse(const std::string& wanted) const {
    constexpr size_t shown_max = 60;
    auto shown = text.dump(-1, ' ', true, json::error_handler_t::replace);
    if (shown.size() > shown_max)
      shown = shown.substr(0, shown_max) + "...";
    throw std::invalid_argument((name.empty() ? "the result" : name) + ": must be " + wanted + ", not " + shown);
  }
};

template <class Record>
void read(const place& from, Record& into);

void read(const place& from, double& into) {
  if (!from.text.is_number())
    from.refuse("a number");
  into = from.text.get<double>();
}
void read(const place& from, uint64_t& into) {
  if (!from.text.is_number_unsigned())
    from.refuse("a whole number, 0 or more");
  into = from.text.get<uint64_t>();
}
void read(const place& from, std::string& into) {
  if (!from.text.is_string())
    from.refuse("a string");
  into = from.text.get<std::string>();
}
template <class Value>
void read(const place& from, std::optional<Value>& into) {
  if (from.text.is_null())
    into.reset();
  else
    read(from, into.emplace());
}
template <class Value>
void read(const place& from, std::vector<Value>& into) {
  if (!from.text.is_array())
    from.refuse("a list");
  into.clear();
  for (size_t i = 0; i < from.text.size(); ++i)
    read({from.text[i], from.name + '[' + std::to_string(i) + ']'}, into.emplace_back());
}
template <class Value>
void read(const place& from, std::map<std::string, Value>& into) {
  if (!from.text.is_object())
    from.refuse("an object");
  into.clear();
  for (const auto& [name, value] : from.text.items())
    read({value, from.name + '.' + name}, into[name]);
}

template <class Record>
void read(const place& from, Record& into) {
  if (!from.text.is_object())
    from.refuse("an object");
  const auto walk = [&from](const char* name, auto& value) {
    const auto full_name = from.name.empty() ? name : from.name + '.' + name;
    const auto found = from.text.find(name);
    if (found == from.text.end())
      throw std::invalid_argument(full_name + ": is missing");
    read({*found, full_name}, value);
  };
  members(walk, into);
}

} // namespace

uint64_t load_result::failed() const {
  uint64_t count = 0;
  for (const auto* status : {"failed", "cancelled"})
    if (const auto found = endings.find(status); found != endings.end())
      count += found->second;
  return count;
}

bool load_result::proven() const {
  return lost.value_or(0) == 0 && duplicates.value_or(0) == 0 && audit_differences.value_or(0) == 0 && errors.empty();
}

json to_json(const load_result& result) {
  return written(result);
}

load_result load_result_from_json(const json& text) {
  load_result result;
  read({text, ""}, result);
  if (result.kind != "load" && result.kind != "floor")
    place{text["kind"], "kind"}.refuse("\"load\" or \"floor\"");
  return result;
}

} // namespace levain::load
