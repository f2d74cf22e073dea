#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace levain {

/// A numbered SQL file of `migrations/`, as it was when this program was built.
struct embedded_migration {
  /// The file's name without its ending: `001_initial_schema`.
  std::string_view name;
  std::string_view sql;
};

/// Every migration this program carries, in the order of their numbers.
const std::vector<embedded_migration>& embedded_migrations();

/// The number of the last of them.
int32_t newest_migration();

} // namespace levain
