#include "apps/levain/demo.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actors/gateway/run_view.hpp"
#include "actors/recovery.hpp"
#include "actors/verification.hpp"
#include "apps/levain/commands.hpp"
#include "apps/levain/demo_stage.hpp"
#include "apps/levain/verify_text.hpp"
#include "apps/terminal/run_text.hpp"
#include "apps/terminal/timeline.hpp"

namespace levain {

namespace {

using nlohmann::ordered_json;
using terminal::ink;

constexpr std::chrono::milliseconds look_interval{20};

/// One bakery's night, as it is planned.
struct planned_night {
  run_status expected;
  /// The service that is down for this bakery; none when empty.
  std::string_view down;
  std::string_view why;
};

constexpr std::array nights{
  planned_night{run_status::completed, "", "everything works"},
  planned_night{run_status::partial_success, "insights", "insights are down: that step's failure is not the run's"},
  planned_night{run_status::failed, "notifications", "notifications are down: what was done is undone"},
};

/// One bakery's night, as it went.
struct night {
  planned_night plan;
  sample_tenant bakery;
  run_id run;
  audit_row row;
  terminal::timeline times;
  std::vector<std::string> compensated;
  run_verification verification;
};

class demonstration {
public:
  demonstration(const demo_options& options, const terminal::screen& out)
    : options_(options)
    , out_(out)
    , directory_(options.directory, options.keep) {}

  exit_status perform() {
    const auto began = now_utc();
    say(fmt::format("{} in {}", mark("Starting PostgreSQL, the bakery and a node"), directory_.path().string()));
    demo_stage stage(directory_.path());
    say(fmt::format("  ready after {}", terminal::span_text(now_utc() - began)));
    start_nights(stage);
    await_ends(stage);
    for (auto& each : nights_)
      look_at(stage, each);
    const auto report = verify(stage);
    const bool good = as_expected() && report.different == 0;
    if (options_.json)
      terminal::print(to_json(report, good).dump(2) + '\n');
    else
      tell(report, good, now_utc() - began);
    return good ? exit_status::done : exit_status::failed;
  }

private:
  void say(const std::string& text) const {
    if (!options_.json)
      terminal::print(text + '\n');
  }
  std::string mark(std::string_view text) const { return out_.look(ink::strong, text); }

  void start_nights(demo_stage& stage) {
    const auto workflow = stage.register_workflow();
    const auto bakeries = sample_tenants();
    bakery::fault_plan faults;
    for (size_t i = 0; i < nights.size(); ++i) {
      nights_.push_back({nights[i], bakeries.at(i), {}, {}, {}, {}, {}});
      if (!nights[i].down.empty())
        bakery::add_fail_option(faults, fmt::format("{}:always@{}", nights[i].down, to_string(bakeries.at(i).id)));
    }
    stage.bakery().set_faults(faults);
    say(mark(fmt::format("Running {} v{} for {} bakeries", workflow->name, workflow->version, nights_.size())));
    for (auto& each : nights_) {
      start_request request;
      request.tenant = each.bakery.id;
      request.workflow = workflow;
      request.run_type = "scheduled";
      request.triggered_by = "levain demo";
      request.input = ordered_json{{"date", sample_target_day()}}.dump();
      request.metadata = ordered_json{{"bakery", each.bakery.name}}.dump();
      each.run = stage.start(request).run;
      say(fmt::format("  {:<22} {}", each.bakery.name, out_.look(ink::quiet, each.plan.why)));
    }
    say("");
  }

  void await_ends(demo_stage& stage) {
    const auto deadline = std::chrono::steady_clock::now() + options_.wait_max;
    for (auto& each : nights_)
      while (true) {
        const auto row = stage.remembered().find_run(each.bakery.id, each.run);
        if (row && is_ended(row->status))
          break;
        if (std::chrono::steady_clock::now() > deadline)
          throw command_failed(
            exit_status::failed, fmt::format(
                                   "the run of {} is still {} after {} s", each.bakery.name,
                                   row ? to_string(row->status) : "not to be seen", options_.wait_max.count()));
        signals_.pause(look_interval);
      }
  }

  void look_at(demo_stage& stage, night& each) const {
    const verify_scope scope{each.bakery.id, each.run};
    const auto found = stage.remembered().next_verify_batch(scope, std::nullopt, 1);
    if (found.empty())
      throw command_failed(exit_status::failed, "the audit row of run " + to_string(each.run) + " is gone");
    each.row = found.front().row;
    const auto& events = found.front().events;
    const auto state = fold_journal(each.run, events, stage.workflows());
    each.times = terminal::timeline_of(each.run, state.workflow, events, now_utc());
    for (size_t i = 0; i < state.steps.size(); ++i)
      if (state.steps[i].undo == undo_phase::compensated)
        each.compensated.push_back(state.workflow->steps[i].name);
  }

