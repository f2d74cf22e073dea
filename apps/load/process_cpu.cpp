#include "apps/load/process_cpu.hpp"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include <sys/resource.h>
#include <unistd.h>

namespace levain::load {

namespace {

/// What `/proc/PID/stat` says; see proc(5).
struct process_times {
  pid_t parent = 0;
  /// In ticks.
  uint64_t own = 0;
  /// Of children that have ended and were waited for, with theirs.
  uint64_t reaped = 0;
};

std::optional<process_times> times_of(pid_t process) {
  std::ifstream in("/proc/" + std::to_string(process) + "/stat");
  std::string line;
  if (!std::getline(in, line))
    return std::nullopt;
  // The second field is the program's name in parentheses, which may hold blanks and parentheses itself.
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos)
    return std::nullopt;
  std::istringstream fields(line.substr(name_end + 1));
  std::string state;
  std::string skipped;
  process_times times;
  fields >> state >> times.parent;
  constexpr int fields_between = 9;
  for (int i = 0; i < fields_between; ++i)
    fields >> skipped;
  uint64_t user = 0;
  uint64_t system = 0;
  uint64_t reaped_user = 0;
  uint64_t reaped_system = 0;
  fields >> user >> system >> reaped_user >> reaped_system;
  if (!fields)
    return std::nullopt;
  times.own = user + system;
  times.reaped = reaped_user + reaped_system;
  return times;
}

std::chrono::microseconds from_ticks(uint64_t ticks) {
  static const auto ticks_per_second = static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
  return std::chrono::microseconds(ticks * 1'000'000 / ticks_per_second);
}

std::map<pid_t, process_times> all_processes() {
  std::map<pid_t, process_times> all;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const auto name = entry.path().filename().string();
    pid_t process = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), process);
    if (error != std::errc{} || end != name.data() + name.size())
      continue;
    if (const auto times = times_of(process))
      all.emplace(process, *times);
  }
  return all;
}

bool descends_from(const std::map<pid_t, process_times>& all, pid_t process, pid_t ancestor) {
  while (process != ancestor) {
    const auto at = all.find(process);
    if (at == all.end() || at->second.parent == 0)
      return false;
    process = at->second.parent;
  }
  return true;
}

std::chrono::microseconds from(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

/// Where children end all the time, no look may be without one that does.
constexpr int family_looks_max = 10;

/// A line such as `VmHWM:     5120 kB`.
std::optional<uint64_t> status_bytes(pid_t process, const std::string& name) {
  std::ifstream in("/proc/" + std::to_string(process) + "/status");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(name + ':'))
      return std::stoull(line.substr(name.size() + 1)) * 1024;
  return std::nullopt;
}

} // namespace

std::chrono::microseconds own_cpu() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return from(usage.ru_utime) + from(usage.ru_stime);
}

std::optional<std::chrono::microseconds> cpu_of(pid_t process) {
  const auto times = times_of(process);
  return times ? std::optional(from_ticks(times->own)) : std::nullopt;
}

std::optional<std::chrono::microseconds> cpu_of_family(pid_t ancestor) {
  std::optional<std::chrono::microseconds> found;
  for (int look = 0; look < family_looks_max; ++look) {
    const auto before = times_of(ancestor);
    const auto all = all_processes();
    if (!before || !all.contains(ancestor))
      return std::nullopt;
    uint64_t ticks = 0;
    for (const auto& [process, times] : all)
      if (descends_from(all, process, ancestor))
        ticks += times.own + times.reaped;
    found = from_ticks(ticks);
    // A child that was reaped meanwhile may have been counted as neither a child nor reaped, or as both.
    if (const auto after = times_of(ancestor); after && after->reaped == before->reaped)
      break;
  }
  return found;
}

std::optional<uint64_t> rss_bytes_of(pid_t process) {
  return status_bytes(process, "VmRSS");
}

std::optional<uint64_t> peak_rss_bytes_of(pid_t process) {
  return status_bytes(process, "VmHWM");
}

void forget_peak_rss() {
  // See proc(5): 5 resets the peak.
  std::ofstream("/proc/self/clear_refs") << "5\n";
}

} // namespace levain::load
