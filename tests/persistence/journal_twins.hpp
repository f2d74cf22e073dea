#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "tests/persistence/model_bench.hpp"
#include "tests/persistence/postgres_bench.hpp"
#include "tests/persistence/random_appends.hpp"

namespace levain::test {

/// The two journals side by side: whatever is done to the one is done to the other, and what they answer is compared.
/// Every member throws `difference` with a description when they are not of one mind.
class journal_twins {
public:
  struct difference : std::runtime_error {
    using std::runtime_error::runtime_error;
  };
  enum class fault { none, commit_lost, answer_lost };

  journal_twins() { world_.epochs.fill(bench_epoch); }

  const known_world& world() const { return world_; }
  size_t batches() const { return batches_; }
  size_t appends() const { return appends_; }

  void append(const std::vector<run_append>& batch) {
    note(batch);
    compare(batch, model_.subject().append(batch), postgres_.subject().append(batch));
  }

  /// As another writer does.
  void append_elsewhere(const std::vector<run_append>& batch) {
    note(batch);
    compare(batch, model_other_->append(batch), postgres_other_->append(batch));
  }

  /// Appends, and nobody hears the answer. True when there was a commit to be lost.
  bool append_in_doubt(const std::vector<run_append>& batch, fault lost) {
    note(batch);
    lose(model_, lost);
    const auto expected = model_.subject().append(batch);
    const bool in_doubt = expected.status == append_answer::status_type::in_doubt;
    // A gate that has no commit to lose would lose the next one.
    if (in_doubt)
      lose(postgres_, lost);
    compare(batch, expected, postgres_.subject().append(batch));
    return in_doubt;
  }

  void resolve(const std::vector<run_append>& batch) {
    const auto expected = model_.subject().resolve(batch);
    const auto found = postgres_.subject().resolve(batch);
    expect(expected.resolved == found.resolved, "resolved: " + std::to_string(expected.resolved), found.answer.reason);
    compare(batch, expected.answer, found.answer);
  }

  void take_over(shard_number shard) {
    const auto epoch = ++world_.epochs[shard];
    model_.set_epoch(shard, epoch);
    postgres_.set_epoch(shard, epoch);
  }

  void read(const run_id& run) { compare_events(run, model_.subject().read(run), postgres_.subject().read(run)); }

  void find_row(const run_id& run) {
    auto expected = model_.subject().find_row(run);
    auto found = postgres_.subject().find_row(run);
    for (auto* outline : {&expected, &found})
      if (*outline && (*outline)->stop)
        (*outline)->stop->since = {};
    expect(expected == found, "what is known of run " + to_string(run), "something else");
  }

  void page(const std::vector<shard_number>& shards, const std::optional<run_id>& after, size_t limit) {
    auto listed = model_.subject().list_unfinished(shards);
    expect(listed == postgres_.subject().list_unfinished(shards), "these unfinished runs: " + count(listed), "others");
    // A page of them, and one of which it is not known what it is.
    std::erase_if(listed, [&](const run_id& run) { return after && run <= *after; });
    listed.resize(std::min(listed.size(), limit));
    if (after)
      listed.push_back(*after);
    const auto expected = model_.subject().read_unfinished(listed);
    const auto found = postgres_.subject().read_unfinished(listed);
    expect(expected.size() == found.size(), "unfinished runs: " + count(expected), count(found));
    for (size_t i = 0; i < expected.size(); ++i) {
      expect(expected[i].run == found[i].run, "unfinished: " + to_string(expected[i].run), to_string(found[i].run));
      expect(expected[i].damage == found[i].damage, "damage: " + expected[i].damage, found[i].damage);
      expect(expected[i].stopped == found[i].stopped, "stopped: " + std::to_string(expected[i].stopped), "not so");
      expect(
        expected[i].row_updated_at == found[i].row_updated_at && expected[i].row_status == found[i].row_status,
        "one age of the row of " + to_string(expected[i].run), "another");
      compare_events(expected[i].run, expected[i].events, found[i].events);
    }
    std::vector<shard_lease> leases;
    for (const auto shard : shards)
      leases.push_back({shard, bench_epoch});
    expect(
      model_.subject().open_rows(leases, after, limit) == postgres_.subject().open_rows(leases, after, limit),
      "open rows of one kind", "of another");
  }

  void write_stops(const std::vector<stop_change>& changes) {
    model_.subject().write_stops(changes);
    postgres_.subject().write_stops(changes);
    for (const auto& change : changes)
      find_row(change.run);
  }

  /// Everything that is remembered, column by column.
  void compare_all() {
    size_t events = 0;
    std::set<run_id> runs;
    for (const auto& run : world_.runs)
      runs.insert(run.run);
    for (const auto& run : runs) {
      read(run);
      find_row(run);
      events += model_.subject().read(run).size();
      compare_row(run);
    }
    expect_count("run_events", events);
    expect_count("orchestration_runs", model_.database().rows().size());
    compare_starts();
    for (const auto& row : postgres_.admin("select shard, epoch from shards"))
      expect(
        model_.database().epoch(static_cast<shard_number>(row[0].as<int>())) == row[1].as<epoch_number>(), "an epoch",
        row[1].c_str());
  }

private:
  static void lose(journal_bench& bench, fault lost) {
    if (lost == fault::commit_lost)
      bench.lose_next_commit();
    else if (lost == fault::answer_lost)
      bench.lose_next_answer();
  }

  static void expect(bool same, const std::string& expected, const std::string& found) {
    if (!same)
      throw difference("the model says " + expected + "\nPostgreSQL says " + found);
  }

  template <class Container>
  static std::string count(const Container& things) {
    return std::to_string(things.size());
  }

