#include <algorithm>
#include <utility>

#include "tests/simulation/port_call.hpp"
#include "tests/simulation/ports.hpp"

namespace levain::simulation {

namespace {

append_answer not_written(std::string reason) {
  append_answer answer;
  answer.status = append_answer::status_type::transient;
  answer.reason = std::move(reason);
  return answer;
}

bool is_poisoned(const run_append& append) {
  return std::any_of(append.events.begin(), append.events.end(), [](const event_record& each) {
    return each.body.find(poison_text) != std::string::npos;
  });
}

constexpr auto lost = "the database cannot be reached";

} // namespace

simulated_journal::simulated_journal(ground& under, life_ptr of, connection_kind connection)
  : under_(under)
  , of_(std::move(of))
  , connection_(connection)
  , inner_(under.database, manners_) {
  manners_->on_append = [this](const std::vector<run_append>&) { return fault_; };
  manners_->on_row = [](const run_append& append) -> std::optional<std::string> {
    if (is_poisoned(append))
      return "body: a value that this column does not take";
    return std::nullopt;
  };
  manners_->can_resolve = [this] {
    return !under_.faults.is_out(of_->who.node, connection_, false, under_.now) &&
           !under_.faults.is_out(of_->who.node, connection_, true, under_.now);
  };
}

void simulated_journal::choose_fault() {
  fault_ = model_fault::none;
  taken_for_lost_ = false;
  if (under_.faults.is_out(of_->who.node, connection_, false, under_.now)) {
    under_.seen.saw(sight::outages);
    fault_ = model_fault::transient;
    return;
  }
  const auto fault = under_.faults.next_commit_fault(of_->who.node, under_.now);
  if (!fault)
    return;
  switch (*fault) {
  case commit_fault::transient:
    under_.seen.saw(sight::commits_transient);
    fault_ = model_fault::transient;
    break;
  case commit_fault::serialization:
    under_.seen.saw(sight::commits_serialized);
    fault_ = model_fault::transient;
    break;
  case commit_fault::lost_before:
    under_.seen.saw(sight::commits_lost_before);
    fault_ = model_fault::in_doubt_before_commit;
    break;
  case commit_fault::lost_after:
    under_.seen.saw(sight::commits_lost_after);
    fault_ = model_fault::in_doubt_after_commit;
    break;
  case commit_fault::taken_for_lost:
    fault_ = model_fault::in_doubt_after_commit;
    taken_for_lost_ = true;
    break;
  }
}

append_answer simulated_journal::append(const std::vector<run_append>& batch) {
  port_call here(under_, *of_, connection_);
  if (!here.goes() || !here.survives(kill_point::before_commit))
    return not_written(lost);
  auto answer = commit(batch);
  if (!here.survives(kill_point::after_commit) || !here.comes_back())
    return not_written(lost);
  return answer;
}

bool simulated_journal::is_fenced(const std::vector<run_append>& batch) const {
  return std::any_of(batch.begin(), batch.end(), [&](const run_append& each) {
    return under_.database->epoch(shard_of(each.run)) != each.epoch;
  });
}

append_answer simulated_journal::commit(const std::vector<run_append>& batch) {
  if (written_again_ && is_fenced(batch)) {
    // Whether the first time was one is asked again, and told: the shard has gone since.
    written_again_ = false;
    append_answer doubt;
    doubt.status = append_answer::status_type::in_doubt;
    doubt.reason = lost;
    return doubt;
  }
  choose_fault();
  const auto& disk = *under_.database;
  std::vector<size_t> events_before;
  std::vector<std::optional<audit_row>> rows_before;
  for (const auto& each : batch) {
    events_before.push_back(disk.events(each.run).size());
    rows_before.push_back(disk.row(each.run));
  }
  auto answer = inner_.append(batch);
  // A batch of which nothing is left to be written has no commit that could be lost.
  const bool lost_before = fault_ == model_fault::in_doubt_before_commit;
  if (fault_ == model_fault::transient || (lost_before && answer.status == append_answer::status_type::in_doubt))
    return answer;
  under_.seen.saw(sight::commits);
  under_.seen.saw(
    sight::fences,
    static_cast<uint64_t>(std::count_if(answer.outcomes.begin(), answer.outcomes.end(), [](const auto& x) {
      return std::holds_alternative<append_fenced>(x);
    })));
  // What was written is read from the disk: the answer may be lost, and is not to be believed anyway.
  for (size_t i = 0; i < batch.size(); ++i) {
    const auto& append = batch[i];
    run_written written{under_.now, of_->who, append.run, append.epoch, {}, {}, {}};
    auto events = disk.events(append.run);
    written.events.assign(events.begin() + static_cast<std::ptrdiff_t>(events_before[i]), events.end());
    auto row = disk.row(append.run);
    if (row != rows_before[i])
      written.row = std::move(row);
    if (append.key && !rows_before[i] && written.row)
      written.key = append.key->key;
    for (const auto& each : written.events)
      if (each.kind == event_kind::step_compensated)
        under_.seen.saw(sight::undone_steps);
      else if (each.kind == event_kind::run_retried && each.body.find("by") == std::string::npos)
        under_.seen.saw(sight::run_retries);
    if (!written.events.empty())
      under_.known_runs.insert(append.run);
    if (!written.events.empty() || written.row)
      under_.audience.saw(written);
    else if (is_poisoned(append) && append.epoch == disk.epoch(shard_of(append.run))) {
      under_.seen.saw(sight::rows_refused);
      under_.audience.saw(run_refused{under_.now, of_->who, append.run});
    }
  }
  taken_for_lost_ = taken_for_lost_ && answer.status == append_answer::status_type::in_doubt;
  written_again_ = written_again_ && answer.status != append_answer::status_type::done;
  return answer;
}

journal::resolution simulated_journal::resolve(const std::vector<run_append>& batch) {
  port_call here(under_, *of_, connection_);
  if (!here.goes())
    return {false, not_written(lost)};
  auto found = inner_.resolve(batch);
  if (!here.comes_back())
    return {false, not_written(lost)};
  if (found.resolved && std::exchange(taken_for_lost_, false) && !is_fenced(batch)) {
    under_.seen.saw(sight::commits_taken_for_lost);
    written_again_ = true;
    return {true, not_written("the lost transaction was rolled back")};
  }
  return found;
}

void simulated_journal::expect_readable() const {
  if (of_->alive && !under_.faults.is_out(of_->who.node, connection_, true, under_.now))
    return;
  if (of_->alive)
    under_.seen.saw(sight::outages);
  throw journal_unavailable(lost);
}

template <class Read>
auto simulated_journal::read_slowly(Read read) {
  port_call here(under_, *of_, connection_);
  here.goes();
  expect_readable();
  auto found = read();
  here.comes_back();
  expect_readable();
  return found;
}

std::vector<run_id> simulated_journal::list_unfinished(const std::vector<shard_number>& shards) {
  return read_slowly([&] { return inner_.list_unfinished(shards); });
}

std::vector<unfinished_run> simulated_journal::read_unfinished(const std::vector<run_id>& runs) {
  return read_slowly([&] { return inner_.read_unfinished(runs); });
}

std::vector<event_record> simulated_journal::read(const run_id& run) {
  return read_slowly([&] { return inner_.read(run); });
}

std::optional<row_outline> simulated_journal::find_row(const run_id& run) {
  return read_slowly([&] { return inner_.find_row(run); });
}

std::vector<run_id>
simulated_journal::open_rows(const std::vector<shard_lease>& shards, const std::optional<run_id>& after, size_t limit) {
  return read_slowly([&] { return inner_.open_rows(shards, after, limit); });
}

void simulated_journal::write_stops(const std::vector<stop_change>& changes) {
  read_slowly([&] {
    inner_.write_stops(changes);
    for (const auto& each : changes)
      if (each.epoch == under_.database->epoch(shard_of(each.run))) {
        if (!each.stop || each.stop->kind == stop_kind::journal_damaged)
          under_.seen.saw(each.stop ? sight::damaged_runs_stopped : sight::stopped_runs_taken_up);
        under_.audience.saw(stop_noted{
          under_.now, of_->who, each.run, each.epoch, each.stop ? std::string(to_string(each.stop->kind)) : ""});
      }
    return true;
  });
}

// ---- what the journal says of itself ----------------------------------------

bool simulated_journal::is_contradicted(const run_id& run) const {
  const auto events = under_.database->events(run);
  const auto row = under_.database->row(run);
  return !events.empty() && !is_terminal(events.back().kind) && events.back().kind != event_kind::attention_resolved &&
         (!row || is_ended(row->status));
}

journal_survey::page
simulated_journal::survey(const std::vector<shard_lease>& shards, const std::optional<run_id>& before, size_t) {
  expect_readable();
  page found;
  for (const auto& run : under_.known_runs)
    if (
      (!before || run < *before) && is_contradicted(run) &&
      std::any_of(shards.begin(), shards.end(), [&](const auto& each) { return each.shard == shard_of(run); }))
      found.contradicted.push_back(run);
  return found;
}

std::vector<run_id> simulated_journal::contradicted(const std::vector<run_id>& runs) {
  expect_readable();
  std::vector<run_id> found;
  std::copy_if(
    runs.begin(), runs.end(), std::back_inserter(found), [&](const run_id& run) { return is_contradicted(run); });
  return found;
}

std::vector<uint64_t> simulated_journal::sizes(const std::vector<run_id>& runs, uint64_t bytes_max) {
  expect_readable();
  std::vector<uint64_t> sizes;
  uint64_t all = 0;
  for (const auto& run : runs) {
    uint64_t bytes = 0;
    for (const auto& each : under_.database->events(run))
      bytes += each.body.size();
    if (!sizes.empty() && all + bytes > bytes_max)
      break;
    all += bytes;
    sizes.push_back(bytes);
  }
  return sizes;
}

} // namespace levain::simulation
