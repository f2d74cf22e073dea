#include "tests/simulation/auditor/call_ledger.hpp"

#include <algorithm>

namespace levain::simulation {

namespace {

using nlohmann::json;

std::string shown(const call_made& x) {
  return "node " + std::to_string(x.from.node) + "." + std::to_string(x.from.life) + " calls " +
         to_string(attempt_name{x.step, x.attempt, x.undo});
}

} // namespace

size_t call_ledger::refusals(const run_id& run) const {
  const auto found = refusals_.find(run);
  return found == refusals_.end() ? 0 : found->second;
}

std::vector<const call_ledger::call*>
call_ledger::calls_of(const place& who, const run_id& run, const attempt_name& attempt) const {
  std::vector<const call*> found;
  const auto of_run = by_attempt_.find(run);
  if (of_run == by_attempt_.end())
    return found;
  const auto ids = of_run->second.find(attempt);
  if (ids == of_run->second.end())
    return found;
  for (const auto id : ids->second)
    if (const auto& each = calls_.at(id); each.what.from == who)
      found.push_back(&each);
  return found;
}

void call_ledger::changed(const process_changed& x) {
  if (x.change == process_change::booted && x.lacks)
    lacking_.insert(x.who);
}

// ---- calls ------------------------------------------------------------------

void call_ledger::made(const call_made& x, run_story* story) {
  if (!owners_.lives(x.from))
    accuse_(rule::dead_are_silent, x.run, shown(x) + " though it was killed");
  calls_[x.call] = {x, {}};
  by_attempt_[x.run][{x.step, x.attempt, x.undo}].push_back(x.call);
  if (story == nullptr) {
    accuse_(rule::call_after_commit, x.run, shown(x) + " and the run's start is not on disk");
    return;
  }
  judge_identity(x, *story);
  if (story->find(x.step) != nullptr)
    judge_moment(x, *story);
}

void call_ledger::judge_identity(const call_made& x, const run_story& story) const {
  if (x.tenant != story.tenant)
    accuse_(
      rule::tenants_apart, x.run,
      shown(x) + " for tenant " + to_string(x.tenant) + ", the run is of " + to_string(story.tenant));
  const auto* step = story.find(x.step);
  if (step == nullptr || (x.undo && !step->known->compensates)) {
    accuse_(
      rule::version_pinned, x.run,
      shown(x) + ", and version " + std::to_string(story.workflow->version) + " of " + story.workflow->name +
        " has no such call");
    return;
  }
  const bool filled = x.address.starts_with("http://") && x.address.find("${") == std::string::npos;
  if (!x.address.empty() && !filled)
    accuse_(rule::variables_are_filled, x.run, shown(x) + " at " + x.address);
  const auto timeout = x.undo ? step->known->undo_timeout : step->known->timeout;
  if (timeout != duration{} && timeout != x.timeout)
    accuse_(rule::version_pinned, x.run, shown(x) + " with another deadline than its version has");
}

void call_ledger::judge_moment(const call_made& x, run_story& story) {
  const attempt_name attempt{x.step, x.attempt, x.undo};
  const auto shard = shard_of(x.run);
  // Without a key it is not on disk that the attempt has begun.
  auto& begun = story.begun.try_emplace(attempt, begun_attempt{x.at, {}, {}, false}).first->second;
  const bool on_disk = !begun.key.empty();
  if (!on_disk)
    judge_early(x, attempt, story);
  const auto key = on_disk ? begun.key : story.key_of(*story.find(x.step), x.undo);
  if (x.idempotency_key != key)
    accuse_(rule::call_key, x.run, shown(x) + " with the key " + x.idempotency_key + ", not " + key);
  const bool harmless = story.find(x.step)->known->effect_none && !x.undo;
  if (on_disk || harmless)
    judge_body(x, story, on_disk ? begun.results : story.seen_by(*story.find(x.step)));
  const auto ever = owners_.ownerships(x.from, shard, timestamp::min());
  if (ever == 0) {
    accuse_(rule::call_by_owner, x.run, shown(x) + " and has never owned its shard");
    return;
  }
  // Who owned the run before may not know better yet, and may have old hands beside the new ones.
  const auto since = owners_.ownerships(x.from, shard, begun.at);
  const auto ownerships = since + (ever > since ? 1 : 0);
  // A call that was handed out the moment before its run was terminated is out by the journal: its outcome is unknown.
  const bool handed_out = story.terminated_at == x.at;
  if (begun.over && !handed_out && owners_.is_owner(x.from, shard) && ever == 1)
    accuse_(rule::call_after_outcome, x.run, shown(x) + " whose outcome is on disk");
  // A run is read back when the database refused something of it. Where its journal was damaged then, it was stopped,
  // and is taken up like any other that was not here before.
  const bool read_back = harmless || damage_.was_damaged(x.run);
  const auto allowed = ownerships + (read_back ? refusals(x.run) : 0);
  // One that was taken back was never given to anybody.
  const auto calls = calls_of(x.from, x.run, attempt);
  const auto count = static_cast<size_t>(std::count_if(calls.begin(), calls.end(), [](const call* each) {
    return std::none_of(
      each->answers.begin(), each->answers.end(), [](const answer& given) { return given.failure == "withdrawn"; });
  }));
  if (count > allowed)
    accuse_(
      rule::call_once_per_ownership, x.run,
      shown(x) + " for the " + std::to_string(count) + "th time, having come to own the run " +
        std::to_string(ownerships) + " times since it began");
}

void call_ledger::judge_early(const call_made& x, const attempt_name& attempt, run_story& story) const {
  const auto& step = *story.find(x.step);
  const auto early = [&](const std::string& why) {
    accuse_(rule::call_after_commit, x.run, shown(x) + " before the disk knows that it may: " + why);
  };
  if (x.undo || !step.known->effect_none)
    return early("nothing on disk begins it");
  if (!owners_.is_owner(x.from, shard_of(x.run)))
    return; // What it was answered and how far its own journal had come, nobody can tell.
  if (refusals(x.run) > 0)
    return; // It was begun by what the database then refused.
  if (story.stage != run_story::stage_type::running || story.paused)
    return early("the run is not running");
  if (step.stage != step_story::stage_type::waiting || attempt.attempt != step.attempt + 1)
    return early("its step does not wait");
  for (const auto* names : {&step.known->needs, &step.known->after})
    for (const auto& name : *names) {
      const auto& before = *story.find(name);
      const bool on_disk =
        names == &step.known->needs ? before.stage == step_story::stage_type::succeeded : before.has_ended();
      if (!on_disk && !(before.known->effect_none && !answered_at(x.from, x.run, before).empty()))
        early(name + " has no outcome");
    }
}

std::vector<json> call_ledger::answered_at(const place& who, const run_id& run, const step_story& step) const {
  std::vector<json> all;
  for (uint32_t attempt = 1; attempt <= step.attempt + 1; ++attempt)
    for (const auto* each : calls_of(who, run, {step.known->name, attempt, false}))
      for (const auto& given : each->answers)
        // A first answer that is late may still come before its deadline is noticed.
        if (given.output && (given.awaited || &given == &each->answers.front()))
          if (auto output = json::parse(*given.output, nullptr, false); !output.is_discarded())
            all.push_back(std::move(output));
  return all;
}

void call_ledger::judge_body(
  const call_made& x, const run_story& story, std::map<std::string, json_ptr> results) const {
  const auto body = json::parse(x.body, nullptr, false);
  if (!body.is_object() || !body.contains("run") || !body.contains("input") || !body.contains("results")) {
    accuse_(rule::call_body, x.run, shown(x) + " with a body that is not {run, input, results}");
    return;
  }
  const auto& about = body["run"];
  if (about.value("tenant", "") != to_string(story.tenant))
    accuse_(rule::tenants_apart, x.run, shown(x) + " and tells it of tenant " + about.value("tenant", ""));
  if (
    about.value("id", "") != to_string(x.run) || about.value("step", "") != x.step ||
    about.value("attempt", 0U) != x.attempt || about.value("number", "") != story.accepted.value("run_number", ""))
    accuse_(rule::call_body, x.run, shown(x) + " and tells it of another run, step or attempt: " + about.dump());
  if (about.value("workflow", "") != story.workflow->name || about.value("version", 0) != story.workflow->version)
    accuse_(rule::version_pinned, x.run, shown(x) + " by another workflow or version: " + about.dump());
  if (body["input"] != story.accepted.value("input", json()))
    accuse_(rule::call_body, x.run, shown(x) + " with another input than the start had");
  // Between steps with "effect": "none" the node may pass on what it was answered, before the disk knows it and, if it
  // has lost the run and does not know it yet, beside what the disk knows.
  if (story.find(x.step)->known->effect_none && !x.undo)
    for (const auto& name : story.earlier_than(x.step)) {
      if (!story.find(name)->known->effect_none || !body["results"].contains(name))
        continue;
      for (auto& answered : answered_at(x.from, x.run, *story.find(name)))
        if (answered == body["results"][name])
          results[name] = std::make_shared<json>(std::move(answered));
    }
  auto wanted = json::object();
  for (const auto& [name, output] : results)
    wanted[name] = output ? *output : json();
  if (body["results"] != wanted)
    accuse_(
      rule::call_body, x.run,
      shown(x) + " with the results " + body["results"].dump().substr(0, 200) + ", not " +
        wanted.dump().substr(0, 200));
}

// ---- answers ----------------------------------------------------------------

void call_ledger::told(const call_told& x) {
  const auto found = calls_.find(x.call);
  if (found != calls_.end())
    found->second.answers.push_back({x.at, x.output, x.failure, x.awaited, x.unknown});
}

} // namespace levain::simulation
