#include "apps/worker/worker_command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <iostream>
#include <map>
#include <thread>

#include <fmt/format.h>

#include "actors/cluster/wire_address.hpp"
#include "actors/cluster/wire_kind.hpp"
#include "actors/cluster/wire_limits.hpp"
#include "actors/cluster/wire_security.hpp"
#include "apps/program/option_maker.hpp"
#include "apps/worker/bakery_work.hpp"

namespace levain {

namespace {

/// What is read as text and becomes an option when all of it is known.
struct raw_line {
  std::vector<std::string> bakery;
  std::vector<std::string> exec;
  std::vector<std::string> at_once;
  std::vector<std::string> fail;
  std::vector<std::string> slow;
};

[[noreturn]] void refuse(const std::string& option, const std::string& sentence) {
  throw CLI::ValidationError(option, sentence);
}

void add_kind(worker_command_line& line, offered_kind kind, const std::string& option) {
  for (const auto& each : line.kinds)
    if (each.kind == kind.kind)
      refuse(option, "gives the kind '" + kind.kind + "' twice");
  line.kinds.push_back(std::move(kind));
}

void read_bakery(worker_command_line& line, const std::vector<std::string>& services) {
  const auto& names = bakery::service_names;
  for (const auto& each : services) {
    if (each == "all") {
      for (const auto& name : names)
        add_kind(line, {.kind = bakery_kind(name), .service = std::string(name)}, "--bakery");
    } else if (std::find(names.begin(), names.end(), each) != names.end()) {
      add_kind(line, {.kind = bakery_kind(each), .service = each}, "--bakery");
    } else {
      refuse("--bakery", fmt::format("must be all, or some of {}, not '{}'", fmt::join(names, ", "), each));
    }
  }
}

void read_commands(worker_command_line& line, const std::vector<std::string>& given) {
  for (const auto& each : given) {
    const auto equals = each.find('=');
    const auto kind = each.substr(0, equals);
    if (equals == std::string::npos || !is_kind(kind))
      refuse(
        "--exec",
        fmt::format("must be KIND=COMMAND with a kind of {}, such as bake=./bake.sh, not '{}'", kind_rule, each));
    auto command = parse_command(each.substr(equals + 1));
    if (!command)
      refuse("--exec", fmt::format("must be KIND=COMMAND, and '{}' has no command", each));
    if (const auto reason = why_not_runnable(*command))
      refuse("--exec", *reason);
    add_kind(line, {.kind = kind, .command = std::move(*command)}, "--exec");
  }
}

uint32_t read_count(const std::string& given, const std::string& number) {
  uint32_t count = 0;
  const char* end = number.data() + number.size();
  const auto [stopped, error] = std::from_chars(number.data(), end, count);
  if (error != std::errc() || stopped != end || count < 1 || count > worker::at_once_max)
    refuse("--at-once", fmt::format("must be N or KIND=N with N from 1 to {}, not '{}'", worker::at_once_max, given));
  return count;
}

void read_at_once(worker_command_line& line, const std::vector<std::string>& given) {
  uint32_t for_all = std::max(1U, std::thread::hardware_concurrency());
  std::map<std::string, uint32_t> for_kinds;
  for (const auto& each : given) {
    const auto equals = each.find('=');
    if (equals == std::string::npos)
      for_all = read_count(each, each);
    else
      for_kinds[each.substr(0, equals)] = read_count(each, each.substr(equals + 1));
  }
  for (auto& each : line.kinds) {
    each.at_once = for_all;
    for (const auto& name : {each.service, each.kind})
      if (const auto found = for_kinds.find(name); !name.empty() && found != for_kinds.end())
        each.at_once = found->second;
  }
  for (const auto& named : for_kinds)
    if (std::none_of(line.kinds.begin(), line.kinds.end(), [&named](const auto& each) {
          return each.kind == named.first || each.service == named.first;
        }))
      refuse("--at-once", fmt::format("names the kind '{}', which is not offered", named.first));
}

void read_faults(worker_command_line& line, const raw_line& raw) {
  const auto read = [&line](const std::vector<std::string>& all, const char* option, auto add) {
    for (const auto& each : all)
      try {
        add(line.faults, each);
      } catch (const std::invalid_argument& wrong) {
        refuse(option, wrong.what());
      }
  };
  read(raw.fail, "--fail", bakery::add_fail_option);
  read(raw.slow, "--slow", bakery::add_slow_option);
}

void check_together(worker_command_line& line, const raw_line& raw) {
  if (line.worker.nodes.empty())
    refuse("--node", "give the HOST:PORT of at least one node's cluster address");
  for (const auto& each : line.worker.nodes)
    if (!parse_wire_address(each))
      refuse("--node", fmt::format("must be HOST:PORT such as 127.0.0.1:7500 or [::1]:7500, not '{}'", each));
  read_bakery(line, raw.bakery);
  read_commands(line, raw.exec);
  if (line.kinds.empty())
    refuse("--bakery, --exec", "give at least one of them: a worker that offers nothing has nothing to do");
  read_at_once(line, raw.at_once);
  read_faults(line, raw);
  const auto& worker = line.worker;
  if (worker.reconnect_interval_initial > worker.reconnect_interval_max)
    refuse(
      "--reconnect-interval-initial",
      fmt::format(
        "must be at most --reconnect-interval-max ({}), not {}", format_duration(worker.reconnect_interval_max),
        format_duration(worker.reconnect_interval_initial)));
  try {
    check_security({worker.certificate, worker.key, worker.ca});
  } catch (const bad_certificates& wrong) {
    refuse("--certificate, --key, --ca", wrong.what());
  }
}

void declare(CLI::App& app, worker_command_line& line, raw_line& raw) {
  auto& worker = line.worker;
  option_maker add(app, "worker-");
  const auto list = [&](const char* name, std::vector<std::string>& values, const char* meaning, const char* type) {
    return app.add_option(std::string("--") + name, values, meaning)
      ->allow_extra_args(false)
      ->envname(environment_name(std::string("worker-") + name))
      ->type_name(type);
  };
  list("node", worker.nodes, "A node's cluster address; may come more than once", "HOST:PORT")
    ->delimiter(',')
    ->group("Nodes");
  add.group("Nodes");
  add.text("name", worker.name, "The worker's name, for people; by default machine and process")
    ->check(CLI::Validator(
      [](const std::string& text) {
        return text.size() <= wire_name_bytes_max
                 ? std::string()
                 : fmt::format("must be at most {} bytes long, not {}", wire_name_bytes_max, text.size());
      },
      ""));
  add.text("certificate", worker.certificate, "This worker's certificate, PEM")->type_name("FILE");
  add.text("key", worker.key, "Its key, PEM")->type_name("FILE");
  add.text("ca", worker.ca, "The certificate of the CA that nodes and workers trust, PEM")->type_name("FILE");
  add.span(
    "reconnect-interval-initial", worker.reconnect_interval_initial, "Before the second try to reach a node; doubling");
  add.span("reconnect-interval-max", worker.reconnect_interval_max, "Between tries to reach a node");
  list("exec", raw.exec, "Do steps of this kind by a command; may come more than once", "KIND=COMMAND")->group("Work");
  list(
    "pass-variable", line.passed_variables,
    "A variable LEVAIN_... or PG... that commands get too; may come more than once", "NAME")
    ->delimiter(',')
    ->group("Work");
  list("bakery", raw.bakery, "Do the bakery's work: all, or names of its services", "SERVICE,...")
    ->delimiter(',')
    ->group("Work");
  list("at-once", raw.at_once, "Steps at a time of each kind, or of one; by default one per core", "N|KIND=N")
    ->delimiter(',')
    ->group("Work");
  add.group("Work");
  add.text("state", line.state_dir, "Folder where the bakery's work is kept, once for each key")->type_name("DIR");
  list("fail", raw.fail, "As of levain-bakery", "SERVICE[:RATE|:always][@TENANT]")->group("Work");
  list("slow", raw.slow, "As of levain-bakery", "SERVICE:MS[@TENANT]")->group("Work");
  add.span("stop-grace", worker.stop_grace, "For steps that are being done to end when the worker stops");
  add.span("result-kept-max", worker.result_kept_max, "How long a result is kept that no node is there to take");
  add.group("Program");
  add.text("log-level", line.log_level, "trace, debug, info, warn, error or off")
    ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}))
    ->capture_default_str();
  add.flag("json", line.log_json, "Write the log as JSON, one object a line");
}

} // namespace

std::variant<worker_command_line, int> read_worker_command_line(int argc, const char* const* argv) {
  worker_command_line line;
  raw_line raw;
  CLI::App app{"A worker of Levain: does steps of some kinds for the nodes of a cluster.", "levain-worker"};
  app.set_version_flag("--version", std::string("levain-worker ") + LEVAIN_VERSION);
  declare(app, line, raw);
  try {
    app.parse(argc, argv);
    check_together(line, raw);
  } catch (const CLI::Success& said) {
    return app.exit(said);
  } catch (const CLI::ParseError& error) {
    std::cerr << "levain-worker: " << error.what() << "\nSee levain-worker --help.\n";
    return 2;
  }
  return line;
}

} // namespace levain
