#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "persistence/definition_store.hpp"

namespace levain {

/// How the definition store on PostgreSQL behaves.
struct postgres_definition_store_options {
  /// A libpq connection URL.
  std::string url;
  /// What `pg_stat_activity` shows.
  std::string application_name = "levain definitions";
  /// How long connecting may take; at least 2 s.
  std::chrono::seconds connect_timeout{5};
  /// A statement that takes longer is cancelled.
  std::chrono::milliseconds statement_timeout{10'000};
};

/// The table `workflow_definitions` on PostgreSQL, over one connection that it opens when needed and again after a
/// loss. One thread at a time. `put` throws `std::invalid_argument` for a definition that the table cannot hold
/// or that the database refuses.
class postgres_definition_store : public definition_store {
public:
  explicit postgres_definition_store(postgres_definition_store_options options);
  ~postgres_definition_store() override;

  put_result put(const definition_record& definition) override;
  std::optional<definition_record> find(const std::string& name, int32_t version) override;
  std::optional<definition_record> find_newest(const std::string& name) override;
  std::vector<definition_record> list() override;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace levain
