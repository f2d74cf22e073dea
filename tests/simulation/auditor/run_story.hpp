#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/simulation/auditor/violation.hpp"
#include "tests/simulation/witness.hpp"

namespace levain::simulation {

/// One try of one call.
struct attempt_name {
  std::string step;
  uint32_t attempt = 0;
  bool undo = false;
  auto operator<=>(const attempt_name&) const = default;
};

std::string to_string(const attempt_name& x);

/// Shared, since many calls receive the same output.
using json_ptr = std::shared_ptr<const nlohmann::json>;

/// An attempt that the journal let begin: what its call has to be like.
struct begun_attempt {
  /// When the event that began it reached the disk.
  timestamp at{};
  std::string key;
  /// The outputs it receives, by step.
  std::map<std::string, json_ptr> results;
  /// Its outcome is on disk.
  bool over = false;
};

/// What one event of the journal says beside its columns.
struct event_told {
  nlohmann::json body;
  /// Of failures: `retryable`, `final`, ...; empty otherwise.
  std::string failure;
  std::string by;
  std::optional<timestamp> due_at;
};

/// Reads an event's body; a body that is no object is told as an empty one.
event_told read_told(const event_record& event);

/// A step as the journal tells it.
struct step_story {
  enum class stage_type : uint8_t { waiting, held, out, backing_off, succeeded, failed, skipped };
  enum class undo_type : uint8_t { none, due, out, backing_off, undone, failed };

  const step_known* known = nullptr;
  stage_type stage = stage_type::waiting;
  uint32_t attempt = 0;
  uint32_t attempts_in_round = 0;
  uint32_t redo = 0;
  std::optional<timestamp> began;
  std::optional<timestamp> ended;
  std::optional<timestamp> due;
  json_ptr output;
  /// The outputs that every attempt receives, by step: of what had succeeded when the step began. Who undoes it
  /// receives them again, and its own.
  std::map<std::string, json_ptr> sees;
  /// Counts what there is to undo, from 1.
  uint32_t rank = 0;
  /// An attempt may have been done, and none under the same key is known to have been.
  bool unknown = false;
  /// The same of an attempt under a key that is used no more.
  bool unknown_before = false;

  undo_type undo = undo_type::none;
  /// It failed before the run was retried, and has not been undone since.
  bool left_behind = false;
  uint32_t undo_attempt = 0;
  uint32_t undo_attempts_in_round = 0;
  std::optional<timestamp> undo_due;

  bool has_ended() const {
    return stage == stage_type::succeeded || stage == stage_type::failed || stage == stage_type::skipped;
  }
  bool is_to_be_undone() const {
    return (stage == stage_type::succeeded || (stage == stage_type::failed && unknown && known->undone_in_doubt)) &&
           undo == undo_type::none && known->compensates;
  }
  bool is_left_unknown() const { return unknown && stage != stage_type::succeeded && undo != undo_type::undone; }
  bool is_being_undone() const {
    return undo == undo_type::due || undo == undo_type::out || undo == undo_type::backing_off;
  }
};

/// A run as its journal tells it: a fold of its own, made from the reference of a run's life and from nothing else.
class run_story {
public:
  enum class stage_type : uint8_t { pending, running, waiting_for_retry, stopping, compensating, ended };

  struct fault {
    rule broken;
    std::string text;
  };

  run_story(const run_id& run, const workflow_known& workflow, timestamp accepted_at, nlohmann::json accepted);

  /// Takes the next event, which reached the disk at `now`. Tells what is wrong with it, if something is; the story
  /// goes on all the same as well as it can.
  std::optional<fault> follow(const event_record& event, const event_told& told, timestamp now);

  const step_story* find(const std::string& step) const;
  /// The steps that `step` comes after, directly or through others.
  std::set<std::string> earlier_than(const std::string& step) const;
  /// The outputs that the next attempt of the step receives, as far as the journal tells.
  std::map<std::string, json_ptr> seen_by(const step_story& step) const;
  std::string key_of(const step_story& step, bool undo) const;
  bool is_out(const attempt_name& attempt) const;
  bool any_to_undo() const;
  /// Somebody has to look at what it left behind.
  bool needs_attention() const;

  run_id run;
  const workflow_known* workflow;
  /// The body of its first event.
  nlohmann::json accepted;
  tenant_id tenant;

  stage_type stage = stage_type::pending;
  int32_t seq = 1;
  timestamp accepted_at{};
  timestamp updated_at{};
  std::optional<timestamp> started_at;
  std::optional<timestamp> ended_at;
  std::optional<run_status> ended_as;
  std::optional<timestamp> retry_due;
  bool paused = false;
  bool cancelling = false;
  /// When it reached the disk that somebody ended it without waiting for anything.
  std::optional<timestamp> terminated_at;
  /// Somebody has seen to what it left behind.
  bool resolved = false;
  /// When the cancellation reached the disk.
  std::optional<timestamp> cancelled_at;
  bool failed_step = false;
  /// It ended because the database refused its rows.
  bool refused_end = false;
  uint32_t retry_count = 0;
  bool max_retries_reached = false;
  uint32_t successes = 0;
  /// In the order of the definition.
  std::vector<step_story> steps;
  std::map<attempt_name, begun_attempt> begun;

private:
  using maybe_fault = std::optional<fault>;

  maybe_fault follow_run(const event_record& event, const event_told& told);
  maybe_fault follow_step(const event_record& event, const event_told& told);
  maybe_fault follow_undo(step_story& step, const event_record& event, const event_told& told);
  maybe_fault follow_attempt_failure(step_story& step, const event_record& event, const event_told& told);
  maybe_fault follow_retry(const event_record& event, const event_told& told);
  maybe_fault follow_end(const event_record& event, const event_told& told);
  maybe_fault follow_termination(timestamp at);
  maybe_fault follow_resolution();
  maybe_fault after_the_end(const event_record& event, const event_told& told) const;
  maybe_fault check_wait(
    const wait_known& wait, uint32_t tries, bool jittered, const event_record& event, const event_told& told) const;

  step_story* own_step(const std::string& step);
  bool any_out() const;
  std::map<std::string, json_ptr> outputs_before(const step_story& step) const;
  void begin_free(timestamp at);
  void begin(step_story& step, timestamp at);
  void begin_undo(step_story& step);
  void begin_next_undo();
  void stop(timestamp at);
  void give_up_what_is_left(timestamp at);
  void fail_step(step_story& step, timestamp at);
  void withdraw(step_story& step, timestamp at);
  static void note_outcome(step_story& step, const event_told& told);
  void end_step(step_story& step, step_story::stage_type how, timestamp at);

  /// When the event that is being followed reached the disk.
  timestamp now_{};
};

} // namespace levain::simulation
