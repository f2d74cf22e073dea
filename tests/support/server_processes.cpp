#include "tests/support/server_processes.hpp"

#include <filesystem>
#include <fstream>
#include <pwd.h>
#include <stdexcept>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "persistence/spawn.hpp"

namespace levain::test {

namespace fs = std::filesystem;

namespace {

/// A process as /proc tells of it. The names of PostgreSQL's processes hold no space.
struct process_facts {
  std::string state;
  pid_t parent = 0;
};

std::optional<process_facts> facts_of(const fs::path& folder) {
  std::ifstream stat(folder / "stat");
  std::string pid;
  std::string name;
  process_facts facts;
  if (!(stat >> pid >> name >> facts.state >> facts.parent))
    return std::nullopt;
  return facts;
}

bool has_ended(pid_t process) {
  const auto facts = facts_of("/proc/" + std::to_string(process));
  return !facts || facts->state == "Z";
}

/// The server, and the processes it started: the server first, because those to come take its limits.
std::vector<pid_t> processes_of(pid_t server) {
  std::vector<pid_t> found{server};
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const auto facts = facts_of(entry.path());
    if (facts && facts->parent == server)
      found.push_back(std::stoi(entry.path().filename().string()));
  }
  return found;
}

/// Whose process it is, where that is somebody else.
std::optional<unix_user> other_owner(pid_t process) {
  struct stat found = {};
  if (stat(("/proc/" + std::to_string(process)).c_str(), &found) != 0)
    return std::nullopt;
  const auto* account = getpwuid(found.st_uid);
  return account && found.st_uid != geteuid() ? find_unix_user(account->pw_name) : std::nullopt;
}

} // namespace

void limit_file_size(pid_t server, std::optional<size_t> bytes) {
  const auto owner = other_owner(server);
  for (const pid_t process : processes_of(server)) {
    // Only the soft limit, which its owner may raise again.
    const auto done = run_program(
      {"/usr/bin/prlimit", "--pid", std::to_string(process),
       "--fsize=" + (bytes ? std::to_string(*bytes) : "unlimited") + ":"},
      owner);
    if (done.status != 0 && !has_ended(process))
      throw std::runtime_error("the size of files cannot be limited: " + done.output);
  }
}

} // namespace levain::test
