// What people type. The first line says what it is, the rest is one word a line (of `config` a file, of `definition` a
// text): see `readers` at the end.
#include <array>
#include <iostream>
#include <sstream>
#include <sys/mman.h>
#include <unistd.h>

#include "actors/cluster/wire_address.hpp"
#include "actors/gateway/request_target.hpp"
#include "actors/workflow/parse_definition.hpp"
#include "apps/bakery/faults.hpp"
#include "apps/levain/commands.hpp"
#include "apps/levaind/daemon_options.hpp"
#include "persistence/utf8.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace levain::test {

namespace {

/// What the programs print goes nowhere while this lives.
class silence {
public:
  silence() = default;
  silence(const silence&) = delete;
  silence& operator=(const silence&) = delete;
  ~silence() {
    std::cout.rdbuf(out_);
    std::cerr.rdbuf(err_);
  }
  std::string said() const { return said_.str(); }

private:
  std::ostringstream said_;
  std::streambuf* out_ = std::cout.rdbuf(said_.rdbuf());
  std::streambuf* err_ = std::cerr.rdbuf(said_.rdbuf());
};

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (fuzz_input lines(text); !lines.at_end();) {
    words.emplace_back(lines.line());
    // An argument ends at its NUL.
    words.back().resize(std::min(words.back().find('\0'), words.back().size()));
  }
  return words;
}

std::vector<const char*> arguments_of(const char* program, const std::vector<std::string>& words) {
  std::vector<const char*> arguments = {program};
  for (const auto& word : words)
    arguments.push_back(word.c_str());
  return arguments;
}

template <class Read>
void read_or_refuse(Read read) {
  try {
    read();
  } catch (const command_failed& refused) {
    require(refused.status() == exit_status::wrong_command_line, "what is typed wrong ends with 2");
    require(!std::string_view(refused.what()).empty(), "a refusal says something");
  }
}

void read_duration(std::string_view text) {
  const auto span = parse_duration(text);
  if (!span)
    return;
  require(*span >= duration::zero(), "a span is not below nothing", std::string(text));
  require(parse_duration(format_duration(*span)) == span, "a span is read as it is written", format_duration(*span));
}

void read_timestamp(std::string_view text) {
  const auto at = parse_timestamp(text);
  if (at)
    require(parse_timestamp(to_rfc3339(*at)) == at, "a time is read as it is written", to_rfc3339(*at));
}

void read_moment(std::string_view text) {
  read_or_refuse([&] {
    const auto at = moment_from("--since", std::string(text));
    require(parse_timestamp(to_rfc3339(at)) == at, "a moment can be sent", to_rfc3339(at));
  });
}

void read_span(std::string_view text) {
  using namespace std::chrono_literals;
  read_or_refuse([&] {
    const auto span = span_from("--interval", std::string(text), 50ms, 1h);
    require(span >= 50ms && span <= 1h, "a span is within its limits", std::string(text));
  });
}

void read_uuid(std::string_view text) {
  const auto id = uuid::parse(text);
  if (id)
    require(uuid::parse(to_string(*id)) == id, "an id is read as it is written", to_string(*id));
}

void read_endpoint(std::string_view text) {
  const auto address = parse_listen_address(std::string(text));
  if (address)
    require(
      parse_listen_address(to_string(*address)) == address, "an address is read as it is written", to_string(*address));
}

void read_url(std::string_view text) {
  read_or_refuse([&] { api_client client({.url = std::string(text)}); });
  const auto target = parse_request_target("/" + percent_encoded(text));
  const bool clean = is_utf8(text) && text.find('\0') == std::string_view::npos;
  require(std::holds_alternative<request_target>(target) == clean, "what is clean can be asked for", std::string(text));
  if (clean)
    require(
      std::get<request_target>(target).path == "/" + std::string(text), "a path arrives as it was given",
      std::string(text));
}

void read_run_path(std::string_view text) {
  fuzz_input lines(text);
  command_line line;
  line.tenant = lines.line();
  read_or_refuse([&] {
    const auto path = run_path(line, std::string(lines.line()));
    require(
      path.find_first_of(" ?#%\r\n") == std::string::npos || path.find('%') != std::string::npos, "a path is one");
  });
}

void read_fault(std::string_view text) {
  bakery::fault_plan plan;
  for (const auto& word : words_of(text)) {
    for (auto* add : {bakery::add_fail_option, bakery::add_slow_option})
      try {
        add(plan, word);
      } catch (const std::invalid_argument& refused) {
        require(!std::string_view(refused.what()).empty(), "a refusal says something");
      }
  }
  require(bakery::parse_faults(bakery::json_place(bakery::to_json(plan))) == plan, "faults are read as they are shown");
}

void read_definition(std::string_view text) {
  const auto read = parse_definition(text);
  require((read.workflow != nullptr) == read.errors.empty(), "a definition is taken or refused");
  for (const auto& error : read.errors)
    require_line(to_string(error));
}

void read_levain(std::string_view text) {
  CLI::App app("The operator's command line of Levain.", "levain");
  command_line line;
  declare_commands(app, line);
  const auto words = words_of(text);
  const auto arguments = arguments_of("levain", words);
  try {
    app.parse(static_cast<int>(arguments.size()), arguments.data());
    require(line.chosen != nullptr, "a command line that is taken has its command");
  } catch (const CLI::ParseError& refused) {
    const silence quiet;
    app.exit(refused);
  }
}

void require_daemon(const std::vector<const char*>& arguments) {
  const silence quiet;
  const auto read = read_daemon_options(static_cast<int>(arguments.size()), arguments.data());
  if (const auto* status = std::get_if<int>(&read)) {
    require(*status == 0 || *status == 2, "a daemon ends with 0 or 2", std::to_string(*status));
    require(!quiet.said().empty(), "a daemon that ends says why");
    return;
  }
  const auto& options = std::get<daemon_options>(read);
  require(options.embedded.empty() != options.database.empty(), "there is one database");
  require(options.http.header_bytes_max > 0 && options.node.writers > 0, "limits are at least 1");
  require(open_files_wanted(options) > options.http.connections_max, "files are counted without overflow");
}

void read_levaind(std::string_view text) {
  const auto words = words_of(text);
  // Any file of this machine could be named; `config` has one of its own.
  for (const auto& word : words)
    if (word.find("config") != std::string::npos)
      return;
  require_daemon(arguments_of("levaind", words));
}

void read_config(std::string_view text) {
  const int file = ::memfd_create("config", MFD_CLOEXEC);
  require(file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()), "there is memory");
  const std::vector<std::string> words = {
    "--embedded", "/nowhere", "--config", "/proc/self/fd/" + std::to_string(file)};
  require_daemon(arguments_of("levaind", words));
  ::close(file);
}

struct reader {
  std::string_view name;
  void (*read)(std::string_view text);
};

constexpr std::array readers = {
  reader{"duration", read_duration},
  reader{"timestamp", read_timestamp},
  reader{"moment", read_moment},
  reader{"span", read_span},
  reader{"uuid", read_uuid},
  reader{"endpoint", read_endpoint},
  reader{"url", read_url},
  reader{"run", read_run_path},
  reader{"fault", read_fault},
  reader{"levain", read_levain},
  reader{"levaind", read_levaind},
  reader{"config", read_config},
  reader{"definition", read_definition},
};

} // namespace

LEVAIN_FUZZ_TARGET(command_line) {
  fuzz_input lines(input);
  const auto name = lines.line();
  const auto found = std::ranges::find(readers, name, &reader::name);
  if (found != readers.end())
    found->read(lines.rest());
}

} // namespace levain::test
