#include "actors/workflow_cache.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actors/workflow/parse_definition.hpp"

namespace levain {

workflow_cache::workflow_cache(std::unique_ptr<definition_store> store)
  : store_(std::move(store)) {}

workflow_ptr workflow_cache::keep(const definition_record& record) {
  auto& place = known_[{record.name, record.version}];
  if (place)
    return place;
  auto parsed = parse_definition(record.body);
  if (!parsed.workflow) {
    // Only a body that was changed in the table by hand comes here: registration lets nothing invalid in.
    spdlog::error(
      "definition_damaged workflow={} version={} error=\"{}\"", record.name, record.version,
      parsed.errors.empty() ? "" : to_string(parsed.errors.front()));
    known_.erase({record.name, record.version});
    return nullptr;
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

workflow_ptr workflow_cache::find_newest(const std::string& name) {
  std::lock_guard guard(mutex_);
  auto record = store_->find_newest(name);
  return record ? keep(*record) : nullptr;
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
