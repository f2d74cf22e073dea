#pragma once

#include <filesystem>
#include <optional>
#include <vector>

namespace levain {

/// A folder that holds a PostgreSQL server's programs.
struct server_binaries {
  std::filesystem::path folder;
  /// The server's major version, such as 15.
  int version = 0;
};

/// Every PostgreSQL of this machine, the one to prefer first: `pg_config --bindir`, then `PATH`, then the folders of
/// distributions, newest version first. Each version is listed once.
std::vector<server_binaries> find_server_binaries();

} // namespace levain
