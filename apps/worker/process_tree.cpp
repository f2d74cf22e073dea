#include "apps/worker/process_tree.hpp"

#include <array>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <map>
#include <optional>
#include <string>
#include <unistd.h>

#include "persistence/file_descriptor.hpp"

namespace levain {

namespace {

struct read_entry {
  process_entry process;
  bool ended = false;
};

/// proc(5): `pid (name) state ppid pgrp ...`; the name may hold anything, a parenthesis too.
std::optional<read_entry> read_process(const char* number) {
  const auto path = std::string("/proc/") + number + "/stat";
  const file_descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file)
    return std::nullopt;
  std::array<char, 512> text{};
  const auto size = read(file.number(), text.data(), text.size() - 1);
  if (size <= 0)
    return std::nullopt;
  const char* after_name = std::strrchr(text.data(), ')');
  char state = 0;
  read_entry read;
  if (
    after_name == nullptr ||
    std::sscanf(after_name + 1, " %c %d %d", &state, &read.process.parent, &read.process.group) != 3)
    return std::nullopt;
  read.process.pid = static_cast<pid_t>(std::strtol(number, nullptr, 10));
  read.ended = state == 'Z' || state == 'X';
  return read;
}

std::multimap<pid_t, read_entry> all_by_parent() {
  std::multimap<pid_t, read_entry> all;
  DIR* folder = opendir("/proc");
  if (folder == nullptr)
    return all;
  while (const dirent* each = readdir(folder)) // NOLINT(concurrency-mt-unsafe): its own stream
    if (std::isdigit(static_cast<unsigned char>(each->d_name[0])) != 0)
      if (const auto read = read_process(each->d_name))
        all.emplace(read->process.parent, *read);
  closedir(folder);
  return all;
}

} // namespace

std::vector<process_entry> processes_below(pid_t root) {
  const auto all = all_by_parent();
  std::vector<process_entry> below;
  std::vector<pid_t> to_visit{root};
  while (!to_visit.empty()) {
    const auto parent = to_visit.back();
    to_visit.pop_back();
    const auto [first, last] = all.equal_range(parent);
    for (auto child = first; child != last; ++child) {
      if (!child->second.ended)
        below.push_back(child->second.process);
      // `/proc` is not read at one moment: a number that came again could make a circle.
      if (child->second.process.pid > 0 && below.size() < all.size())
        to_visit.push_back(child->second.process.pid);
    }
  }
  return below;
}

} // namespace levain
