// What a release is built with, so that a fault in memory is no door.
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <nlohmann/json.hpp>

#include "persistence/spawn.hpp"
#include "test_paths.hpp"
#include "tests/support/has.hpp"
#include "tests/support/processes.hpp"

using namespace levain;
using namespace levain::test;

namespace {

namespace fs = std::filesystem;

const std::string root = LEVAIN_SOURCE_DIR;
const std::vector<std::string> programs{"levain", "levaind", "levain-worker", "levain-bakery", "levain-load"};

std::string text_of(const fs::path& file) {
  std::stringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

std::string output_of(std::vector<std::string> words) {
  words.insert(words.begin(), "/usr/bin/env");
  const auto finished = run_program(std::move(words));
  BOOST_TEST_REQUIRE(finished.status == 0, finished.output);
  return finished.output;
}

/// The lines of `build.ninja` that say how this program is linked.
std::string how_linked(const std::string& ninja, const std::string& program) {
  const auto begin = ninja.find("build bin/" + program + ": ");
  BOOST_TEST_REQUIRE(begin != std::string::npos, program);
  return ninja.substr(begin, ninja.find("\n\n", begin) - begin);
}

boost::test_tools::assertion_result is_release(boost::unit_test::test_unit_id /*unit*/) {
  const auto cache = text_of(program_folder().parent_path() / "CMakeCache.txt");
  boost::test_tools::assertion_result is(has(cache, "CMAKE_BUILD_TYPE:STRING=RelWithDebInfo\n"));
  is.message() << "these programs are no release";
  return is;
}

} // namespace

BOOST_AUTO_TEST_SUITE(hardened_programs_test)

BOOST_AUTO_TEST_CASE(the_release_preset_compiles_and_links_with_every_guard) {
  const temporary_folder folder;
  output_of({"cmake", "-S", root, "--preset", "release", "-B", folder / "release"});

  size_t sources = 0;
  for (const auto& each : nlohmann::json::parse(text_of(folder / "release/compile_commands.json"))) {
    const auto file = fs::relative(each.at("file").get<std::string>(), root).string();
    if (!file.starts_with("actors/") && !file.starts_with("persistence/") && !file.starts_with("apps/"))
      continue;
    ++sources;
    const auto command = each.at("command").get<std::string>();
    for (const auto* flag : {" -O2 ", " -D_FORTIFY_SOURCE=2 ", " -fstack-protector-strong ", " -fPIE "})
      BOOST_TEST(has(command, flag), file << " is compiled without" << flag);
  }
  BOOST_TEST(sources > 200U);

  const auto ninja = text_of(folder / "release/build.ninja");
  for (const auto& each : programs) {
    const auto linked = how_linked(ninja, each);
    for (const auto* flag : {"-pie", "-Wl,-z,relro,-z,now"})
      BOOST_TEST(has(linked, flag), each << " is linked without " << flag << ": " << linked);
  }
}

BOOST_AUTO_TEST_CASE(release_programs_show_their_guards, *boost::unit_test::precondition(is_release)) {
  for (const auto& each : programs) {
    const auto program = (program_folder() / each).string();
    BOOST_TEST(
      has(output_of({"readelf", "--file-header", program}), "DYN (Position-Independent Executable file)"), each);
    BOOST_TEST(has(output_of({"readelf", "--program-headers", "--wide", program}), "GNU_RELRO"), each);
    BOOST_TEST(has(output_of({"readelf", "--dynamic", program}), "NOW PIE"), each);
    const auto symbols = output_of({"readelf", "--dyn-syms", "--wide", program});
    BOOST_TEST(has(symbols, "__stack_chk_fail"), each);
    BOOST_TEST(has(symbols, "_chk@GLIBC"), each);
  }
}

BOOST_AUTO_TEST_SUITE_END()
