#include "tests/simulation/trace.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace levain::simulation {

namespace {

/// Longer texts are cut, with their length told.
constexpr size_t text_shown_max = 160;

std::string shown(const std::string& text) {
  std::string line;
  for (const char each : text.substr(0, text_shown_max))
    line += each >= ' ' && each <= '~' ? std::string(1, each) : fmt::format("\\x{:02x}", static_cast<uint8_t>(each));
  if (text.size() > text_shown_max)
    line += fmt::format("... ({} bytes)", text.size());
  return line;
}

std::string shown(const place& x) {
  if (x.is_worker())
    return fmt::format("worker {}.{}", x.node - first_worker, x.life);
  return fmt::format("node {}.{}", x.node, x.life);
}

/// The last half of a run's id tells it from others well enough.
std::string shown(const run_id& x) {
  return "run " + to_string(x).substr(19);
}

std::string shown(const tenant_id& x) {
  return "tenant " + to_string(x).substr(34);
}

constexpr std::array worker_words{"boots", "is killed", "stands still", "goes on", "is told to end"};
constexpr std::array words_on_calls{"gives",    "drops", "cancels", "begins", "declines",
                                    "has room", "beats", "ends",    "holds",  "leaves"};
static_assert(words_on_calls.size() == static_cast<size_t>(word_kind::leaving) + 1);
constexpr std::array wish_words{"cancel", "pause", "resume", "retry", "terminate", "resolve"};
static_assert(wish_words.size() == static_cast<size_t>(wish_kind::resolve) + 1);
constexpr std::array change_words{"boots", "is killed", "stands still", "goes on", "is fenced", "has its clock moved"};

} // namespace

void trace::add(timestamp at, const std::string& text) {
  tell_taken();
  write(at, text);
}

void trace::write(timestamp at, const std::string& text) {
  const auto line = fmt::format("{} {}", to_rfc3339(at).substr(14, 12), text);
  for (const char each : line)
    hash_ = (hash_ ^ static_cast<uint8_t>(each)) * 0x100000001b3ULL;
  if (keeps_lines)
    lines_.push_back(line);
}

void trace::tell_taken() {
  const auto taken = std::exchange(taken_, std::nullopt);
  if (!taken)
    return;
  const auto& first = taken->first;
  const auto which = first.shard == taken->last ? fmt::format("shard {}", first.shard)
                                                : fmt::format("shards {} to {}", first.shard, taken->last);
  write(first.at, fmt::format("{} owns {} epoch {}", shown(first.by), which, first.epoch));
}

void trace::saw(const workflow_known& x) {
  std::string steps;
  for (const auto& each : x.steps)
    steps += " " + each.name;
  add({}, fmt::format("workflow {} version {} has steps{}", x.name, x.version, steps));
  next_.saw(x);
}

void trace::saw(const start_asked& x) {
  add(
    x.at, fmt::format(
            "#{} {}: start {} version {} for {} input {}{}", x.request, shown(x.to), x.workflow, x.version,
            shown(x.tenant), shown(x.input), x.idempotency_key ? " key " + *x.idempotency_key : ""));
  next_.saw(x);
}

void trace::saw(const start_told& x) {
  add(
    x.at, x.run ? fmt::format("#{} {}: {}", x.request, x.repeated ? "repeats" : "acknowledged", shown(*x.run))
                : fmt::format("#{} refused: {}", x.request, x.refusal));
  next_.saw(x);
}

void trace::saw(const wish_asked& x) {
  add(
    x.at, fmt::format(
            "#{} {}: {} {} for {} by {}", x.request, shown(x.to), wish_words[static_cast<size_t>(x.kind)], shown(x.run),
            shown(x.tenant), shown(x.by)));
  next_.saw(x);
}

void trace::saw(const wish_told& x) {
  add(x.at, fmt::format("#{} {}", x.request, x.granted ? "granted" : "refused: " + x.refusal));
  next_.saw(x);
}

void trace::saw(const question_asked& x) {
  add(x.at, fmt::format("#{} {}: explain {} for {}", x.request, shown(x.to), shown(x.run), shown(x.tenant)));
  next_.saw(x);
}

void trace::saw(const question_told& x) {
  add(x.at, fmt::format("#{} {}", x.request, x.explained ? "explained" : "refused: " + x.refusal));
  next_.saw(x);
}

void trace::saw(const call_made& x) {
  add(
    x.at,
    fmt::format(
      "{} calls {}{} attempt {} (call {}) of {}{}, key {}, timeout {} ms, body {}", shown(x.from), x.step,
      x.undo ? " to undo it" : "", x.attempt, x.call, shown(x.run), x.address.empty() ? "" : " at " + shown(x.address),
      x.idempotency_key.substr(19), x.timeout / std::chrono::milliseconds(1), shown(x.body)));
  next_.saw(x);
}

void trace::saw(const call_told& x) {
  add(
    x.at, fmt::format(
            "call {} {}{}{}", x.call, x.output ? "answers " + shown(*x.output) : "fails: " + x.failure,
            x.unknown ? ", and may have been done" : "", x.awaited ? "" : " (nobody waits)"));
  next_.saw(x);
}

void trace::saw(const run_written& x) {
  std::string facts;
  for (const auto& each : x.events)
    facts += fmt::format(
      " {}:{}{}{}", each.seq, to_string(each.kind), each.step.empty() ? "" : " " + each.step,
      each.attempt == 0 ? "" : "/" + std::to_string(each.attempt));
  add(
    x.at, fmt::format(
            "{} writes {} epoch {}:{}{}{}", shown(x.by), shown(x.run), x.epoch, facts,
            x.row ? fmt::format(" row {}", to_string(x.row->status)) : "", x.key ? " key " + *x.key : ""));
  next_.saw(x);
}

