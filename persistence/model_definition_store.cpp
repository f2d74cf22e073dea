#include "persistence/model_definition_store.hpp"

#include <limits>

#include "persistence/journal.hpp"

namespace levain {

model_definition_store::model_definition_store(
  std::shared_ptr<model_database> database, std::function<bool()> reachable)
  : database_(std::move(database))
  , reachable_(std::move(reachable)) {}

void model_definition_store::expect_reachable() const {
  if (reachable_ && !reachable_())
    throw journal_unavailable("the model has lost its database");
}

definition_store::put_result model_definition_store::put(const definition_record& definition) {
  expect_reachable();
  const std::lock_guard lock(database_->mutex_);
  const auto [entry, is_new] = database_->definitions_.try_emplace({definition.name, definition.version}, definition);
  if (is_new)
    return put_result::registered;
  return entry->second.content_hash == definition.content_hash ? put_result::unchanged : put_result::conflict;
}

std::optional<definition_record> model_definition_store::find(const std::string& name, int32_t version) {
  expect_reachable();
  const std::lock_guard lock(database_->mutex_);
  const auto found = database_->definitions_.find({name, version});
  if (found == database_->definitions_.end())
    return std::nullopt;
  return found->second;
}

std::optional<definition_record> model_definition_store::find_newest(const std::string& name) {
  expect_reachable();
  const std::lock_guard lock(database_->mutex_);
  auto after = database_->definitions_.upper_bound({name, std::numeric_limits<int32_t>::max()});
  if (after == database_->definitions_.begin() || (--after)->first.first != name)
    return std::nullopt;
  return after->second;
}

std::vector<definition_record> model_definition_store::list() {
  expect_reachable();
  const std::lock_guard lock(database_->mutex_);
  std::vector<definition_record> all;
  for (const auto& [key, definition] : database_->definitions_)
    all.push_back(definition);
  return all;
}

} // namespace levain
