#include "apps/load/load_cost.hpp"

#include <fstream>
#include <thread>

#include <fmt/format.h>
#include <sys/utsname.h>

#include "apps/load/process_cpu.hpp"

namespace levain::load {

namespace {

/// What stands behind `name :` in a file of the kernel's; empty when it is not there.
std::string value_in(const char* file, const std::string& name) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(name))
      continue;
    const auto colon = line.find(':');
    const auto begin = line.find_first_not_of(" \t", colon + 1);
    if (colon != std::string::npos && begin != std::string::npos)
      return line.substr(begin);
  }
  return "";
}

} // namespace

std::map<std::string, std::string> machine_facts() {
  std::map<std::string, std::string> facts;
  facts["cores"] = std::to_string(std::thread::hardware_concurrency());
  if (const auto memory = value_in("/proc/meminfo", "MemTotal"); !memory.empty())
    facts["memory"] = fmt::format("{:.1f} GiB", std::stod(memory) / 1024 / 1024);
  if (auto model = value_in("/proc/cpuinfo", "model name"); !model.empty())
    facts["processor"] = std::move(model);
  utsname system{};
  if (uname(&system) == 0)
    facts["kernel"] = fmt::format("{} {} {}", system.sysname, system.release, system.machine);
  return facts;
}

std::map<std::string, std::string> machine_facts(const std::string& database_url) {
  auto facts = machine_facts();
  for (const auto& [name, value] : read_server_settings(database_url))
    facts["postgresql." + name] = value;
  return facts;
}

load_cost::load_cost(std::string database_url)
  : url_(std::move(database_url))
  , postmaster_(find_postmaster(url_))
  , before_(read_database_figures(url_))
  , postgres_cpu_before_(postgres_cpu()) {}

void load_cost::tell(load_result& result) const {
  // The CPU first: asking costs some.
  const auto cpu = postgres_cpu();
  const auto after = read_database_figures(url_);
  result.dead_tuples = after.dead_tuples;
  if (result.runs == 0)
    return;
  const auto runs = static_cast<double>(result.runs);
  result.wal_bytes_per_run = static_cast<double>(after.wal_bytes - before_.wal_bytes) / runs;
  result.commits_per_run = static_cast<double>(after.commits - before_.commits) / runs;
  if (cpu && postgres_cpu_before_)
    result.postgres_cpu_ms_per_run = static_cast<double>((*cpu - *postgres_cpu_before_).count()) / 1000 / runs;
}

std::optional<std::chrono::microseconds> load_cost::postgres_cpu() const {
  return postmaster_ ? cpu_of_family(*postmaster_) : std::nullopt;
}

} // namespace levain::load
