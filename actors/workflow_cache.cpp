#include "actors/workflow_cache.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actors/workflow/parse_definition.hpp"

namespace levain {

namespace {

std::string unreadable_sentence(const definition_record& record, const std::string& damage) {
  return fmt::format(
    "version {} of workflow '{}' cannot be read from workflow_definitions: {}; correct the row, or register the "
    "definition as another version",
    record.version, record.name, damage);
}

} // namespace

workflow_cache::workflow_cache(std::unique_ptr<definition_store> store)
  : store_(std::move(store)) {}

workflow_ptr workflow_cache::keep(const definition_record& record) {
  auto& place = known_[{record.name, record.version}];
  if (place)
    return place;
  auto parsed = parse_definition(record.body);
  if (!parsed.workflow) {
    // Only a body that was changed in the table by hand comes here: registration lets nothing invalid in.
    const auto error = parsed.errors.empty() ? std::string() : to_string(parsed.errors.front());
    spdlog::error("definition_damaged workflow={} version={} error=\"{}\"", record.name, record.version, error);
    known_.erase({record.name, record.version});
    throw definition_unreadable(unreadable_sentence(record, "column body: " + error));
  }
  place = std::move(parsed.workflow);
  return place;
}

workflow_ptr workflow_cache::find(const std::string& name, int32_t version) {
  std::lock_guard guard(mutex_);
  if (auto found = known_.find({name, version}); found != known_.end())
    return found->second;
  auto record = store_->find(name, version);
  return record ? keep(*record) : nullptr;
}

workflow_ptr workflow_cache::find_registered(const std::string& name, std::optional<int32_t> version) {
  std::lock_guard guard(mutex_);
  if (version)
    if (auto found = known_.find({name, *version}); found != known_.end())
      return found->second;
  const auto record = version ? store_->find(name, *version) : store_->find_newest(name);
  if (!record)
    return nullptr;
  if (!record->damage.empty())
    throw definition_unreadable(unreadable_sentence(*record, record->damage));
  return keep(*record);
}

definition_store::put_result workflow_cache::put(const workflow_ptr& workflow, timestamp now) {
  std::lock_guard guard(mutex_);
  const auto result = store_->put({workflow->name, workflow->version, workflow->content_hash, workflow->body, now});
  if (result != definition_store::put_result::conflict)
    known_.try_emplace({workflow->name, workflow->version}, workflow);
  return result;
}

std::vector<definition_record> workflow_cache::list() {
  std::lock_guard guard(mutex_);
  return store_->list();
}

} // namespace levain
