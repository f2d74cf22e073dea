// What wrong input is answered with, word for word: the tables of `docs/bad-input.md` come from here.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <sstream>

#include "actors/workflow/parse_definition.hpp"
#include "test_paths.hpp"
#include "tests/support/bad_command_lines.hpp"
#include "tests/support/bad_definitions.hpp"
#include "tests/support/bad_requests.hpp"
#include "tests/support/daemon.hpp"
#include "tests/support/database.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

const std::string page = LEVAIN_SOURCE_DIR "/docs/bad-input.md";
const std::string tenant = "0b6e1a52-7c3d-4f8e-a9b0-1c2d3e4f5a6b";
/// The other definitions are in the tables of the parser's own tests.
constexpr size_t definitions_shown = 30;
constexpr size_t definition_bytes_shown = 140;

constexpr const char* introduction = R"(# Wrong input

What is wrong is refused before anything happens, with a sentence that names the place, the value and what would have been right.
Every line on this page is what the parser, the daemon or a program really answers: `tests/apps/bad_input_test.cpp` asks them all and
compares. `LEVAIN_UPDATE_GOLDEN=1` writes the page anew.
)";

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

/// Text for a cell of a table, as code.
std::string cell(std::string text) {
  replace_all(text, "\n", "⏎");
  replace_all(text, "|", "\\|");
  const bool has_tick = text.find('`') != std::string::npos;
  return has_tick ? "`` " + text + " ``" : "`" + text + "`";
}

// ---- definitions ------------------------------------------------------------

std::string definitions_table() {
  std::string text = R"(
## Workflow definitions

All errors of a definition come at once, each with its place; here the first. More are in `tests/support/bad_definitions.cpp`.

| wrong | definition | error |
| --- | --- | --- |
)";
  std::vector<const bad_definition*> short_ones;
  for (const auto& each : bad_definitions())
    if (
      each.json.size() <= definition_bytes_shown && each.error.size() <= definition_bytes_shown &&
      parse_definition(each.json).errors.size() == 1 && each.json.find('\0') == std::string::npos &&
      each.title != "bytes that are not UTF-8")
      short_ones.push_back(&each);
  // Spread over all kinds.
  const size_t step = std::max<size_t>(1, short_ones.size() / definitions_shown);
  for (size_t i = 0; i < short_ones.size(); i += step) {
    const auto& each = *short_ones[i];
    text += fmt::format(
      "| {} | {} | {} |\n", each.title, cell(each.json), cell(to_string(parse_definition(each.json).errors.at(0))));
  }
  return text;
}

// ---- requests ---------------------------------------------------------------

/// A daemon with what `bad_requests` expects it to know.
class prepared_daemon {
public:
  prepared_daemon()
    : daemon_({"--database", database_.url()}) {
    daemon_.register_workflow(nlohmann::json::parse(known_workflow()));
    daemon_.wait_until_ready();
    const auto started =
      daemon_.post("/v1/tenants/" + tenant + "/runs", {{"workflow", "known"}, {"idempotency_key", "monday"}});
    run_ = started.value().json().at("id");
    const auto path = "/v1/tenants/" + tenant + "/runs/" + run_;
    if (!eventually([&] { return daemon_.get(path).value().json().at("status") == "completed"; }, 60s))
      throw std::runtime_error("the known run does not end");
  }

  /// Its answer, with the names of what differs from time to time.
  http_answer ask(const bad_request& wrong) const {
    auto path = wrong.path;
    replace_all(path, "TENANT", tenant);
    replace_all(path, "KNOWN", run_);
    auto answer =
      test::ask({.method = wrong.method, .url = daemon_.url() + path, .body = wrong.body, .headers = wrong.headers})
        .value();
    replace_all(answer.body, tenant, "TENANT");
    replace_all(answer.body, run_, "KNOWN");
    return answer;
  }

private:
  fresh_database database_;
  running_daemon daemon_;
  std::string run_;
};

std::string requests_table() {
  const prepared_daemon daemon;
  std::string text = R"(
## Requests

Answers are problem documents (RFC 9457); here their `status` and `detail`. `known` is a workflow, `KNOWN` a run of it that has
completed, started with the idempotency key `monday`.

| wrong | request | status | error |
| --- | --- | --- | --- |
)";
  for (const auto& wrong : bad_requests()) {
    BOOST_TEST_CONTEXT(wrong.title) {
      const auto answer = daemon.ask(wrong);
      const auto problem = answer.json();
      BOOST_TEST(answer.status >= 400);
      BOOST_TEST(answer.status < 500);
      BOOST_TEST(answer.headers.at("content-type") == "application/problem+json");
      BOOST_TEST(problem.at("status") == answer.status);
      const auto request = wrong.method + " " + wrong.path + (wrong.body.empty() ? "" : " " + wrong.body);
      text += fmt::format(
        "| {} | {} | {} | {} |\n", wrong.title, cell(request), answer.status,
        cell(problem.at("detail").get<std::string>()));
    }
  }
  return text;
}

