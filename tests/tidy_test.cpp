// The laws of the house: which room may include what, circles, sizes, numbering, links. Each law is a function from
// files to offences, and is shown an offender first, so that none of them passes because it sees nothing.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "test_paths.hpp"

namespace fs = std::filesystem;

namespace {

constexpr int source_lines_max = 500;
/// A file of tests is a list of facts; it may grow a little longer before it is split.
constexpr int test_lines_max = 600;
constexpr int program_lines_max = 300;

const fs::path root = LEVAIN_SOURCE_DIR;

struct file {
  /// Relative to the root: `actors/messages.hpp`.
  std::string path;
  std::vector<std::string> lines;
};
using files = std::vector<file>;
using offences = std::vector<std::string>;

std::vector<std::string> lines_of(std::istream&& in) {
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);)
    lines.push_back(line);
  return lines;
}

file sample(const std::string& path, const std::string& text) {
  return {path, lines_of(std::istringstream(text))};
}

files files_below(const std::string& room, const std::set<std::string>& extensions) {
  files found;
  for (const auto& entry : fs::recursive_directory_iterator(root / room))
    if (extensions.contains(entry.path().extension().string()))
      found.push_back({fs::relative(entry.path(), root).string(), lines_of(std::ifstream(entry.path()))});
  return found;
}

files sources_of(const std::vector<std::string>& rooms) {
  files found;
  for (const auto& room : rooms)
    for (auto& one : files_below(room, {".cpp", ".hpp"}))
      found.push_back(std::move(one));
  return found;
}

files all_sources() {
  return sources_of({"actors", "persistence", "apps", "tests"});
}

files documents() {
  auto found = files_below("docs", {".md"});
  for (const char* page : {"README.md", "CHANGELOG.md"})
    found.push_back({page, lines_of(std::ifstream(root / page))});
  return found;
}

/// Lines of `room` that match.
offences matching(const files& all, const std::string& room, const std::string& forbidden) {
  const std::regex expression(forbidden);
  offences found;
  for (const auto& [path, lines] : all)
    if (path.starts_with(room + "/"))
      for (size_t number = 0; number < lines.size(); ++number)
        if (std::regex_search(lines[number], expression))
          found.push_back(path + ":" + std::to_string(number + 1) + ": " + lines[number]);
  return found;
}

offences room_offences(const files& all) {
  offences found;
  const std::vector<std::pair<std::string, std::string>> forbidden_includes = {
    {"persistence", "caf/|actors/|apps/|tests/"},
    {"actors", "pqxx|libpq|postgresql/|apps/|tests/"},
    {"actors/run_machine", "caf/|random|thread|mutex"},
    {"apps", "pqxx|libpq|postgresql/|tests/"}};
  for (const auto& [room, names] : forbidden_includes)
    for (auto& offence : matching(all, room, "#include\\s*[<\"](" + names + ")"))
      found.push_back(std::move(offence));
  for (auto& offence : matching(all, "actors/run_machine", "_clock::now|random_device|mt19937"))
    found.push_back(std::move(offence));
  return found;
}

/// The auditor judges the engine, so it may know its plain records and none of its logic.
offences auditor_offences(const files& all) {
  return matching(
    all, "tests/simulation/auditor",
    "#include\\s*(\"(?!tests/simulation/(auditor/|(worker_)?witness\\.hpp|place\\.hpp)|persistence/"
    "(audit_row|event_record|ids|timestamp)\\.hpp)"
    "|<(caf|pqxx|boost|spdlog|fmt)/)");
}

/// Circles among `#include "..."` lines, each as `a -> b -> a`.
offences circle_offences(const files& all) {
  const std::regex include("^\\s*#include\\s*\"([^\"]+)\"");
  std::map<std::string, std::vector<std::string>> edges;
  for (const auto& [path, lines] : all)
    for (const auto& line : lines)
      if (std::smatch match; std::regex_search(line, match, include))
        edges[path].push_back(match[1]);
  offences found;
  std::set<std::string> finished;
  std::vector<std::string> trail;
  const std::function<void(const std::string&)> visit = [&](const std::string& path) {
    if (const auto start = std::ranges::find(trail, path); start != trail.end()) {
      std::string circle;
      for (auto at = start; at != trail.end(); ++at)
        circle += *at + " -> ";
      found.push_back(circle + path);
      return;
    }
    if (finished.contains(path))
      return;
    trail.push_back(path);
    for (const auto& next : edges[path])
      visit(next);
    trail.pop_back();
    finished.insert(path);
  };
  for (const auto& one : all)
    visit(one.path);
  return found;
}

offences size_offences(const files& all) {
  offences found;
  for (const auto& [path, lines] : all) {
    const bool program = path.starts_with("apps/") && path.ends_with("/main.cpp");
    const int most = program ? program_lines_max : path.starts_with("tests/") ? test_lines_max : source_lines_max;
    if (static_cast<int>(lines.size()) > most)
      found.push_back(path + ": " + std::to_string(lines.size()) + " lines, at most " + std::to_string(most));
  }
  return found;
}

