#include "tests/simulation/auditor/start_ledger.hpp"

#include <algorithm>

namespace levain::simulation {

namespace {

using nlohmann::json;

std::string shown(const start_asked& x) {
  return "start " + std::to_string(x.request) + " of " + x.workflow +
         (x.idempotency_key ? " with the key " + *x.idempotency_key : std::string());
}

} // namespace

void start_ledger::asked(const start_asked& x) {
  requests_[x.request] = {x};
  if (!x.by.empty())
    by_[x.by] = x.request;
}

void start_ledger::accepted(const run_story& story) {
  const auto found = by_.find(story.accepted.value("triggered_by", ""));
  if (found == by_.end())
    return;
  auto& asked = requests_.at(found->second);
  if (asked.made && *asked.made != story.run)
    accuse_(
      rule::start_once, story.run,
      shown(asked.what) + " made this run and run " + levain::to_string(*asked.made) + " before it");
  if (asked.refused)
    accuse_(rule::start_refused_clean, story.run, shown(asked.what) + " was refused and its run comes to the disk");
  asked.made = story.run;
}

void start_ledger::remembered(const run_story& story, const std::string& key) {
  const auto [place, fresh] = keys_.try_emplace({story.tenant, key}, story.run);
  if (!fresh && place->second != story.run)
    accuse_(
      rule::key_starts_once, story.run,
      "the key " + key + " made this run and run " + levain::to_string(place->second) + " before it");
}

void start_ledger::refused(const run_refused& x) {
  if (!stories_.contains(x.run))
    never_accepted_.insert(x.run);
}

bool start_ledger::same_content(const start_asked& x, const run_story& story) const {
  return story.workflow->name == x.workflow && story.workflow->version == x.version &&
         json::parse(x.input, nullptr, false) == story.accepted.value("input", json());
}

void start_ledger::told(const start_told& x) {
  const auto found = requests_.find(x.request);
  if (found == requests_.end()) {
    accuse_(rule::told_once, x.run, "start " + std::to_string(x.request) + " is answered and nobody asked");
    return;
  }
  auto& request = found->second;
  if (std::exchange(request.told, true))
    accuse_(rule::told_once, x.run, shown(request.what) + " is answered twice");
  if (!owners_.lives(request.what.to))
    accuse_(rule::dead_are_silent, x.run, shown(request.what) + " is answered by a process that was killed");
  if (x.run) {
    judge_acknowledged(request, x);
    return;
  }
  request.refused = x.refusal != "in_doubt";
  if (request.refused && request.made)
    accuse_(rule::start_refused_clean, request.made, shown(request.what) + " is refused and its run is on disk");
  judge_refused(request.what, x);
}

void start_ledger::judge_acknowledged(const request& asked, const start_told& told) {
  const auto& x = asked.what;
  const auto story = stories_.find(*told.run);
  if (story == stories_.end()) {
    accuse_(
      told.repeated ? rule::start_repeated : rule::start_durable, told.run,
      shown(x) + " is acknowledged and nothing of the run is on disk");
    return;
  }
  const auto broken = told.repeated ? rule::start_repeated : rule::start_durable;
  if (story->second.tenant != x.tenant)
    accuse_(rule::tenants_apart, told.run, shown(x) + " is told of a run of another tenant");
  else if (!same_content(x, story->second))
    accuse_(broken, told.run, shown(x) + " is told of a run with another content");
  if (x.idempotency_key) {
    const auto key = keys_.find({x.tenant, *x.idempotency_key});
    if (key == keys_.end() || key->second != *told.run)
      accuse_(broken, told.run, shown(x) + " is told of a run that its key did not make");
  } else if (told.repeated) {
    accuse_(broken, told.run, shown(x) + " is called a repetition and has no key");
  }
  if (!x.by.empty() && asked.made != told.run)
    accuse_(rule::start_once, told.run, shown(x) + " is told of a run that it did not make");
  if (!told.repeated && !own_.insert(*told.run).second)
    accuse_(broken, told.run, shown(x) + " is told of a run that another start was told of as its own");
}

void start_ledger::judge_refused(const start_asked& x, const start_told& told) const {
  if (told.refusal == "key_conflict") {
    const auto key = x.idempotency_key ? keys_.find({x.tenant, *x.idempotency_key}) : keys_.end();
    if (key == keys_.end() || same_content(x, stories_.at(key->second)))
      accuse_(
        rule::start_repeated, std::nullopt, shown(x) + " is refused for another start's content, which is its own");
  } else if (told.refusal == "rejected") {
    if (never_accepted_.empty() && json::accept(x.input))
      accuse_(rule::refused_alone, std::nullopt, shown(x) + " is rejected though the database refused no start");
  }
}

void start_ledger::finish() const {
  for (const auto& [id, request] : requests_)
    if (!request.told && owners_.lives(request.what.to))
      accuse_(
        rule::told_once, std::nullopt, shown(request.what) + " was never answered by " + to_string(request.what.to));
}

} // namespace levain::simulation
