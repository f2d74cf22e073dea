#pragma once

#include <string>
#include <vector>

namespace levain {

/// Brings the materialized view `orchestration_daily` up to date while others read it. Throws `migration_error` (see
/// migrator.hpp), `journal_unavailable`.
void refresh_analytics(const std::string& url);

/// Makes the GIN indexes on the three JSONB columns that were not made yet, without holding up writers; minutes on
/// large tables. They cost every write, so nobody gets them unasked. An index that an earlier try left half made is
/// made anew. Answers the names of those made. Throws as `refresh_analytics` does.
std::vector<std::string> create_json_indexes(const std::string& url);

} // namespace levain