offences unfinished_offences(const files& all) {
  offences found;
  for (const char* room : {"actors", "persistence", "apps", "tests", "docs", "migrations"})
    for (auto& offence : matching(
           all, room,
           "\\b(TO"
           "DO|FIX"
           "ME|XX"
           "X)\\b"))
      found.push_back(std::move(offence));
  return found;
}

offences sleep_offences(const files& all) {
  offences found;
  for (const char* room : {"tests/actors", "tests/persistence", "tests/simulation"})
    for (auto& offence : matching(all, room, "sleep_for|sleep_until|\\bu?sleep\\(|nanosleep"))
      found.push_back(std::move(offence));
  return found;
}

/// Words that name nothing.
offences name_offences(const files& all) {
  const std::regex hollow("(^|_)(manager|helper|helpers|util|utils|common|misc)(_|$)");
  offences found;
  for (const auto& one : all)
    for (const auto& part : fs::path(one.path))
      if (std::regex_search(part.stem().string(), hollow))
        found.push_back(one.path);
  return found;
}

/// `names` are the SQL files in any order: 001, 002, ... without a gap or a double.
offences numbering_offences(std::vector<std::string> names) {
  std::ranges::sort(names);
  offences found;
  for (size_t index = 0; index < names.size(); ++index) {
    auto number = std::to_string(index + 1);
    const auto expected = std::string(3 - std::min<size_t>(number.size(), 3), '0') + number + "_";
    if (!names[index].starts_with(expected))
      found.push_back(names[index] + ": should begin with " + expected);
  }
  return found;
}

offences top_level_offences(const std::vector<std::string>& names) {
  static const std::set<std::string> fixed = {
    "CMakeLists.txt", "actors", "persistence", "migrations",        "apps",        "tests", "docs", "README.md",
    "LICENSE",        "dev",    "build",       "CMakePresets.json", "CHANGELOG.md"};
  offences found;
  for (const auto& name : names)
    if (!name.starts_with('.') && name != "compile_commands.json" && !fixed.contains(name))
      found.push_back(name + ": does not belong at the top");
  return found;
}

/// Relative links to nothing. `exists` is asked with a path relative to the root.
offences link_offences(const files& pages, const std::function<bool(const fs::path&)>& exists) {
  const std::regex link(R"(\]\(([^)#\s]+)(#[^)]*)?\))");
  offences found;
  for (const auto& [path, lines] : pages) {
    bool in_code = false;
    for (const auto& line : lines) {
      if (line.starts_with("```"))
        in_code = !in_code;
      if (in_code)
        continue;
      for (std::sregex_iterator match(line.begin(), line.end(), link), end; match != end; ++match) {
        const std::string target = (*match)[1];
        if (target.find(':') == std::string::npos && !exists(fs::path(path).parent_path() / target))
          found.push_back(path + ": links to " + target + ", which is not there");
      }
    }
  }
  return found;
}

std::vector<std::string> names_in(const fs::path& folder, const std::string& extension = "") {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder))
    if (extension.empty() || entry.path().extension() == extension)
      names.push_back(entry.path().filename().string());
  return names;
}

void check_none(const offences& found) {
  for (const auto& offence : found)
    BOOST_TEST_ERROR(offence);
}

} // namespace

BOOST_AUTO_TEST_SUITE(tidy_test)

BOOST_AUTO_TEST_CASE(no_room_includes_what_is_above_it) {
  BOOST_TEST(room_offences({sample("persistence/a.hpp", "#include <caf/all.hpp>")}).size() == 1U);
  BOOST_TEST(room_offences({sample("persistence/a.cpp", "#include \"actors/run.hpp\"")}).size() == 1U);
  BOOST_TEST(room_offences({sample("actors/a.hpp", "#include <pqxx/pqxx>")}).size() == 1U);
  BOOST_TEST(room_offences({sample("actors/a.hpp", "#include <libpq-fe.h>")}).size() == 1U);
  BOOST_TEST(room_offences({sample("actors/a.hpp", "#include \"apps/b.hpp\"")}).size() == 1U);
  BOOST_TEST(room_offences({sample("apps/a.hpp", "#include <pqxx/pqxx>")}).size() == 1U);
  BOOST_TEST(room_offences({sample("apps/a.hpp", "#include \"actors/a.hpp\"")}).empty());
  check_none(room_offences(all_sources()));
}

BOOST_AUTO_TEST_CASE(the_run_machine_knows_no_actor_no_clock_and_no_chance) {
  BOOST_TEST(room_offences({sample("actors/run_machine/a.cpp", "#include <caf/actor.hpp>")}).size() == 1U);
  BOOST_TEST(
    room_offences({sample("actors/run_machine/a.cpp", "auto t = std::chrono::system_clock::now();")}).size() == 1U);
  BOOST_TEST(room_offences({sample("actors/run_machine/a.cpp", "#include <random>\nstd::mt19937 r;")}).size() == 2U);
  check_none(room_offences(sources_of({"actors/run_machine"})));
}