  verify_report verify(demo_stage& stage) {
    verify_listener listener;
    listener.difference = [this](const verify_difference& each) { differences_.push_back(each); };
    verify_report all;
    for (const auto& each : nights_)
      all += verify_runs(stage.reads(), stage.workflows(), {each.bakery.id, each.run}, {}, listener);
    return all;
  }

  static bool as_expected(const night& each) {
    const auto undone = [&](const char* step) {
      return std::find(each.compensated.begin(), each.compensated.end(), step) != each.compensated.end();
    };
    const bool undo_expected = each.plan.expected == run_status::failed;
    return each.row.status == each.plan.expected &&
           (undo_expected ? undone("production") && undone("procurement") : each.compensated.empty());
  }
  bool as_expected() const {
    return std::all_of(nights_.begin(), nights_.end(), [](const night& each) { return as_expected(each); });
  }

  void tell(const verify_report& report, bool good, duration took) const {
    std::vector<ordered_json> rows;
    std::vector<std::string> names;
    for (const auto& each : nights_) {
      rows.push_back(audit_row_json(each.row));
      names.push_back(each.bakery.name);
      say(fmt::format("{}  {}", mark(each.bakery.name), terminal::run_headline(rows.back(), out_.look)));
      say(terminal::timeline_text(each.times, out_));
    }
    say(mark("The audit rows, as orchestration_runs has them"));
    say(terminal::audit_text(rows, names, out_.look, out_.width));
    say(mark("Verifying each row against its journal"));
    for (const auto& each : differences_)
      say("  " + difference_text(each, out_.look));
    say("  " + verify_summary(report, out_.look) + "\n");
    tell_endings();
    if (!directory_.temporary())
      say(fmt::format("Kept in {}", directory_.path().string()));
    say(
      good ? out_.look(
               ink::good, fmt::format("Three bakeries, three endings, as expected, in {}.", terminal::span_text(took)))
           : out_.look(ink::bad, "Not as expected."));
  }

  void tell_endings() const {
    for (const auto& each : nights_) {
      if (as_expected(each))
        continue;
      std::string undone;
      for (const auto& step : each.compensated)
        undone += (undone.empty() ? "" : ", ") + step;
      say(out_.look(
        ink::bad, fmt::format(
                    "{} ended {} (undone: {}), but was to end {}", each.bakery.name, to_string(each.row.status),
                    undone.empty() ? "nothing" : undone, to_string(each.plan.expected))));
    }
  }

  ordered_json to_json(const verify_report& report, bool good) const {
    auto runs = ordered_json::array();
    for (const auto& each : nights_)
      runs.push_back({
        {"bakery", each.bakery.name},
        {"expected", to_string(each.plan.expected)},
        {"status", to_string(each.row.status)},
        {"compensated", each.compensated},
        {"as_expected", as_expected(each)},
        {"timeline", terminal::timeline_json(each.times)},
        {"audit", audit_row_json(each.row)},
      });
    auto differences = ordered_json::array();
    for (const auto& each : differences_)
      differences.push_back(difference_json(each));
    return {
      {"as_expected", good},
      {"directory", directory_.temporary() ? ordered_json() : ordered_json(directory_.path().string())},
      {"runs", std::move(runs)},
      {"verification", verify_json(report)},
      {"differences", std::move(differences)},
    };
  }

  demo_options options_;
  terminal::screen out_;
  // Before the threads of the stage, and after them.
  held_signals signals_;
  demo_directory directory_;
  std::vector<night> nights_;
  std::vector<verify_difference> differences_;
};

} // namespace

exit_status run_demo(const demo_options& options, const terminal::screen& out) {
  return demonstration(options, out).perform();
}

void add_demo_command(CLI::App& app, command_line& line) {
  auto options = std::make_shared<demo_options>();
  auto* command = app.add_subcommand("demo", "Three bakeries, three endings, on a private PostgreSQL");
  command->add_option("--directory", options->directory, "Keep everything here instead of in a temporary directory");
  command->add_flag("--keep", options->keep, "Leave the temporary directory");
  add_json_option(*command, line);
  command->callback([&line, options] {
    line.chosen = [&line, options] {
      options->json = line.json;
      return run_demo(*options, line.out);
    };
  });
}

} // namespace levain
