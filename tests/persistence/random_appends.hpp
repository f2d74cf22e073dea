#pragma once

#include <array>
#include <random>
#include <string>
#include <vector>

#include "tests/persistence/journal_bench.hpp"

namespace levain::test {

/// What a maker of appends knows of the world: the runs that somebody began, how far their journals are, and the
/// epochs.
struct known_world {
  struct known_run {
    run_id run;
    std::vector<int32_t> numbers;
    std::string run_number;
  };
  std::vector<known_run> runs;
  std::array<epoch_number, shard_count> epochs{};
};

/// Makes appends of every kind, right ones most of the time: from a seed and what is known of the world, so that the
/// same seed makes the same appends in the same world.
class append_maker {
public:
  append_maker(uint64_t seed, const known_world& world)
    : draw_(seed)
    , world_(world) {}

  /// At most `size` appends, each of another run but when `twice` is drawn.
  std::vector<run_append> batch(size_t size) {
    std::vector<run_append> made;
    for (size_t i = 0; i < size; ++i) {
      auto append = one();
      const bool is_there =
        std::any_of(made.begin(), made.end(), [&](const run_append& other) { return other.run == append.run; });
      if (!is_there || chance(0.1))
        made.push_back(std::move(append));
    }
    return made;
  }

  /// Starts alone, all with keys of which there are few.
  std::vector<run_append> rush(size_t size) {
    std::vector<run_append> made;
    for (size_t i = 0; i < size; ++i) {
      auto append = start(fresh_id());
      append.epoch = world_.epochs[shard_of(append.run)];
      append.key = some_key();
      made.push_back(std::move(append));
    }
    return made;
  }

  run_append one() {
    run_append append = drawn();
    append.epoch = world_.epochs[shard_of(append.run)];
    if (chance(0.05))
      append.epoch += chance(0.5) ? -1 : 1;
    if (chance(0.03))
      spoil(append);
    return append;
  }

  uint64_t below(uint64_t bound) { return draw_() % bound; }
  bool chance(double share) { return static_cast<double>(below(1'000'000)) < share * 1'000'000; }

  std::vector<shard_number> shards() {
    std::vector<shard_number> some;
    for (shard_number shard = 0; shard < shards_used; ++shard)
      if (chance(0.7))
        some.push_back(shard);
    return some;
  }
  std::optional<run_id> some_run() {
    if (world_.runs.empty())
      return std::nullopt;
    return known().run;
  }
  run_id any_run() { return chance(0.9) ? some_run().value_or(fresh_id()) : fresh_id(); }

  static constexpr shard_number shards_used = 6;

private:
  template <class Container>
  const auto& one_of(const Container& from) {
    return from[below(std::size(from))];
  }

  const known_world::known_run& known() { return one_of(world_.runs); }

  run_id fresh_id() {
    return make_run_id(
      bench_time + std::chrono::milliseconds(below(1'000'000)), {draw_(), draw_()},
      static_cast<shard_number>(below(shards_used)));
  }

  run_append drawn() {
    const auto roll = below(100);
    if (world_.runs.empty() || roll < 30)
      return start(fresh_id());
    if (roll < 35)
      return start(known().run);
    if (roll < 75)
      return events_of(known(), 1);
    if (roll < 80) // a hole
      return events_of(known(), 2 + static_cast<int32_t>(below(3)));
    if (roll < 86) // a number that is there
      return events_of(known(), -static_cast<int32_t>(below(3)));
    if (roll < 96)
      return update_of(known().run);
    if (roll < 98)
      return update_of(fresh_id());
    return events_of({fresh_id(), {}, {}}, 1 + static_cast<int32_t>(below(3)));
  }

  run_append start(const run_id& run) {
    run_append append;
    append.run = run;
    append.events = {event_of(1)};
    if (chance(0.3))
      append.events.push_back(event_of(2));
    append.insert = row_of(run);
    append.insert->run_number = chance(0.04) && !world_.runs.empty() ? known().run_number : number_of(run);
    if (chance(0.4))
      append.key = some_key();
    return append;
  }