BOOST_AUTO_TEST_CASE(the_auditor_shares_no_code_with_what_it_judges) {
  for (const char* name : {"actors/run_machine/machine.hpp", "actors/verify.hpp", "persistence/journal.hpp"})
    BOOST_TEST(
      auditor_offences({sample("tests/simulation/auditor/a.cpp", "#include \"" + std::string(name) + "\"")}).size() ==
      1U);
  BOOST_TEST(auditor_offences({sample("tests/simulation/auditor/a.cpp", "#include <caf/actor.hpp>")}).size() == 1U);
  BOOST_TEST(auditor_offences({sample("tests/simulation/auditor/a.cpp", "#include <map>")}).empty());
  BOOST_TEST(auditor_offences({sample("tests/simulation/auditor/a.cpp", "#include \"persistence/ids.hpp\"")}).empty());
  check_none(auditor_offences(all_sources()));
}

BOOST_AUTO_TEST_CASE(no_files_include_each_other_in_a_circle) {
  const files circle = {
    sample("actors/a.hpp", "#include \"actors/b.hpp\""), sample("actors/b.hpp", "#include \"actors/c.hpp\""),
    sample("actors/c.hpp", "#include \"actors/b.hpp\"")};
  BOOST_TEST(
    circle_offences(circle) == offences{"actors/b.hpp -> actors/c.hpp -> actors/b.hpp"},
    boost::test_tools::per_element());
  check_none(circle_offences(all_sources()));
}

BOOST_AUTO_TEST_CASE(sources_and_programs_stay_short) {
  const std::string long_text(source_lines_max + 1, '\n');
  const std::string program_text(program_lines_max + 1, '\n');
  BOOST_TEST(size_offences({sample("actors/a.cpp", long_text)}).size() == 1U);
  BOOST_TEST(size_offences({sample("apps/levaind/main.cpp", program_text)}).size() == 1U);
  BOOST_TEST(size_offences({sample("actors/a.cpp", program_text)}).empty());
  BOOST_TEST(size_offences({sample("tests/actors/a_test.cpp", std::string(test_lines_max + 1, '\n'))}).size() == 1U);
  check_none(size_offences(all_sources()));
}

BOOST_AUTO_TEST_CASE(nothing_is_left_for_later) {
  BOOST_TEST(
    unfinished_offences({sample(
                          "actors/a.cpp", "// TO"
                                          "DO: more")})
      .size() == 1U);
  auto all = all_sources();
  for (auto& one : files_below("migrations", {".sql"}))
    all.push_back(std::move(one));
  check_none(unfinished_offences(all));
}

BOOST_AUTO_TEST_CASE(tests_that_own_their_time_do_not_sleep) {
  BOOST_TEST(sleep_offences({sample("tests/actors/a_test.cpp", "std::this_thread::sleep_for(1s);")}).size() == 1U);
  BOOST_TEST(sleep_offences({sample("tests/persistence/a_test.cpp", "sleep(1);")}).size() == 1U);
  BOOST_TEST(sleep_offences({sample("tests/faults/a_test.cpp", "sleep(1);")}).empty());
  check_none(sleep_offences(all_sources()));
}

BOOST_AUTO_TEST_CASE(files_are_named_after_what_they_hold) {
  BOOST_TEST(name_offences({sample("actors/string_util.hpp", "")}).size() == 1U);
  BOOST_TEST(name_offences({sample("apps/common/a.hpp", "")}).size() == 1U);
  check_none(name_offences(all_sources()));
}

BOOST_AUTO_TEST_CASE(migrations_are_numbered_without_a_gap) {
  BOOST_TEST(numbering_offences({"001_a.sql", "003_b.sql"}).size() == 1U);
  BOOST_TEST(numbering_offences({"001_a.sql", "001_b.sql"}).size() == 1U);
  const auto names = names_in(root / "migrations", ".sql");
  BOOST_TEST(!names.empty());
  check_none(numbering_offences(names));
}

BOOST_AUTO_TEST_CASE(the_top_level_is_fixed) {
  BOOST_TEST(top_level_offences({"src"}).size() == 1U);
  BOOST_TEST(top_level_offences({".gitignore", "apps"}).empty());
  check_none(top_level_offences(names_in(root)));
}

BOOST_AUTO_TEST_CASE(links_between_documents_lead_somewhere) {
  const auto nothing_exists = [](const fs::path&) { return false; };
  BOOST_TEST(link_offences({sample("docs/a.md", "see [b](b.md#part) and [c](../c.md)")}, nothing_exists).size() == 2U);
  BOOST_TEST(
    link_offences({sample("docs/a.md", "[b](https://example.org) [c](#here)\n```\n[d](d.md)\n```")}, nothing_exists)
      .empty());
  check_none(link_offences(documents(), [](const fs::path& path) { return fs::exists(root / path); }));
}

BOOST_AUTO_TEST_SUITE_END()
