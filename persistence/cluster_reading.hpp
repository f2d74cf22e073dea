#pragma once

#include <pqxx/pqxx>
#include <string>
#include <string_view>

#include "persistence/cluster_view.hpp"

namespace levain {

/// SQL's condition for the row of a living node: its heartbeat is not older than its lease, and does not lie ahead by
/// more than that (such a heartbeat is of a clock that was set back since: a living node writes several in a lease). A
/// lease that no node can have been started with (`--lease-duration` is at most 7 days) is none.
/// Times and leases that others wrote may be anything: the condition reckons with differences, which always fit.
///
/// `row` names the row of `nodes`, `now` the moment: `clock_timestamp()`, because now() is the transaction's begin, and
/// waiting for a lock can make that old.
std::string is_alive(std::string_view row = "nodes", std::string_view now = "clock_timestamp()");

/// All nodes with their shards, at one moment.
const std::string& read_cluster();

/// What `read_cluster` answered.
cluster_view cluster_from(const pqxx::result& rows);

} // namespace levain
