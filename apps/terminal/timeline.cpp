#include "apps/terminal/timeline.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actors/run_machine/machine.hpp"

namespace levain::terminal {

namespace {

constexpr size_t bar_width_min = 10;
constexpr size_t bar_width_max = 60;

/// Watches the calls that are out while events are folded.
class watching {
public:
  watching(timeline& times, const workflow_definition& workflow)
    : times_(times)
    , steps_(workflow.steps.size())
    , undos_(workflow.steps.size()) {
    for (const auto& step : workflow.steps)
      times_.lines.push_back({step.name});
    for (size_t i = 0; i < steps_.size(); ++i)
      steps_[i].line = i;
  }

  void look(const run_state& state, const event& fact) {
    for (size_t i = 0; i < state.steps.size(); ++i) {
      const auto& step = state.steps[i];
      const auto& outcome = fact.step == i ? fact : none_;
      follow(steps_[i], step.phase == step_phase::calling ? step.attempt : 0, state.updated_at, outcome);
      if (step.undo != undo_phase::none && !undos_[i].line) {
        undos_[i].line = times_.lines.size();
        times_.lines.push_back({times_.lines[i].step, true});
      }
      if (undos_[i].line)
        follow(undos_[i], step.undo == undo_phase::calling ? step.undo_attempt : 0, state.updated_at, outcome);
    }
  }

  void finish(const run_state& state) {
    for (size_t i = 0; i < state.steps.size(); ++i) {
      auto& line = times_.lines[*steps_[i].line];
      line.phase = to_string(state.steps[i].phase);
      line.reason = state.steps[i].skip_reason;
      if (!undos_[i].line)
        continue;
      // A retry of the run forgets how a step was undone; the timeline does not.
      auto undo = state.steps[i].undo;
      if (undo == undo_phase::none)
        undo = state.steps[i].left_behind ? undo_phase::failed : undo_phase::compensated;
      times_.lines[*undos_[i].line].phase = to_string(undo);
    }
    // Compensations are found in the order of the steps, but happen in another.
    std::stable_sort(
      times_.lines.begin() + static_cast<long>(steps_.size()), times_.lines.end(),
      [](const timeline_line& a, const timeline_line& b) { return began(a) < began(b); });
  }

private:
  struct followed {
    std::optional<size_t> line;
    /// The attempt that is out; 0 when none is.
    uint32_t out = 0;
  };

  static timestamp began(const timeline_line& line) {
    return line.attempts.empty() ? timestamp::max() : line.attempts.front().began;
  }

  void follow(followed& one, uint32_t out, timestamp at, const event& outcome) {
    auto& attempts = times_.lines[*one.line].attempts;
    if (one.out == out)
      return;
    if (one.out != 0) {
      auto& last = attempts.back();
      last.ended = at;
      last.failure = outcome.failure ? outcome.failure->message : std::string();
      last.worker = outcome.worker;
      last.queued = std::min(outcome.queued, at - last.began);
    }
    if (out != 0)
      attempts.push_back({out, at, std::nullopt, {}});
    one.out = out;
  }

  timeline& times_;
  /// What tells nothing about a step.
  const event none_;
  std::vector<followed> steps_;
  std::vector<followed> undos_;
};

/// Where moments are in a bar.
class scale {
public:
  scale(const timeline& times, size_t width)
    : begin_(times.began)
    , span_(std::max(times.until - times.began, duration(1)))
    , width_(width) {}

