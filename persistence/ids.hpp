#pragma once

#include "persistence/uuid.hpp"

namespace levain {

/// Runs are spread over this many shards; the number is part of every run's id and cannot change.
inline constexpr uint8_t shard_count = 64;

/// A slice of all runs that has one owner at a time: 0 to `shard_count` - 1.
using shard_number = uint8_t;

/// Counts the owners of a shard; whoever holds an older one can commit nothing.
using epoch_number = int64_t;

/// Whose run it is.
struct tenant_id {
  uuid value;
  auto operator<=>(const tenant_id&) const = default;
};

/// Which run: a UUIDv7 whose last byte is the run's shard.
struct run_id {
  uuid value;
  auto operator<=>(const run_id&) const = default;
};

inline std::string to_string(const tenant_id& id) {
  return to_string(id.value);
}

inline std::string to_string(const run_id& id) {
  return to_string(id.value);
}

/// A new id in `shard`, ordered by `at`.
run_id make_run_id(timestamp at, uuid_entropy entropy, shard_number shard);

/// The shard a run belongs to. Ids that Levain did not mint are folded into range by their last byte.
shard_number shard_of(const run_id& id);

} // namespace levain

template <>
struct std::hash<levain::run_id> {
  size_t operator()(const levain::run_id& id) const noexcept { return std::hash<levain::uuid>{}(id.value); }
};

template <>
struct std::hash<levain::tenant_id> {
  size_t operator()(const levain::tenant_id& id) const noexcept { return std::hash<levain::uuid>{}(id.value); }
};
