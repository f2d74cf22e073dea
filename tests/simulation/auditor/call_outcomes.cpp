#include <algorithm>

#include "tests/simulation/auditor/call_ledger.hpp"
#include "tests/simulation/auditor/recorded_values.hpp"

// Whether an outcome in the journal is what the call was answered.

namespace levain::simulation {

namespace {

using nlohmann::json;

/// The largest answer and the deepest nesting that a step may have.
constexpr size_t answer_bytes_max = 1024 * 1024;
constexpr int answer_depth_max = 64;
/// How long the answers of a cancelled run's calls are awaited.
constexpr duration cancel_grace = std::chrono::seconds(30);

int depth_of(const json& value) {
  int deepest = 0;
  if (value.is_structured())
    for (const auto& each : value)
      deepest = std::max(deepest, depth_of(each));
  return value.is_structured() ? deepest + 1 : 0;
}

bool holds_nul(const json& value) {
  if (value.is_string())
    return value.get_ref<const std::string&>().find('\0') != std::string::npos;
  if (value.is_object())
    for (const auto& [name, each] : value.items())
      if (name.find('\0') != std::string::npos || holds_nul(each))
        return true;
  return value.is_array() && std::any_of(value.begin(), value.end(), holds_nul);
}

bool is_usable(const std::string& answer, const step_known& step) {
  if (answer.size() > answer_bytes_max || answer.find(char(0)) != std::string::npos)
    return false;
  const auto value = json::parse(answer, nullptr, false);
  return !value.is_discarded() && depth_of(value) <= answer_depth_max && !holds_nul(value) && fits_columns(step, value);
}

bool is_undoing(event_kind kind) {
  return kind == event_kind::step_compensated || kind == event_kind::compensation_attempt_failed ||
         kind == event_kind::compensation_failed;
}

bool is_success(event_kind kind) {
  return kind == event_kind::step_succeeded || kind == event_kind::step_compensated;
}

std::string shown(const event_record& event, const event_told& told) {
  return std::string(to_string(event.kind)) + " of " + event.step + ", attempt " + std::to_string(event.attempt) +
         (told.failure.empty() ? "" : " (" + told.failure + ")");
}

} // namespace

bool call_ledger::matches(
  const answer& given, const event_record& event, const event_told& told, const step_known& step) {
  if (event.kind == event_kind::step_compensated)
    return given.output.has_value();
  if (event.kind == event_kind::step_succeeded)
    return given.output && is_usable(*given.output, step) &&
           json::parse(*given.output, nullptr, false) == told.body.value("output", json());
  if (told.failure == "invalid_output")
    return given.output && !is_usable(*given.output, step);
  return !given.output && given.failure == told.failure;
}

void call_ledger::judge_doubt(
  const event_record& event, const event_told& told, const run_story& story, const step_story& step) const {
  if (step.known->effect_none || is_undoing(event.kind))
    return;
  // Nobody was given what only waited.
  const bool queued = told.body.value("message", "").ends_with("(queue_timeout)");
  const bool made =
    (told.failure == "timeout" && !queued) || told.failure == "invalid_output" || told.failure == "abandoned";
  if (made && !told.body.value("unknown", false))
    accuse_(rule::unknown_is_said, story.run, shown(event, told) + " as if nothing could have been done");
}

void call_ledger::outcome(
  const place& by, timestamp at, const event_record& event, const event_told& told, const run_story& story) {
  const auto* step = story.find(event.step);
  if (step == nullptr)
    return;
  judge_doubt(event, told, story, *step);
  if (told.failure == "rejected") {
    if (refusals(story.run) == 0)
      accuse_(rule::refused_alone, story.run, shown(event, told) + " though the database refused nothing of the run");
    return;
  }
  const attempt_name attempt{event.step, static_cast<uint32_t>(event.attempt), is_undoing(event.kind)};
  const auto calls = calls_of(by, story.run, attempt);
  // A step that is undone in doubt has no result that its undoing could name.
  const bool has_no_result = attempt.undo && step->stage != step_story::stage_type::succeeded;
  if (calls.empty() && has_no_result && told.failure == "final")
    return;
  // An earlier owner had made it, and it waited for room in memory here until its run stopped.
  if (
    calls.empty() && told.failure == "abandoned" &&
    told.body.value("message", "").starts_with("it may have begun before the run was taken"))
    return;
  if (calls.empty()) {
    accuse_(rule::outcome_is_answer, story.run, shown(event, told) + " without a call from " + to_string(by));
    return;
  }
  const answer* in_time = nullptr;
  for (const auto* each : calls)
    for (const auto& given : each->answers) {
      // A first answer that is late may still come before its deadline is noticed.
      if (!given.awaited && &given != &each->answers.front())
        continue;
      if (matches(given, event, told, *step->known))
        return;
      // Whoever makes an attempt again has forgotten what it was answered before: it lost the shard meanwhile, or the
      // database refused the run's rows.
      if (each == calls.back() && given.awaited && given.at < each->deadline())
        in_time = &given;
    }
  const bool stopping = story.stage == run_story::stage_type::stopping;
  const bool grace_over =
    story.cancelled_at && (at >= *story.cancelled_at + cancel_grace || owners_.clock_moved(by, timestamp::min()));
  const bool given_up = told.failure == "abandoned" && !attempt.undo && stopping &&
                        (step->known->effect_none || grace_over || !calls.back()->what.kind.empty());
  if (given_up)
    return;
  if (in_time != nullptr) {
    accuse_(
      rule::answer_kept, story.run,
      shown(event, told) + " though the answer of " + to_rfc3339(in_time->at) + " was " +
        (in_time->output ? in_time->output->substr(0, 100) : in_time->failure));
    return;
  }
  const auto& last = *calls.back();
  // A call to workers says so when there was nobody who could have done it.
  const bool nobody_offers =
    !last.what.kind.empty() && told.failure == "retryable" &&
    told.body.value("message", "").starts_with("no worker offers steps of kind '" + last.what.kind + "'");
  const auto& queue_timeout = attempt.undo ? step->known->undo_queue_timeout : step->known->queue_timeout;
  const auto waited = last.what.kind.empty() || !queue_timeout
                        ? last.deadline()
                        : std::min(last.deadline(), last.what.at + *queue_timeout);
  const bool ran_out =
    (told.failure == "timeout" || nobody_offers) && (at >= waited || owners_.clock_moved(by, calls.front()->what.at));
  if (!ran_out)
    accuse_(
      rule::outcome_is_answer, story.run,
      shown(event, told) + (is_success(event.kind) ? " and no such answer was awaited" : " and nobody answered so"));
}

void call_ledger::finish(const run_story& story) const {
  const auto of_run = by_attempt_.find(story.run);
  if (of_run == by_attempt_.end() || story.stage == run_story::stage_type::ended)
    return;
  for (const auto& [attempt, ids] : of_run->second) {
    if (!story.is_out(attempt))
      continue;
    for (auto id = ids.begin(); id != ids.end(); ++id) {
      const auto& each = calls_.at(*id);
      // Whoever made it again has forgotten what it was answered before.
      const bool made_again = std::any_of(
        std::next(id), ids.end(), [&](const auto other) { return calls_.at(other).what.from == each.what.from; });
      const bool holds = owners_.lives(each.what.from) && owners_.is_owner(each.what.from, shard_of(story.run));
      const bool answered =
        std::any_of(each.answers.begin(), each.answers.end(), [](const answer& x) { return x.awaited; });
      if (holds && answered && !made_again) {
        accuse_(
          rule::answer_kept, story.run,
          "the answer to " + to_string(attempt) + ", which " + to_string(each.what.from) +
            " awaited, never became an event");
        return;
      }
    }
  }
}

} // namespace levain::simulation
