#pragma once

#include <cstdint>
#include <unordered_map>

#include "persistence/ids.hpp"

namespace levain {

/// Who has started how many runs of late, so that those who start most are refused first while the database is behind.
/// A plain data structure: times are handed in.
class start_shares {
public:
  /// Starts are counted in windows of this length; the last full one and the current one count.
  static constexpr duration window = std::chrono::seconds(1);

  /// A run of the tenant was begun.
  void count(const tenant_id& tenant, timestamp now);

  /// Whether the tenant has started more than half as much again as its share of late: as many as each would have if
  /// all tenants that started any had the same number. Never who is alone.
  bool starts_too_much(const tenant_id& tenant, timestamp now);

private:
  struct starts {
    uint64_t current = 0;
    uint64_t last = 0;
  };

  void turn_to(timestamp now);

  std::unordered_map<tenant_id, starts> tenants_;
  uint64_t current_ = 0;
  uint64_t last_ = 0;
  timestamp window_begin_{};
};

} // namespace levain