  size_t column(timestamp at) const {
    const auto share = double((at - begin_).count()) / double(span_.count());
    return static_cast<size_t>(std::clamp(share * double(width_), 0.0, double(width_) - 1));
  }

private:
  timestamp begin_;
  duration span_;
  size_t width_;
};

enum class bar_piece : uint8_t { blank, wait, call, failed_call };

std::vector<bar_piece> pieces_of(const timeline_line& line, const timeline& times, size_t width) {
  std::vector<bar_piece> pieces(width, bar_piece::blank);
  if (line.attempts.empty())
    return pieces;
  const scale at(times, width);
  const auto last = line.attempts.back().ended.value_or(times.until);
  for (auto i = at.column(line.attempts.front().began); i <= at.column(last); ++i)
    pieces[i] = bar_piece::wait;
  for (const auto& attempt : line.attempts) {
    const auto end = at.column(attempt.ended.value_or(times.until));
    if (!attempt.ended && !line.waits_for.empty())
      continue;
    for (auto i = at.column(attempt.began + attempt.queued); i <= end; ++i)
      pieces[i] = attempt.failure.empty() ? bar_piece::call : bar_piece::failed_call;
  }
  return pieces;
}

std::string bar_text(const std::vector<bar_piece>& pieces, ink kind, const paint& look) {
  std::string text;
  for (size_t i = 0; i < pieces.size();) {
    const auto piece = pieces[i];
    std::string run;
    for (; i < pieces.size() && pieces[i] == piece; ++i)
      run += piece == bar_piece::blank  ? " "
             : piece == bar_piece::wait ? look.sign("·", ".")
             : piece == bar_piece::call ? look.sign("█", "#")
                                        : look.sign("▒", "x");
    text += look(
      piece == bar_piece::wait          ? ink::quiet
      : piece == bar_piece::failed_call ? ink::bad
      : piece == bar_piece::call        ? kind
                                        : ink::plain,
      run);
  }
  return text;
}

ink ink_of_phase(const std::string& phase) {
  if (phase == "succeeded" || phase == "compensated")
    return ink::good;
  if (phase == "failed")
    return ink::bad;
  if (phase == "skipped" || phase == "waiting" || phase == "ready" || phase == "due")
    return ink::quiet;
  return ink::warning;
}

/// `succeeded`, or for a step whose effect was undone what became of it.
std::string sign_of(const timeline_line& line, const paint& look) {
  if (line.phase == "succeeded")
    return std::string(look.sign("✔", "+"));
  if (line.phase == "compensated")
    return std::string(look.sign("↶", "<"));
  if (line.phase == "failed")
    return std::string(look.sign("✘", "!"));
  if (line.phase == "calling" || line.phase == "backing_off")
    return std::string(look.sign("▸", ">"));
  return std::string(look.sign("○", "-"));
}

std::string note_of(const timeline_line& line, bool ended) {
  if (!line.reason.empty())
    return "skipped: " + line.reason;
  if (line.attempts.empty())
    return ended ? "never began" : line.phase;
  auto note =
    line.attempts.size() == 1 ? line.phase : fmt::format("{} after {} attempts", line.phase, line.attempts.size());
  if (line.phase == "calling" && !line.waits_for.empty())
    return note + ": waits for " + line.waits_for;
  if (const auto& worker = line.attempts.back().worker; !worker.empty())
    note += ", worker " + worker;
  if (const auto queued = line.queued(); queued > duration(0))
    note += ", waited " + span_text(queued);
  return line.progress.empty() ? note : note + ": " + line.progress;
}

/// Of the newest attempt that failed; empty when none did.
std::string failure_of(const timeline_line& line) {
  for (auto attempt = line.attempts.rbegin(); attempt != line.attempts.rend(); ++attempt)
    if (!attempt->failure.empty())
      return fmt::format("attempt {}: {}", attempt->number, attempt->failure);
  return {};
}

std::string name_of(const timeline_line& line) {
  return line.undo ? "undo " + line.step : line.step;
}

} // namespace

duration timeline_line::span(timestamp now) const {
  return attempts.empty() ? duration(0) : attempts.back().ended.value_or(now) - attempts.front().began;
}

duration timeline_line::queued() const {
  duration all{0};
  for (const auto& each : attempts)
    all += each.queued;
  return all;
}

timeline
timeline_of(const run_id& run, const workflow_ptr& workflow, const std::vector<event_record>& events, timestamp now) {
  timeline times;
  auto state = initial_state(workflow);
  watching watch(times, *workflow);
  for (const auto& record : events) {
    auto fact = decode_event(record, *workflow);
    if (fact.plan)
      fact.plan->run = run;
    evolve(state, fact);
    watch.look(state, fact);
  }
  watch.finish(state);
  times.began = state.started_at.value_or(state.accepted_at);
  times.ended = state.phase == run_phase::ended;
  times.until = state.ended_at.value_or(std::max(now, state.updated_at));
  return times;
}

std::string timeline_text(const timeline& times, const screen& out) {
  const auto& look = out.look;
  size_t name_width = 0;
  for (const auto& line : times.lines)
    name_width = std::max(name_width, width_of(name_of(line)));
  constexpr size_t span_width = 11;
  const auto bar_width = std::clamp(out.width / 3, bar_width_min, bar_width_max);
  std::string text;
  for (const auto& line : times.lines) {
    const auto kind = ink_of_phase(line.phase);
    const auto span = line.attempts.empty() ? std::string() : span_text(line.span(times.until));
    auto note = harmless(note_of(line, times.ended));
    if (const auto before = name_width + bar_width + span_width + 9; out.live && out.width > before)
      note = cut(note, out.width - before, look);
    auto shown = fmt::format(
      "  {} {}  {} {}  {}", look(kind, sign_of(line, look)), padded(name_of(line), name_width),
      bar_text(pieces_of(line, times, bar_width), kind, look), padded(span, span_width, true),
      look(line.phase == "failed" ? ink::bad : ink::quiet, note));
    shown.erase(shown.find_last_not_of(' ') + 1);
    text += shown + '\n';
    if (auto failure = harmless(failure_of(line)); !failure.empty()) {
      const auto before = name_width + 5;
      if (out.live && out.width > before)
        failure = cut(failure, out.width - before, look);
      text += std::string(before, ' ') + look(ink::bad, failure) + '\n';
    }
  }
  return text;
}

nlohmann::ordered_json timeline_json(const timeline& times) {
  auto lines = nlohmann::ordered_json::array();
  for (const auto& line : times.lines) {
    auto attempts = nlohmann::ordered_json::array();
    for (const auto& each : line.attempts) {
      nlohmann::ordered_json attempt{{"attempt", each.number}, {"began_at", to_rfc3339(each.began)}};
      attempt["ended_at"] = each.ended ? nlohmann::ordered_json(to_rfc3339(*each.ended)) : nlohmann::ordered_json();
      attempt["failure"] = each.failure.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(each.failure);
      attempt["worker"] = each.worker.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(each.worker);
      attempt["queued_ms"] = double(each.queued.count()) / 1000.0;
      attempts.push_back(std::move(attempt));
    }
    nlohmann::ordered_json entry{{"step", line.step}, {"undo", line.undo}, {"phase", line.phase}};
    entry["duration_ms"] = double(line.span(times.until).count()) / 1000.0;
    if (!line.reason.empty())
      entry["skip_reason"] = line.reason;
    if (!line.progress.empty())
      entry["progress"] = line.progress;
    if (!line.waits_for.empty())
      entry["waits_for"] = line.waits_for;
    entry["attempts"] = std::move(attempts);
    lines.push_back(std::move(entry));
  }
  return lines;
}

} // namespace levain::terminal
