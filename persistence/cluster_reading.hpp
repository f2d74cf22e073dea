#pragma once

#include <pqxx/pqxx>

#include "persistence/cluster_view.hpp"

namespace levain {

/// All nodes with their shards, at one moment.
extern const char* const read_cluster;

/// What `read_cluster` answered.
cluster_view cluster_from(const pqxx::result& rows);

} // namespace levain
