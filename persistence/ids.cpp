#include "persistence/ids.hpp"

#include <cassert>

namespace levain {

run_id make_run_id(timestamp at, uuid_entropy entropy, shard_number shard) {
  assert(shard < shard_count);
  run_id id{make_uuid_v7(at, entropy)};
  id.value.bytes.back() = shard;
  return id;
}

shard_number shard_of(const run_id& id) {
  return id.value.bytes.back() % shard_count;
}

} // namespace levain
