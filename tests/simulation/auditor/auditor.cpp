#include "tests/simulation/auditor/auditor.hpp"

#include <algorithm>

namespace levain::simulation {

namespace {

using nlohmann::json;

bool is_outcome(event_kind kind) {
  switch (kind) {
  case event_kind::step_succeeded:
  case event_kind::attempt_failed:
  case event_kind::step_failed:
  case event_kind::step_compensated:
  case event_kind::compensation_attempt_failed:
  case event_kind::compensation_failed:
    return true;
  default:
    return false;
  }
}

} // namespace

auditor::auditor()
  : calls_(
      owners_, damage_,
      [this](rule broken, const auto& run, std::string text) { accuse(broken, run, std::move(text)); })
  , desks_(
      owners_,
      [this](const run_id& run) {
        const auto* story = story_of(run);
        return story != nullptr && story->stage == run_story::stage_type::stopping;
      },
      [this](rule broken, const auto& run, std::string text) { accuse(broken, run, std::move(text)); })
  , benches_([this](rule broken, const auto& run, std::string text) { accuse(broken, run, std::move(text)); })
  , starts_(
      owners_, stories_,
      [this](rule broken, const auto& run, std::string text) { accuse(broken, run, std::move(text)); })
  , wishes_(
      owners_, stories_, damage_,
      [this](rule broken, const auto& run, std::string text) { accuse(broken, run, std::move(text)); })
  , stops_([this](rule broken, const auto& run, std::string text) { accuse(broken, run, std::move(text)); })
  , waits_(owners_, [this](rule broken, const auto& run, std::string text) { accuse(broken, run, std::move(text)); })
  , memory_([this](rule broken, const auto& run, std::string text) { accuse(broken, run, std::move(text)); })
  , damage_(owners_, [this](rule broken, const auto& run, std::string text) { accuse(broken, run, std::move(text)); }) {
}

void auditor::accuse(rule broken, const std::optional<run_id>& run, std::string text) {
  violations_.push_back({broken, now_, run, std::move(text)});
}

run_story* auditor::story_of(const run_id& run) {
  const auto found = stories_.find(run);
  return found == stories_.end() ? nullptr : &found->second;
}

// ---- callers, people and services -------------------------------------------

void auditor::saw(const workflow_known& x) {
  workflows_.insert_or_assign({x.name, x.version}, x);
}

void auditor::saw(const start_asked& x) {
  now_ = x.at;
  starts_.asked(x);
}

void auditor::saw(const start_told& x) {
  now_ = x.at;
  starts_.told(x);
}

void auditor::saw(const wish_asked& x) {
  now_ = x.at;
  wishes_.asked(x);
  stops_.asked(x);
}

void auditor::saw(const wish_told& x) {
  now_ = x.at;
  wishes_.told(x);
  stops_.told(x);
}

void auditor::saw(const question_asked& x) {
  now_ = x.at;
  wishes_.asked(x);
}

void auditor::saw(const question_told& x) {
  now_ = x.at;
  wishes_.told(x);
}

void auditor::saw(const call_made& x) {
  now_ = x.at;
  calls_.made(x, story_of(x.run));
  desks_.made(x);
  stops_.made(x);
  waits_.made(x);
  memory_.made(x);
  damage_.made(x);
}

void auditor::saw(const call_told& x) {
  now_ = x.at;
  calls_.told(x);
  desks_.told(x);
  memory_.over(x.call);
}

// ---- the disk ---------------------------------------------------------------

void auditor::saw(const run_written& x) {
  now_ = x.at;
  stops_.written(x);
  waits_.written(x);
  damage_.written(x);
  const auto shard = shard_of(x.run);
  if (!owners_.may_write(x.by, shard, x.epoch))
    accuse(
      rule::owner_writes, x.run,
      to_string(x.by) + " writes under epoch " + std::to_string(x.epoch) + " of shard " + std::to_string(shard) +
        ", which has epoch " + std::to_string(owners_.epoch(shard)));
  auto* story = story_of(x.run);
  for (const auto& event : x.events) {
    if (story == nullptr)
      story = accept(x, event);
    else
      follow(x, event, *story);
    if (story == nullptr)
      return;
    memory_.written(x, event, read_told(event));
    rows_[x.run].push_back(expected_row(*story));
  }
  if (story == nullptr)
    accuse(rule::journal_sequence, x.run, "a row is written of a run without events");
  else
    judge_row(x, *story);
}

run_story* auditor::accept(const run_written& x, const event_record& first) {
  const auto told = read_told(first);
  if (first.seq != 1 || first.kind != event_kind::run_accepted) {
    accuse(
      rule::journal_sequence, x.run,
      "the journal begins with event " + std::to_string(first.seq) + ", " + std::string(to_string(first.kind)));
    return nullptr;
  }
  const auto known = workflows_.find({told.body.value("workflow", ""), told.body.value("version", 0)});
  if (known == workflows_.end()) {
    accuse(rule::version_pinned, x.run, "the run is accepted with a workflow that nobody registered");
    return nullptr;
  }
  auto& story = stories_.try_emplace(x.run, x.run, known->second, first.at, told.body).first->second;
  starts_.accepted(story);
  if (x.key)
    starts_.remembered(story, *x.key);
  return &story;
}

void auditor::follow(const run_written& x, const event_record& event, run_story& story) {
  const auto told = read_told(event);
  if (is_outcome(event.kind))
    calls_.outcome(x.by, x.at, event, told, story);
  if (event.kind == event_kind::run_failed && told.failure == "rejected" && calls_.refusals(x.run) == 0)
    accuse(rule::refused_alone, x.run, "the run fails as refused, and the database refused nothing of it");
  wishes_.written(story, event, told);
  if (auto fault = story.follow(event, told, x.at))
    accuse(fault->broken, x.run, "event " + std::to_string(event.seq) + ": " + fault->text);
  wishes_.followed(story);
}

void auditor::judge_row(const run_written& x, const run_story& story) {
  auto& possible = rows_[x.run];
  const bool first = !x.events.empty() && x.events.front().seq == 1;
  const bool ended = !x.events.empty() && story.stage == run_story::stage_type::ended;
  if (!x.row) {
    if (first || ended)
      accuse(rule::row_is_fold, x.run, first ? "the run has no row" : "the row does not show the end");
    return;
  }
  if (story.stage == run_story::stage_type::ended)
    possible.erase(possible.begin(), possible.end() - 1);
  std::optional<std::string> difference;
  for (auto each = possible.rbegin(); each != possible.rend(); ++each) {
    auto here = first_difference(*each, *x.row);
    if (!here) {
      possible.erase(possible.begin(), each.base() - 1);
      return;
    }
    if (!difference)
      difference = std::move(here);
  }
  accuse(rule::row_is_fold, x.run, difference.value_or("there is nothing that it could show"));
}

void auditor::saw(const run_refused& x) {
  now_ = x.at;
  calls_.refused(x);
  starts_.refused(x);
  stops_.refused(x);
  waits_.refused(x);
  memory_.refused(x);
}

// ---- changes by hand --------------------------------------------------------

void auditor::saw(const journal_tampered& x) {
  now_ = x.at;
  damage_.changed(x);
}

void auditor::saw(const row_tampered& x) {
  now_ = x.at;
  damage_.changed(x);
}

void auditor::saw(const stop_noted& x) {
  now_ = x.at;
  damage_.noted(x, story_of(x.run));
}

// ---- ownership --------------------------------------------------------------

void auditor::saw(const shard_owned& x) {
  now_ = x.at;
  damage_.owned(x);
  if (auto fault = owners_.owned(x))
    accuse(fault->broken, std::nullopt, fault->text);
}

void auditor::saw(const shard_freed& x) {
  now_ = x.at;
  owners_.freed(x);
}

void auditor::saw(const lease_renewed& x) {
  now_ = x.at;
  owners_.renewed(x);
}

void auditor::saw(const node_marked& x) {
  now_ = x.at;
  owners_.marked(x);
}

void auditor::saw(const process_changed& x) {
  now_ = x.at;
  owners_.changed(x);
  calls_.changed(x);
  desks_.changed(x);
  stops_.changed(x);
  memory_.changed(x);
}

void auditor::saw(const budgets_known& x) {
  now_ = x.at;
  memory_.known(x);
}

// ---- workers ----------------------------------------------------------------

void auditor::saw(const worker_changed& x) {
  now_ = x.at;
  benches_.changed(x);
}

void auditor::saw(const link_changed& x) {
  now_ = x.at;
  desks_.changed(x);
  benches_.changed(x);
  stops_.changed(x);
}

void auditor::saw(const word_passed& x) {
  now_ = x.at;
  desks_.passed(x);
  benches_.passed(x);
  stops_.passed(x);
}

void auditor::saw(const work_begun& x) {
  now_ = x.at;
  benches_.begun(x);
}

void auditor::saw(const work_cancelled& x) {
  now_ = x.at;
  benches_.cancelled(x);
}

void auditor::saw(const work_ended& x) {
  now_ = x.at;
  benches_.ended(x);
}

void auditor::saw(const call_let_go& x) {
  now_ = x.at;
  desks_.let_go(x);
  memory_.over(x.call);
}

void auditor::saw(const at_rest& x) {
  now_ = x.at;
  desks_.rest(x.at);
  benches_.rest();
  stops_.rest();
}

void auditor::saw_complaint(timestamp at, const place& who, const std::string& text) {
  now_ = at;
  if (damage_.explains(text))
    return;
  accuse(rule::no_complaint, std::nullopt, to_string(who) + " complains: " + text);
}

// ---- the end ----------------------------------------------------------------

void auditor::finish(timestamp at, const std::vector<run_left_over>& unfinished) {
  now_ = at;
  std::map<run_id, const run_left_over*> said;
  for (const auto& each : unfinished)
    said[each.run] = &each;
  for (const auto& [run, story] : stories_) {
    const auto found = said.find(run);
    calls_.finish(story);
    damage_.finish(story);
    judge_left_over(story, found == said.end() ? nullptr : found->second);
  }
  for (const auto& each : owners_.finish(at))
    accuse(each.broken, std::nullopt, each.text);
  starts_.finish();
  wishes_.finish();
}

void auditor::judge_left_over(const run_story& story, const run_left_over* said) {
  if (story.stage == run_story::stage_type::ended) {
    if (said != nullptr)
      accuse(rule::wait_is_true, story.run, "the run says that it has not ended, and its journal has");
    return;
  }
  if (damage_.is_damaged(story.run))
    return;
  std::string waits;
  if (said != nullptr)
    for (const auto& each : said->waits)
      waits += (waits.empty() ? "" : ", ") + each;
  const auto says = [&](const char* wait) {
    return said != nullptr && std::find(said->waits.begin(), said->waits.end(), wait) != said->waits.end();
  };
  const auto holds_a_slot = [](const auto& other) {
    return other.second.stage != run_story::stage_type::pending && other.second.stage != run_story::stage_type::ended;
  };
  if (story.stage == run_story::stage_type::pending && !story.paused && says("slot")) {
    if (std::none_of(stories_.begin(), stories_.end(), holds_a_slot))
      accuse(rule::wait_is_true, story.run, "the run waits for a slot and nobody holds one");
    return;
  }
  if (!story.paused)
    accuse(
      rule::run_ends, story.run,
      "the run has not ended long after the last fault; it waits for " + (waits.empty() ? "nothing" : waits));
  else if (!says("pause"))
    accuse(rule::wait_is_true, story.run, "the run is paused and does not say so; it waits for " + waits);
}

} // namespace levain::simulation