// ---- command lines ----------------------------------------------------------

/// The line that says what is wrong, without the names of the folder.
std::string first_line(std::string text, const std::string& folder) {
  replace_all(text, folder, "DIR");
  return text.substr(0, text.find('\n'));
}

std::string quoted(const std::string& word) {
  const bool plain = word.find_first_of(" {}?&") == std::string::npos;
  return plain ? word : "'" + word + "'";
}

std::string shown(const bad_command_line& wrong) {
  std::string text;
  for (const auto& [name, value] : wrong.environment)
    text += name + "=" + quoted(value) + " ";
  text += wrong.program;
  for (const auto& each : wrong.arguments)
    text += " " + quoted(each);
  return text;
}

program_result run_it(const bad_command_line& wrong, const temporary_folder& folder) {
  std::ofstream(folder / "file") << "a file where a folder should be\n";
  if (!wrong.configuration.empty())
    std::ofstream(folder / "levaind.toml") << wrong.configuration;
  program_options options{.program = wrong.program, .arguments = wrong.arguments, .environment = wrong.environment};
  for (auto& each : options.arguments)
    replace_all(each, "DIR", folder.path().string());
  for (auto& [name, value] : options.environment)
    replace_all(value, "DIR", folder.path().string());
  return run_to_end(options, 20s);
}

/// A row of a table.
std::string row_of(const bad_command_line& wrong, bool by_configuration) {
  const temporary_folder folder;
  const auto result = run_it(wrong, folder);
  BOOST_TEST(result.status >= 1);
  BOOST_TEST(result.status <= 3);
  BOOST_TEST(result.output == "");
  const auto line = first_line(result.errors, folder.path().string());
  BOOST_TEST(!line.empty());
  const auto input = by_configuration ? wrong.configuration.substr(0, wrong.configuration.size() - 1) : shown(wrong);
  return fmt::format("| {} | {} | {} |\n", cell(input), result.status, cell(line));
}

std::string command_lines_table(const std::vector<bad_command_line>& all, bool by_configuration) {
  std::string text;
  for (const auto& wrong : all) {
    BOOST_TEST_CONTEXT(shown(wrong) << " " << wrong.configuration) {
      try {
        text += row_of(wrong, by_configuration);
      } catch (const std::exception& failure) {
        BOOST_ERROR(failure.what());
      }
    }
  }
  return text;
}

constexpr const char* command_lines_introduction = R"(
## Command lines

What is wrong is said on standard error, nothing on standard output. Exit status: 1 the work failed, 2 the command line was wrong, 3 a
service it needs is not there. `DIR` is some folder, `DIR/file` is a file.

| command line | status | error |
| --- | --- | --- |
)";

constexpr const char* environments_introduction = R"(
## Environment

| environment and command line | status | error |
| --- | --- | --- |
)";

constexpr const char* configurations_introduction = R"(
## Configuration files

`levaind --config DIR/levaind.toml --embedded DIR/database` with these lines:

| file | status | error |
| --- | --- | --- |
)";

std::string whole_page() {
  return introduction + definitions_table() + requests_table() + command_lines_introduction +
         command_lines_table(bad_arguments(), false) + environments_introduction +
         command_lines_table(bad_environments(), false) + configurations_introduction +
         command_lines_table(bad_configurations(), true);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    lines.push_back(line);
  return lines;
}

} // namespace

BOOST_AUTO_TEST_SUITE(bad_input_test)

BOOST_AUTO_TEST_CASE(wrong_input_is_answered_as_the_page_says) {
  const auto now = whole_page();
  if (const char* update = std::getenv("LEVAIN_UPDATE_GOLDEN"); update != nullptr && std::string(update) == "1")
    std::ofstream(page) << now;
  std::ifstream in(page);
  const std::string written{std::istreambuf_iterator<char>(in), {}};
  const auto is = lines_of(now);
  const auto was = lines_of(written);
  const auto rows = std::ranges::count_if(is, [](const std::string& line) { return line.starts_with("| "); });
  BOOST_TEST(rows >= 40);
  for (size_t i = 0; i < std::max(is.size(), was.size()); ++i)
    BOOST_TEST(
      (i < is.size() ? is[i] : "(no more)") == (i < was.size() ? was[i] : "(no more)"),
      "line " << i + 1 << " of docs/bad-input.md\n is " << (i < was.size() ? was[i] : "(no more)") << "\n should be "
              << (i < is.size() ? is[i] : "(no more)"));
}

BOOST_AUTO_TEST_SUITE_END()
