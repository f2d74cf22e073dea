#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace levain {

/// Brings the materialized view `orchestration_daily` up to date while others read it. Throws `migration_error` (see
/// migrator.hpp), `journal_unavailable`.
void refresh_analytics(const std::string& url);

/// One of the GIN indexes on the JSONB columns.
struct json_index {
  std::string name;
  /// The column of `orchestration_runs`.
  std::string column;
  /// `invalid`: making it was not finished. It costs writes and helps no read.
  enum class state_type : uint8_t { missing, invalid, present } state = state_type::missing;
  int64_t bytes = 0;
};

/// The three optional indexes, made or not. Throws as `refresh_analytics` does.
std::vector<json_index> list_json_indexes(const std::string& url);

/// Makes the GIN indexes on the three JSONB columns that were not made yet, without holding up writers; minutes on
/// large tables. They cost every write, so nobody gets them unasked. An index that an earlier try left half made is
/// made anew. Answers the names of those made. Throws as `refresh_analytics` does.
std::vector<std::string> create_json_indexes(const std::string& url);

/// Drops those that are there, valid or not, beside readers and writers. Answers the names of those dropped. Throws as
/// `refresh_analytics` does.
std::vector<std::string> drop_json_indexes(const std::string& url);

} // namespace levain
