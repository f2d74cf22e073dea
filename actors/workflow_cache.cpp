#include "actors/workflow_cache.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actors/workflow/stored_definition.hpp"
#include "persistence/log_quoted.hpp"

namespace levain {

namespace {

std::string unreadable_sentence(const definition_record& record, const std::string& damage) {
  return fmt::format(
    "version {} of workflow '{}' cannot be read from workflow_definitions: {}; correct the row, or register the "
    "definition as another version",
    record.version, record.name, damage);
}

/// What a definition takes in memory, about: its text, and what it was parsed into, which is as much again and some
/// more for each small one.
size_t bytes_of(const workflow_definition& workflow) {
  constexpr size_t bytes_least = 2048;
  return bytes_least + 2 * workflow.body.size();
}

} // namespace

workflow_cache::workflow_cache(std::unique_ptr<definition_store> store, size_t bytes_max)
  : bytes_max_(bytes_max)
  , store_(std::move(store)) {}

/// The definition, if it is kept; it is then the one used last.
workflow_ptr workflow_cache::known(const name_and_version& which) {
  const std::lock_guard guard(mutex_);
  const auto found = known_.find(which);
  if (found == known_.end())
    return nullptr;
  by_use_.splice(by_use_.begin(), by_use_, found->second.use);
  return found->second.workflow;
}

workflow_ptr workflow_cache::keep(const definition_record& record) {
  if (auto kept = known({record.name, record.version}))
    return kept;
  auto parsed = read_stored_definition(record.body);
  if (!parsed.workflow) {
    // Only a body that was changed in the table by hand comes here: registration lets nothing invalid in.
    const auto error = parsed.errors.empty() ? std::string() : to_string(parsed.errors.front());
    spdlog::error("definition_damaged workflow={} version={} error={}", record.name, record.version, log_quoted(error));
    throw definition_unreadable(unreadable_sentence(record, "column body: " + error));
  }
  add(parsed.workflow);
  return parsed.workflow;
}

void workflow_cache::add(workflow_ptr workflow) {
  const std::lock_guard guard(mutex_);
  const name_and_version which{workflow->name, workflow->version};
  if (known_.contains(which))
    return;
  by_use_.push_front(which);
  bytes_ += bytes_of(*workflow);
  known_.emplace(which, kept_workflow{std::move(workflow), by_use_.begin()});
  while (bytes_ > bytes_max_ && by_use_.size() > 1) {
    const auto oldest = known_.find(by_use_.back());
    bytes_ -= bytes_of(*oldest->second.workflow);
    known_.erase(oldest);
    by_use_.pop_back();
  }
}

size_t workflow_cache::kept_count() const {
  const std::lock_guard guard(mutex_);
  return known_.size();
}

size_t workflow_cache::kept_bytes() const {
  const std::lock_guard guard(mutex_);
  return bytes_;
}

workflow_ptr workflow_cache::find(const std::string& name, int32_t version) {
  if (auto found = known({name, version}))
    return found;
  std::optional<definition_record> record;
  {
    const std::lock_guard guard(store_mutex_);
    record = store_->find(name, version);
  }
  return record ? keep(*record) : nullptr;
}

workflow_ptr workflow_cache::find_registered(const std::string& name, std::optional<int32_t> version) {
  if (version)
    if (auto found = known({name, *version}))
      return found;
  std::optional<definition_record> record;
  {
    const std::lock_guard guard(store_mutex_);
    record = version ? store_->find(name, *version) : store_->find_newest(name);
  }
  if (!record)
    return nullptr;
  if (!record->damage.empty())
    throw definition_unreadable(unreadable_sentence(*record, record->damage));
  return keep(*record);
}

definition_store::put_result workflow_cache::put(const workflow_ptr& workflow, timestamp now) {
  auto result = definition_store::put_result::conflict;
  {
    const std::lock_guard guard(store_mutex_);
    result = store_->put({workflow->name, workflow->version, workflow->content_hash, workflow->body, now});
  }
  if (result != definition_store::put_result::conflict)
    add(workflow);
  return result;
}

std::vector<definition_record> workflow_cache::list() {
  const std::lock_guard guard(store_mutex_);
  return store_->list();
}

} // namespace levain