  static std::string text_of(const append_outcome& outcome) {
    if (const auto* fenced = std::get_if<append_fenced>(&outcome))
      return "fenced by " + std::to_string(fenced->current);
    if (const auto* duplicate = std::get_if<append_duplicate>(&outcome))
      return "duplicate of " + to_string(duplicate->existing) + (duplicate->same_content ? "" : ", other content");
    if (const auto* rejected = std::get_if<append_rejected>(&outcome))
      return "rejected: " + rejected->reason;
    if (const auto* held_up = std::get_if<append_held_up>(&outcome))
      return "held up: " + held_up->reason;
    return "committed";
  }

  /// Our own words are equal; PostgreSQL's may stand behind them, or alone where the model has others for them.
  static bool same_reason(const std::string& expected, const std::string& found) {
    if (expected == found || found.starts_with(expected + " ("))
      return true;
    if (expected.starts_with("sequence conflict"))
      return found.starts_with("sequence conflict");
    if (expected.starts_with("run_number: "))
      return found.find("ix_orchestration_runs_run_number") != std::string::npos;
    if (expected.starts_with("id: "))
      return found.find("orchestration_runs_pkey") != std::string::npos;
    return false;
  }

  static bool same_outcome(const append_outcome& expected, const append_outcome& found) {
    const auto* rejected = std::get_if<append_rejected>(&expected);
    const auto* also = std::get_if<append_rejected>(&found);
    return rejected && also ? same_reason(rejected->reason, also->reason) : expected == found;
  }

  void compare(const std::vector<run_append>& batch, const append_answer& expected, const append_answer& found) {
    ++batches_;
    appends_ += batch.size();
    expect(
      expected.status == found.status, "status " + std::to_string(static_cast<int>(expected.status)),
      std::to_string(static_cast<int>(found.status)) + " " + found.reason);
    expect(expected.outcomes.size() == found.outcomes.size(), count(expected.outcomes), count(found.outcomes));
    for (size_t i = 0; i < expected.outcomes.size(); ++i)
      expect(
        same_outcome(expected.outcomes[i], found.outcomes[i]),
        "of append " + std::to_string(i) + ": " + text_of(expected.outcomes[i]), text_of(found.outcomes[i]));
    follow(batch);
  }

  void
  compare_events(const run_id& run, const std::vector<event_record>& expected, const std::vector<event_record>& found) {
    expect(expected.size() == found.size(), count(expected) + " events of " + to_string(run), count(found));
    for (size_t i = 0; i < expected.size(); ++i) {
      auto event = found[i];
      expect(same_document(expected[i].body, event.body), "the body " + expected[i].body, event.body);
      event.body = expected[i].body;
      expect(
        event == expected[i], "event " + std::to_string(expected[i].seq) + " of " + to_string(run), "another event");
    }
  }

  /// The same value, or numbers that no reader of ours can hold.
  static bool same_document(const std::string& a, const std::string& b) {
    return a == b || nlohmann::json::parse(a, nullptr, false) == nlohmann::json::parse(b, nullptr, false);
  }

  void compare_row(const run_id& run) {
    auto expected = model_.row(run);
    auto found = postgres_.row(run);
    expect(expected.has_value() == found.has_value(), "there is a row of " + to_string(run), "there is none, or");
    if (!expected)
      return;
    for (const auto document : {&audit_row::forecast_data, &audit_row::run_metadata, &audit_row::error_details}) {
      // Read as JSON, a column without a value and one that holds a null look the same.
      const auto wanted = (*expected.*document).value_or("null");
      const auto stored = (*found.*document).value_or("null");
      expect(same_document(wanted, stored), wanted, stored);
      *found.*document = *expected.*document;
    }
    expect(
      expected->updated_at == found->updated_at, "updated_at " + to_rfc3339(expected->updated_at),
      to_rfc3339(found->updated_at));
    expect(*expected == *found, "the row of " + to_string(run), "another row");
  }

  void compare_starts() {
    std::map<std::string, std::string> expected;
    for (const auto& [key, run] : model_.database().starts())
      expected[to_string(key.tenant) + " " + key.key] = to_string(run) + " " + key.fingerprint;
    std::map<std::string, std::string> found;
    for (const auto& row : postgres_.admin("select tenant_id, idempotency_key, run_id, fingerprint from run_starts"))
      found[std::string(row[0].c_str()) + " " + row[1].c_str()] = std::string(row[2].c_str()) + " " + row[3].c_str();
    expect(expected == found, count(expected) + " starts", count(found) + ", or others");
  }

  void expect_count(const std::string& table, size_t expected) {
    const auto found = postgres_.admin("select count(*) from " + table)[0][0].as<size_t>();
    expect(expected == found, std::to_string(expected) + " rows of " + table, std::to_string(found));
  }

  /// Remembers the runs that the batch is about.
  void note(const std::vector<run_append>& batch) {
    for (const auto& append : batch) {
      const auto& row = append.insert ? append.insert : append.update;
      if (places_.try_emplace(append.run, world_.runs.size()).second)
        world_.runs.push_back({append.run, {}, row ? row->run_number : "N-" + to_string(append.run)});
    }
  }

  /// Looks how far the journals of the batch's runs are now.
  void follow(const std::vector<run_append>& batch) {
    for (const auto& append : batch) {
      auto& numbers = world_.runs[places_.at(append.run)].numbers;
      numbers.clear();
      for (const auto& event : model_.database().events(append.run))
        numbers.push_back(event.seq);
    }
  }

  model_bench model_;
  postgres_bench postgres_{std::chrono::seconds(60)};
  std::unique_ptr<journal> model_other_ = model_.another();
  std::unique_ptr<journal> postgres_other_ = postgres_.another();
  known_world world_;
  std::map<run_id, size_t> places_;
  size_t batches_ = 0;
  size_t appends_ = 0;
};

} // namespace levain::test