  start_key some_key() {
    const auto fingerprint = static_cast<char>('a' + below(2));
    return {chance(0.5) ? bench_tenant : other_tenant, one_of(keys), std::string(64, fingerprint)};
  }

  run_append events_of(const known_world::known_run& of, int32_t offset) {
    run_append append;
    append.run = of.run;
    int32_t seq = std::max((of.numbers.empty() ? 0 : of.numbers.back()) + offset, 1);
    for (auto count = 1 + below(3); count > 0; --count)
      append.events.push_back(event_of(seq++));
    if (append.events.front().seq == 1)
      append.insert = row_of(of.run);
    else if (chance(0.3))
      append.update = row_of(of.run);
    return append;
  }

  run_append update_of(const run_id& run) {
    run_append append;
    append.run = run;
    append.update = row_of(run);
    if (chance(0.03) && !world_.runs.empty())
      append.update->run_number = known().run_number;
    return append;
  }

  event_record event_of(int32_t seq) {
    event_record event;
    event.seq = seq;
    event.at = time();
    event.kind = chance(0.15) ? one_of(ends) : static_cast<event_kind>(below(event_kind_count));
    if (chance(0.4))
      event.step = text(0.02);
    if (chance(0.4))
      event.attempt = static_cast<int32_t>(below(5));
    if (chance(0.5))
      event.body = json();
    return event;
  }

  audit_row row_of(const run_id& run) {
    audit_row row = full_row(run, static_cast<int>(below(1000)));
    row.run_number = number_of(run);
    row.tenant = chance(0.5) ? bench_tenant : other_tenant;
    row.status = static_cast<run_status>(below(6));
    row.updated_at = time();
    for (auto* number : {&row.forecasts_generated, &row.retry_count, &row.saga_steps_total})
      if (chance(0.1))
        *number = one_of(numbers);
    if (chance(0.2))
      row.duration_seconds = chance(0.5) ? std::nullopt : std::optional(one_of(numbers));
    for (auto* metric : {&row.fulfillment_rate, &row.quality_score})
      if (chance(0.2))
        *metric = chance(0.5) ? std::nullopt : std::optional(static_cast<int32_t>(below(101)));
    for (auto* document : {&row.forecast_data, &row.run_metadata, &row.error_details})
      if (chance(0.2))
        *document = chance(0.5) ? std::nullopt : std::optional(json());
    for (auto* words :
         {&row.error_message, &row.triggered_by, &row.attention, &row.steps[2].error, &row.steps[0].status})
      if (chance(0.2))
        *words = chance(0.5) ? std::nullopt : std::optional(text(0.04));
    for (auto* words : {&row.run_type, &row.priority, &row.workflow})
      if (chance(0.03))
        *words = text(0.2);
    if (chance(0.05))
      row.completed_at.reset();
    if (chance(0.02))
      row.steps[1].started_at = chance(0.5) ? calendar_end : calendar_begin;
    return row;
  }

  /// What no caller may do.
  void spoil(run_append& append) {
    switch (below(8)) {
    case 0:
      append.update = row_of(append.run);
      break;
    case 1:
      append.insert.reset();
      break;
    case 2:
      append.events.clear();
      break;
    case 3:
      (append.insert ? append.insert : append.update).emplace(row_of(fresh_id()));
      break;
    case 4:
      append.key = start_key{bench_tenant, std::string(chance(0.5) ? 0 : 256, 'k'), std::string(64, 'a')};
      break;
    case 5:
      if (!append.events.empty())
        append.events.back().seq += static_cast<int32_t>(below(3)) - 1;
      break;
    case 6:
      if (!append.events.empty())
        append.events.back().attempt = -1;
      break;
    default:
      if (!append.events.empty())
        append.events.back().at = timestamp(-std::chrono::hours(24) * 365 * 3000);
    }
  }

