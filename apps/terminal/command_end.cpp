#include "apps/terminal/command_end.hpp"

#include <algorithm>
#include <iostream>
#include <string_view>

#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "apps/terminal/paint.hpp"
#include "persistence/embedded_postgres.hpp"
#include "persistence/journal.hpp"

namespace levain::terminal {

int end_with(const std::string& program, exit_status status, const std::string& sentence) {
  // The sentence may be a daemon's, line by line.
  std::string shown;
  for (size_t begin = 0; begin <= sentence.size();) {
    const auto end = std::min(sentence.find('\n', begin), sentence.size());
    shown += harmless(std::string_view(sentence).substr(begin, end - begin)) + '\n';
    begin = end + 1;
  }
  std::cerr << program << ": " << shown;
  return static_cast<int>(status);
}

int perform(const std::string& program, const std::function<exit_status()>& work) {
  const auto end = [&](exit_status status, const std::string& sentence) { return end_with(program, status, sentence); };
  try {
    return static_cast<int>(work());
  } catch (const command_failed& failed) {
    return end(failed.status(), failed.what());
  } catch (const embedded_postgres_error& failed) {
    return end(exit_status::service_missing, failed.what());
  } catch (const journal_unavailable& failed) {
    return end(exit_status::service_missing, std::string("the database cannot be asked: ") + failed.what());
  } catch (const std::exception& failed) {
    return end(exit_status::failed, failed.what());
  }
}

void log_to_standard_error(const std::string& program, const std::string& level) {
  auto log = spdlog::stderr_color_mt(program);
  log->set_level(spdlog::level::from_str(level));
  spdlog::set_default_logger(std::move(log));
}

std::string command_names(const CLI::App& within) {
  std::string names;
  for (const auto* each : within.get_subcommands([](const CLI::App*) { return true; }))
    names += (names.empty() ? "" : ", ") + each->get_name();
  return names;
}

} // namespace levain::terminal
