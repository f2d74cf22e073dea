#include "apps/levain/command_line.hpp"
#include "apps/terminal/json_text.hpp"

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <pwd.h>
#include <unistd.h>

#include <fmt/format.h>

#include "actors/workflow/parse_definition.hpp"
#include "apps/levain/moment_text.hpp"

namespace levain {

namespace {

/// Of a file or of standard input.
constexpr size_t file_bytes_max = 64 * 1024 * 1024;

std::string read_all(std::istream& in, const std::string& name) {
  std::string text;
  char block[64 * 1024];
  while (in.read(block, sizeof block) || in.gcount() > 0) {
    text.append(block, static_cast<size_t>(in.gcount()));
    if (text.size() > file_bytes_max)
      throw command_failed(
        exit_status::wrong_command_line, fmt::format("{} is longer than {} bytes", name, file_bytes_max));
  }
  if (in.bad())
    throw command_failed(exit_status::wrong_command_line, fmt::format("{} cannot be read", name));
  return text;
}

} // namespace

std::string from_environment(const char* name) {
  const auto* value = std::getenv(name);
  return value ? value : "";
}

void add_json_option(CLI::App& command, command_line& line) {
  command.add_flag("--json", line.json, "Print JSON");
}

void add_daemon_options(CLI::App& command, command_line& line) {
  command.add_option("--url", line.url, "Where the daemon listens (LEVAIN_URL)")->capture_default_str();
  add_json_option(command, line);
}

void add_tenant_option(CLI::App& command, command_line& line) {
  command.add_option("--tenant", line.tenant, "Whose runs, a UUID (LEVAIN_TENANT)");
}

void add_run_options(CLI::App& command, command_line& line) {
  add_tenant_option(command, line);
  command.add_flag("--all-tenants", line.all_tenants, "The operator's view: look among the runs of all tenants")
    ->excludes("--tenant");
}

tenant_id tenant_of(const command_line& line) {
  if (line.tenant.empty())
    throw command_failed(
      exit_status::wrong_command_line, "whose runs? Give --tenant a UUID, or set LEVAIN_TENANT to one");
  const auto id = uuid::parse(line.tenant);
  if (!id)
    throw command_failed(
      exit_status::wrong_command_line,
      fmt::format("--tenant is '{}': must be a UUID such as 6f1c2a90-5b7e-4d0a-8c31-0a4e5d2b7c01", line.tenant));
  return {*id};
}

std::string tenant_path(const command_line& line) {
  return "/v1/tenants/" + to_string(tenant_of(line));
}

std::string run_path(const command_line& line, const std::string& run) {
  if (run.empty())
    throw command_failed(exit_status::wrong_command_line, "which run? Give its id or its run number");
  if (line.all_tenants)
    return "/v1/operator/runs/" + percent_encoded(run);
  if (line.tenant.empty())
    throw command_failed(
      exit_status::wrong_command_line,
      "whose run? Give --tenant a UUID, set LEVAIN_TENANT to one, or say --all-tenants");
  return tenant_path(line) + "/runs/" + percent_encoded(run);
}

api_client client_of(const command_line& line) {
  return api_client({.url = line.url});
}

timestamp moment_from(const std::string& option, const std::string& text) {
  if (const auto at = moment_of(text, now_utc()))
    return *at;
  throw command_failed(
    exit_status::wrong_command_line, fmt::format("{} is '{}': must be {}", option, text, moment_rule));
}

std::chrono::milliseconds span_from(
  const std::string& option, const std::string& text, std::chrono::milliseconds least, std::chrono::milliseconds most) {
  const auto span = parse_duration(text);
  if (!span || *span < least || *span > most)
    throw command_failed(
      exit_status::wrong_command_line, fmt::format(
                                         "{} is '{}': must be a span such as 500ms, from {} to {}", option, text,
                                         format_duration(least), format_duration(most)));
  return std::chrono::duration_cast<std::chrono::milliseconds>(*span);
}

std::string text_or_file(const std::string& option, const std::string& given) {
  if (!given.starts_with('@'))
    return given;
  const auto name = given.substr(1);
  if (name == "-")
    return read_all(std::cin, "standard input");
  std::ifstream in(name, std::ios::binary);
  if (!in)
    throw command_failed(
      exit_status::wrong_command_line, fmt::format("{} names the file '{}', which cannot be opened", option, name));
  return read_all(in, name);
}

std::string login_name() {
  if (const auto* entry = ::getpwuid(::geteuid()))
    return entry->pw_name;
  return fmt::format("user {}", ::geteuid());
}

void answer(const command_line& line, const nlohmann::ordered_json& document, const std::string& text) {
  terminal::print(line.json ? terminal::json_text(document, line.out.live) : text);
}

} // namespace levain