  timestamp time() {
    if (chance(0.01))
      return chance(0.5) ? calendar_begin : calendar_end - std::chrono::microseconds(1);
    return long_ago + std::chrono::microseconds(below(1'000'000'000'000));
  }

  static std::string number_of(const run_id& run) { return "N-" + to_string(run); }

  std::string text(double wrong) {
    if (chance(wrong))
      return one_of(wrong_texts);
    return one_of(right_texts);
  }

  std::string json() {
    if (chance(0.03))
      return one_of(odd_documents);
    return one_of(documents);
  }

public:
  /// Before any clock of today: a time that a database gives by itself is told apart from one that was written.
  static inline const timestamp long_ago = std::chrono::sys_days(std::chrono::year(2020) / 1 / 1);

private:
  static inline const tenant_id other_tenant{*uuid::parse("99999999-2222-4333-8444-555555555555")};
  static inline const std::vector<std::string> keys = {
    "monday",  "tuesday", "wednesday", "thursday", "b\xc3\xa4r",
    "\"{},\\", "NULL",    " ",         "Monday",   std::string(255, 'k')};
  static constexpr std::array ends = {
    event_kind::run_completed, event_kind::run_partially_succeeded, event_kind::run_failed, event_kind::run_cancelled};
  static constexpr std::array<int32_t, 7> numbers = {0, 1, -1, 101, 2147483647, -2147483647 - 1, 97};
  static inline const std::vector<std::string> right_texts = {
    "success",          "s",  "NULL", "null", "a b", "{a,b}", "\"", "\\", "\\N", "'", "b\xc3\xa4",
    "\xf0\x9f\xa5\x96", "\t", "a\nb", "\x7f", "$1",  "1e5"};
  static inline const std::vector<std::string> wrong_texts = {
    std::string("a\0b", 3), "\xff", "\xc3\x28", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\xaf", "\xe2\x82",
    std::string(20, 'x'), std::string(21, 'x'), std::string(50, 'x'), std::string(51, 'x'), std::string(100, 'x'),
    std::string(101, 'x'),
    // Blanks beyond a column's width are cut by PostgreSQL where they are cast and refused where they are assigned.
    std::string(101, ' '), "success" + std::string(14, ' '), ""};
  static inline const std::vector<std::string> documents = {
    "{}",
    "[]",
    "1",
    "\"text\"",
    "null",
    "true",
    R"({"a":{"b":[1,2.5,"\"\\ \u00e4"]}})",
    R"({"a":1,"a":2})",
    R"({"output":{"x":[1,2,{"y":null}]}})",
    "0.0",
    "-0",
    "1.50",
    "1e5",
    "123456789012345678901234567890",
    "1e-7",
    R"("\ud83c\udf5e")",
    R"("\\u0000")",
    " { \"a\" : 1 } ",
    "\"\x7f\"",
    "1.7976931348623157e308"};
  /// Numbers that no double holds are left out: PostgreSQL stores them, canonical JSON has none.
  static inline const std::vector<std::string> odd_documents = {
    R"("\u0000")",
    R"({"\u0000":1})",
    "1e999999",
    R"("\ud800")",
    R"("\udf5e\ud83c")",
    R"("\ud83c\u0041")",
    "\xef\xbb\xbf{}",
    " ",
    "nul",
    "[1,]",
    "{\"a\":}",
    "\"\x01\"",
    "\"\n\"",
    "01",
    "1.",
    ".5",
    "+1",
    "1e",
    "NaN",
    "'a'",
    "{} x",
    "// c\n1",
    "\"\xc3\x28\"",
    R"("\u00zz")",
    R"("\x")",
    "\v1",
    std::string("\xc2\xa0") + "1",
    "\f{}",
    std::string("{}\0", 3),
    std::string(1000, '[') + std::string(1000, ']'),
    "-",
    "\"",
    "{\"a\" 1}",
    "[1 2]",
    "{1:2}",
    "tru",
    "TRUE",
    "0x10",
    "1e+",
    "-01",
    "{,}"};

  std::mt19937_64 draw_;
  const known_world& world_;
};

} // namespace levain::test