void trace::saw(const run_refused& x) {
  add(x.at, fmt::format("{} {} is refused by the database", shown(x.by), shown(x.run)));
  next_.saw(x);
}

void trace::saw(const shard_owned& x) {
  const bool follows = taken_ && taken_->first.by == x.by && taken_->first.at == x.at &&
                       taken_->first.epoch == x.epoch && taken_->last + 1 == x.shard;
  if (follows)
    taken_->last = x.shard;
  else {
    tell_taken();
    taken_ = shards_taken_together{x, x.shard};
  }
  next_.saw(x);
}

void trace::saw(const journal_tampered& x) {
  add(x.at, fmt::format("somebody {} the journal of {}: {}", x.damaged ? "damages" : "mends", shown(x.run), x.what));
  next_.saw(x);
}

void trace::saw(const row_tampered& x) {
  add(x.at, fmt::format("somebody changes the row of {}: {}", shown(x.run), x.what));
  next_.saw(x);
}

void trace::saw(const stop_noted& x) {
  add(
    x.at, x.kind.empty() ? fmt::format("{} takes {} off the stopped runs", shown(x.by), shown(x.run))
                         : fmt::format("{} stops {} as {}, epoch {}", shown(x.by), shown(x.run), x.kind, x.epoch));
  next_.saw(x);
}

void trace::saw(const shard_freed& x) {
  add(x.at, fmt::format("{} gives up shard {}", shown(x.by), x.shard));
  next_.saw(x);
}

void trace::saw(const lease_renewed& x) {
  add(x.at, fmt::format("{} renews its lease for {} ms", shown(x.by), x.lease / std::chrono::milliseconds(1)));
  next_.saw(x);
}

void trace::saw(const node_marked& x) {
  add(x.at, fmt::format("node {} {}", to_string(x.node).substr(0, 13), x.draining ? "is to drain" : "drains no more"));
  next_.saw(x);
}

void trace::saw(const process_changed& x) {
  add(
    x.at, fmt::format(
            "{} {}{}", shown(x.who), change_words[static_cast<size_t>(x.change)],
            x.lacks ? " without something that calls need" : ""));
  next_.saw(x);
}

void trace::saw(const worker_changed& x) {
  std::string offers;
  for (const auto& each : x.offers)
    offers += fmt::format(" {} x {}", each.kind, each.at_once);
  add(x.at, fmt::format("{} {}{}", shown(x.who), worker_words[static_cast<size_t>(x.change)], offers));
  next_.saw(x);
}

void trace::saw(const link_changed& x) {
  add(
    x.at, fmt::format(
            "{} {} {} (connection {}, holding {})", shown(x.at_node ? x.node : x.worker), x.up ? "welcomes" : "loses",
            shown(x.at_node ? x.worker : x.node), x.connection, x.held.size()));
  next_.saw(x);
}

void trace::saw(const word_passed& x) {
  std::string of;
  if (x.number != 0)
    of += fmt::format(" call {}", x.number);
  if (!x.key.empty())
    of += fmt::format(" key {}", x.key.substr(19));
  if (x.attempt != 0)
    of += fmt::format(" attempt {} epoch {}", x.attempt, x.epoch);
  if (!x.kind.empty())
    of += fmt::format(" kind {}", x.kind);
  if (x.what == word_kind::room)
    of += fmt::format(" for {}", x.room);
  for (const auto& each : x.held)
    of += fmt::format(" {}/{}", each.key.substr(19), each.attempt);
  if (x.what == word_kind::ended)
    of += fmt::format(" {} {}", x.succeeded ? "well:" : "badly:", shown(x.result));
  add(
    x.at,
    fmt::format(
      "connection {}: {}{}{}", x.connection, x.heard ? "heard " : "", words_on_calls[static_cast<size_t>(x.what)], of));
  next_.saw(x);
}

void trace::saw(const work_begun& x) {
  add(
    x.at,
    fmt::format(
      "{} begins work {}, kind {}, key {}, attempt {}", shown(x.who), x.work, x.kind, x.key.substr(19), x.attempt));
  next_.saw(x);
}

void trace::saw(const work_cancelled& x) {
  add(x.at, fmt::format("work {} sees that it is cancelled", x.work));
  next_.saw(x);
}

void trace::saw(const work_ended& x) {
  add(x.at, fmt::format("work {} {} {}", x.work, x.succeeded ? "is done:" : "fails:", shown(x.result)));
  next_.saw(x);
}

void trace::saw(const call_let_go& x) {
  add(x.at, fmt::format("nobody waits for call {} any more", x.call));
  next_.saw(x);
}

void trace::saw(const budgets_known& x) {
  add(
    x.at, fmt::format("{}: may hold {} bytes of calls, {} of runs", shown(x.who), x.calls_bytes_max, x.runs_bytes_max));
  next_.saw(x);
}

void trace::saw(const at_rest& x) {
  // Too often to be written down.
  next_.saw(x);
}

void trace::saw_complaint(timestamp at, const place& who, const std::string& text) {
  add(at, fmt::format("{} complains: {}", shown(who), shown(text)));
  next_.saw_complaint(at, who, text);
}

void trace::finish(timestamp at, const std::vector<run_left_over>& unfinished) {
  for (const auto& each : unfinished) {
    std::string waits;
    for (const auto& wait : each.waits)
      waits += " " + wait;
    add(at, fmt::format("{} is not ended, waits for:{}", shown(each.run), waits));
  }
  add(at, fmt::format("the end, {} unfinished", unfinished.size()));
  next_.finish(at, unfinished);
}

} // namespace levain::simulation
