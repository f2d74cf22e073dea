#pragma once

#include <memory>
#include <string>
#include <vector>

namespace levain::test {

/// Watches from inside of the database who adds to the journal: a trigger notes, for each event, the role that wrote it
/// and the node that owned the run's shard at that moment. A daemon is told by its role, so each has one of its own,
/// with the name that it has as a node. Every question has a connection of its own, so the server may be
/// restarted in between. One thread.
class writings {
public:
  /// Begins to watch. Throws what pqxx throws.
  explicit writings(const std::string& database_url);
  ~writings();

  /// A new role with this name, and the database's URL for it.
  std::string url_for(const std::string& role);

  /// The ids of all nodes with this name, those that are gone but not forgotten too.
  std::vector<std::string> nodes_named(const std::string& name);
  /// How many shards nodes with this name own.
  size_t shards_of(const std::string& name);
  /// The database's time.
  std::string now();

  /// How many events a role has written.
  size_t written_by(const std::string& role);
  /// Of these, those that were written under one node's ownership after `moment`.
  size_t written_under(const std::string& node, const std::string& moment);
  /// A sentence for each event that was written by another than the owner; at most a hundred.
  std::vector<std::string> trespasses();

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace levain::test
