#pragma once

#include <string>

namespace levain {

/// Where the database at `url` has no record of our migrations, but an `orchestration_runs`: one sentence that says
/// whether `levain migrate up` adopts it. Empty otherwise. Throws as `migrate_up` does.
std::string adoption_notice(const std::string& url);

} // namespace levain
