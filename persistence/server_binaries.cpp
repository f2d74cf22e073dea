#include "persistence/server_binaries.hpp"

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <string>
#include <unistd.h>

#include "persistence/spawn.hpp"

namespace levain {

namespace fs = std::filesystem;

namespace {

bool executable(const fs::path& file) {
  return access(file.c_str(), X_OK) == 0;
}

std::vector<fs::path> path_folders() {
  std::vector<fs::path> folders;
  const char* path = std::getenv("PATH");
  std::istringstream text(path != nullptr ? path : "");
  for (std::string folder; std::getline(text, folder, ':');)
    if (folder.starts_with('/'))
      folders.emplace_back(folder);
  return folders;
}

/// The folder that `pg_config` names; the first `pg_config` of the `PATH` counts.
void append_configured(std::vector<fs::path>& candidates) {
  for (const auto& folder : path_folders()) {
    const auto program = folder / "pg_config";
    if (!executable(program))
      continue;
    auto output = run_program({program.string(), "--bindir"}).output;
    while (!output.empty() && output.back() == '\n')
      output.pop_back();
    if (output.starts_with('/'))
      candidates.emplace_back(output);
    return;
  }
}

void append_distribution(std::vector<fs::path>& candidates) {
  std::error_code ignored;
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", ignored))
    found.push_back(entry.path() / "bin");
  for (const auto& entry : fs::directory_iterator("/usr", ignored))
    if (entry.path().filename().string().starts_with("pgsql-"))
      found.push_back(entry.path() / "bin");
  candidates.insert(candidates.end(), found.begin(), found.end());
}

/// 15 from `postgres (PostgreSQL) 15.4 (Debian ...)`; 0 when the program does not say.
int major_version(const fs::path& server) {
  const auto output = run_program({server.string(), "--version"}).output;
  const auto digit = output.find_first_of("0123456789");
  return digit == std::string::npos ? 0 : std::atoi(output.c_str() + digit);
}

} // namespace

std::vector<server_binaries> find_server_binaries() {
  std::vector<fs::path> preferred;
  append_configured(preferred);
  for (auto& folder : path_folders())
    preferred.push_back(std::move(folder));
  std::vector<fs::path> others;
  append_distribution(others);

  std::vector<server_binaries> found;
  const auto append = [](std::vector<server_binaries>& list, const fs::path& folder) {
    if (!executable(folder / "postgres") || !executable(folder / "initdb"))
      return;
    const int version = major_version(folder / "postgres");
    if (version > 0)
      list.push_back({folder, version});
  };
  for (const auto& folder : preferred)
    append(found, folder);
  std::vector<server_binaries> newest_first;
  for (const auto& folder : others)
    append(newest_first, folder);
  std::ranges::sort(newest_first, std::ranges::greater{}, &server_binaries::version);
  found.insert(found.end(), newest_first.begin(), newest_first.end());

  std::vector<server_binaries> unique;
  for (const auto& one : found)
    if (std::ranges::find(unique, one.version, &server_binaries::version) == unique.end())
      unique.push_back(one);
  return unique;
}

} // namespace levain
