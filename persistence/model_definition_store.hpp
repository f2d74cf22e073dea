#pragma once

#include <functional>
#include <memory>

#include "persistence/definition_store.hpp"
#include "persistence/model_database.hpp"

namespace levain {

/// The table `workflow_definitions` in memory.
class model_definition_store : public definition_store {
public:
  /// `reachable` answers whether the database can be asked; empty means always.
  explicit model_definition_store(std::shared_ptr<model_database> database, std::function<bool()> reachable = nullptr);

  put_result put(const definition_record& definition) override;
  std::optional<definition_record> find(const std::string& name, int32_t version) override;
  std::optional<definition_record> find_newest(const std::string& name) override;
  std::vector<definition_record> list() override;

private:
  void expect_reachable() const;

  std::shared_ptr<model_database> database_;
  std::function<bool()> reachable_;
};

} // namespace levain
