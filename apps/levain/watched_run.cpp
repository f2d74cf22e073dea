#include "apps/levain/watched_run.hpp"

#include <algorithm>
#include <iostream>
#include <thread>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actors/run_machine/machine.hpp"
#include "actors/workflow/parse_definition.hpp"
#include "apps/levain/event_text.hpp"
#include "apps/terminal/json_text.hpp"
#include "apps/terminal/run_text.hpp"
#include "persistence/exact_json.hpp"
#include "persistence/log_quoted.hpp"
#include "persistence/span_text.hpp"

namespace levain {

namespace {

using nlohmann::ordered_json;
using terminal::ink;

/// Draws over what was drawn before.
class redrawn {
public:
  void draw(const std::string& text) {
    // Long lines are cut by the terminal: wrapped ones would take more lines than were counted.
    auto out = lines_ > 0 ? fmt::format("\033[?7l\033[{}F", lines_) : std::string("\033[?7l");
    size_t begin = 0;
    while (begin < text.size()) {
      const auto end = text.find('\n', begin);
      // Erases what is right of the new text, and all below at the end.
      out += text.substr(begin, end - begin) + "\033[K\n";
      begin = end + 1;
    }
    terminal::print(out + "\033[J\033[?7h");
    lines_ = static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
  }

private:
  size_t lines_ = 0;
};

} // namespace

namespace {

/// A call is out that may wait before its work begins, or whose worker may say how far it is.
bool is_out_for_real(const ordered_json& step, const step_definition& definition) {
  const auto is_out = [](const ordered_json& of) { return of.value("phase", "") == "calling"; };
  if (is_out(step) && !std::holds_alternative<simulate_call>(definition.call))
    return true;
  return definition.compensate && !std::holds_alternative<simulate_call>(definition.compensate->call) &&
         step.contains("compensation") && is_out(step["compensation"]);
}

/// What a call waits for, by the kind of the wait; empty when it is under way.
std::string awaited(const std::string& kind) {
  if (kind == "worker")
    return "a worker";
  if (kind == "queue")
    return "its turn";
  return kind == "variable" ? "a variable" : "";
}

/// The line's call is out, and this is one of the waits of its step.
void show_wait(terminal::timeline_line& line, const ordered_json& wait) {
  const auto kind = wait.value("kind", "");
  if (kind == (line.undo ? "compensation" : "call"))
    line.progress = terminal::value_text(wait.value("progress", ordered_json()));
  else if (const auto what = awaited(kind); !what.empty())
    line.waits_for = what;
}

} // namespace

watched_run::watched_run(const command_line& line, std::string run)
  : line_(line)
  , run_(std::move(run))
  , client_({.url = line.url}) {}

void watched_run::look() {
  const auto path = run_path(line_, run_);
  // The view first: events that come in between are then more than it knows, never less.
  view_ = client_.get(path);
  events_ = client_.get(path + "/events").at("events");
  if (!workflow_ && !events_.empty() && !view_.at("workflow").is_null()) {
    const auto definition = client_.get(fmt::format(
      "/v1/workflows/{}/{}", percent_encoded(view_["workflow"].get<std::string>()), view_["workflow_version"].dump()));
    workflow_ = parse_definition(write_exact_json(definition.at("definition"))).workflow;
  }
  look_for_progress(path);
}

/// Neither the view nor the events know how far a worker is, or whether a call waits: only the node that acts for the
/// run does.
void watched_run::look_for_progress(const std::string& path) {
  waits_ = ordered_json::array();
  const auto& steps = view_.at("steps");
  if (!workflow_ || steps.size() != workflow_->steps.size())
    return;
  for (size_t i = 0; i < steps.size(); ++i)
    if (is_out_for_real(steps[i], workflow_->steps[i])) {
      try {
        waits_ = client_.get(path + "/explain").at("waits");
      } catch (const command_failed& failure) {
        // The run is there all the same: only nobody can say how far the worker is.
        spdlog::debug("progress_unknown reason={}", log_quoted(failure.what()));
      }
      return;
    }
}

bool watched_run::ended() const {
  const auto status = parse_run_status(view_.value("status", ""));
  return status && is_ended(*status);
}

exit_status watched_run::verdict() const {
  const auto status = view_.value("status", "");
  return status == "failed" || status == "cancelled" ? exit_status::failed : exit_status::done;
}

std::optional<terminal::timeline> watched_run::times() {
  const auto id = uuid::parse(view_.value("id", ""));
  if (!workflow_ || events_.empty() || !id)
    return std::nullopt;
  std::vector<event_record> records;
  for (const auto& each : events_)
    records.push_back(event_from(each));
  try {
    auto found = terminal::timeline_of({*id}, workflow_, records, now_utc());
    for (auto& line : found.lines)
      if (line.phase == "calling")
        for (const auto& wait : waits_)
          if (line.step == terminal::value_text(wait.at("step")))
            show_wait(line, wait);
    return found;
  } catch (const broken_journal& damage) {
    throw command_failed(exit_status::failed, fmt::format("the run's journal is damaged: {}", damage.what()));
  }
}

std::string watched_run::text() {
  const auto& look = line_.out.look;
  auto text = terminal::run_headline(view_, look) + '\n';
  if (const auto steps = times())
    text += terminal::timeline_text(*steps, line_.out);
  else
    text += look(ink::quiet, "  no journal: this row is from another system, or its journal was dropped") + '\n';
  for (const auto* column : {"error_message", "attention"})
    if (const auto why = terminal::value_text(view_.value(column, ordered_json())); !why.empty())
      text += fmt::format("  {}: {}\n", column, look(ink::bad, terminal::harmless(why)));
  return text;
}

exit_status watch_until_ended(
  const command_line& line, const std::string& run, std::chrono::milliseconds interval,
  std::chrono::milliseconds patience, bool daemon_was_there) {
  watched_run watched(line, run);
  redrawn picture;
  size_t told = 0;
  std::optional<std::chrono::steady_clock::time_point> away_since;
  bool seen = false;
  // What is said of the daemon is no part of the output, and not to be drawn over.
  const auto say = [&](const std::string& what) {
    if (line.out.live && !line.json)
      picture.draw((seen ? watched.text() : std::string()) + "  " + line.out.look(ink::warning, what) + '\n');
    else
      std::cerr << "levain: " << what << std::endl;
  };
  while (true) {
    try {
      watched.look();
      seen = true;
      if (away_since)
        say("the daemon answers again");
      away_since.reset();
    } catch (const command_failed& failure) {
      // Only a daemon that was there is worth waiting for.
      if (!(seen || daemon_was_there) || failure.status() != exit_status::service_missing)
        throw;
      const auto now = std::chrono::steady_clock::now();
      if (!away_since) {
        say(fmt::format("{}; waiting up to {} for it", failure.what(), span_text(patience)));
        away_since = now;
      }
      if (now - *away_since > patience)
        throw command_failed(
          exit_status::service_missing,
          fmt::format(
            "{}; it was waited for ({}). The run goes on when a daemon is back: levain watch {} follows it again",
            failure.what(), span_text(patience), run));
      std::this_thread::sleep_for(interval);
      continue;
    }
    if (!line.json && line.out.live)
      picture.draw(watched.text());
    else if (!line.json)
      for (; told < watched.events().size(); ++told)
        terminal::print(event_line(watched.events()[told], line.out.look));
    if (watched.ended())
      break;
    std::this_thread::sleep_for(interval);
  }
  if (line.json)
    terminal::print(terminal::json_text(watched.view(), line.out.live));
  else if (!line.out.live)
    terminal::print(watched.text());
  return watched.verdict();
}

} // namespace levain
