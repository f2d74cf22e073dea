#include "tests/simulation/auditor/violation.hpp"

#include <array>

namespace levain::simulation {

namespace {

struct rule_words {
  std::string_view name;
  std::string_view sentence;
};

// In the order of `rule`.
constexpr std::array<rule_words, rule_count> words = {{
  {"start_durable",
   "a start is acknowledged only when its first event is on disk, with the content that was asked for"},
  {"start_repeated", "a repeated start names the run that the first start with its key made, with the same content"},
  {"key_starts_once", "an idempotency key of a tenant makes at most one run"},
  {"start_once", "whoever asks once for a run gets at most one, and is told of that one"},
  {"start_refused_clean", "a start that is refused makes no run, unless it is said that it may have"},
  {"call_after_commit", "a call is made only when the facts that it follows from are on disk"},
  {"call_after_outcome", "the owner of a run makes no call again whose outcome is on disk"},
  {"call_key", "every try of a call has the key run/step, with /redo/n and /undo where it is one"},
  {"call_once_per_ownership", "an attempt is called once for each time that its caller came to own the run"},
  {"call_by_owner", "calls are made by nodes that own the run's shard, or did and do not know better yet"},
  {"call_body", "a call receives the run's input and exactly the outputs of the steps it comes after"},
  {"version_pinned", "a run goes by the version of its workflow that it started with"},
  {"variables_are_filled", "no call is made whose URL wants the value of a variable"},
  {"tenants_apart", "nothing of one tenant's reaches another"},
  {"journal_sequence", "events are numbered 1, 2, 3 without holes"},
  {"journal_order", "each event can follow the ones before it"},
  {"one_end", "a journal ends with exactly one terminal event, which only a person's retry can follow"},
  {"attempts_bounded", "no step has more attempts in a round than its policy allows"},
  {"backoff_kept", "no attempt and no retry begins before its wait is over, and the wait is that of the policy"},
  {"pause_holds", "nothing begins while a run is paused"},
  {"compensation_order", "what succeeded is undone one step after another, the last success first"},
  {"compensation_complete", "a run that fails or is cancelled has undone all it can, or names what needs attention"},
  {"outcome_is_answer", "an outcome in the journal is what the call was answered"},
  {"answer_kept", "an answer that was awaited becomes an event"},
  {"refused_alone", "only a run whose rows the database refused is told so"},
  {"unknown_is_said", "a call that was made and has no usable answer leaves an outcome that is said to be unknown"},
  {"waits_are_true", "what a living node waits for takes its time, whatever its clock is set to"},
  {"row_is_fold", "the audit row is what a beginning of the journal folds to, and all of it when the run ended"},
  {"owner_writes", "every write is by the shard's owner under its current epoch"},
  {"epoch_rises", "every new owner of a shard has a higher epoch than the one before"},
  {"lease_kept", "no shard is taken from a node whose lease has not run out"},
  {"shards_are_owned", "when faults have stopped, every shard belongs to a node that lives"},
  {"shares_are_even", "when faults have stopped, no node has two shards more than another that may hold some"},
  {"drained_is_empty", "when faults have stopped, a node that is to hold no shards has none, if others may"},
  {"call_given_once", "a node gives a call to one worker at a time, which is connected and offers the kind"},
  {"holder_is_asked", "a call goes to the worker that has told its node that it holds it"},
  {"room_is_used", "no call waits at a node while a worker there has said that it has room for it"},
  {"silence_ends", "an attempt that asks for heartbeats ends when none came for so long, and not before"},
  {"answer_of_holder", "a node takes the answer to a call from the worker that has it, and nothing else"},
  {"work_is_given", "a worker calls a function only for a call that waits for it"},
  {"work_apart", "no worker does a key twice at a time"},
  {"slots_kept", "no worker does more of a kind at once than it offered"},
  {"result_is_kept", "what a worker has done and keeps is not done there again for the same attempt"},
  {"answer_is_worked", "what a worker answers is what a function with that key returned, failures for that attempt"},
  {"youngest_is_answered", "of those who asked for the same key the one with the highest epoch gets the answer"},
  {"dropped_is_told", "a function sees that its call was dropped"},
  {"begun_is_ended", "what a worker has begun is being done until it is answered, dropped, or its node is gone"},
  {"stop_begins_nothing", "no call is made and no worker is given one once a node has granted the run's cancellation"},
  {"cancel_reaches_work", "a worker that has a call of a run learns of the run's cancellation"},
  {"deliveries_bounded", "no attempt is given to a further worker once deliveries_max workers were lost with it"},
  {"terminate_is_final",
   "a terminated run has ended: nothing is undone, called or given out, and no worker is left with a call of it"},
  {"resolved_is_settled",
   "a run whose attention was resolved is called nothing more and changes no more, before a person retries it"},
  {"calls_in_memory", "the calls that a node has out hold no more than calls_bytes_max together, but for one"},
  {"runs_in_memory", "a node accepts a run only while its runs hold no more than runs_bytes_max, or have none"},
  {"wish_durable", "a wish is granted only when its event is on disk"},
  {"rejection_durable", "a command is rejected only for what is on disk"},
  {"wish_refused_clean", "a wish that was refused has no event"},
  {"told_once", "everybody who asks is told once, if the node they asked lives"},
  {"dead_are_silent", "a process that was killed does nothing more"},
  {"damaged_is_stopped",
   "a run whose journal is damaged ends by what its node knows or is stopped, and no run that was never damaged is"},
  {"damaged_is_left_alone",
   "nothing is called or written for a run that was stopped, or taken over, since its journal was damaged"},
  {"mended_goes_on", "a run whose journal was mended stands among the stopped ones no more"},
  {"run_ends", "when faults have stopped, every accepted run ends or names a wait"},
  {"wait_is_true", "what a run says it waits for is so"},
  {"no_complaint", "the engine finds nothing wrong with itself"},
}};

} // namespace

std::string_view to_string(rule broken) {
  return words.at(static_cast<size_t>(broken)).name;
}

std::optional<rule> parse_rule(std::string_view text) {
  for (size_t i = 0; i < words.size(); ++i)
    if (words[i].name == text)
      return static_cast<rule>(i);
  return std::nullopt;
}

std::string_view sentence_of(rule broken) {
  return words.at(static_cast<size_t>(broken)).sentence;
}

} // namespace levain::simulation
