// The laws of the house: which room may include what, numbering, and sizes.
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

const fs::path root = LEVAIN_SOURCE_DIR;

std::vector<fs::path> sources_below(const std::string& room) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::recursive_directory_iterator(root / room))
    if (entry.path().extension() == ".cpp" || entry.path().extension() == ".hpp")
      found.push_back(entry.path());
  return found;
}

std::vector<std::string> lines_matching(const std::string& room, const std::regex& forbidden) {
  std::vector<std::string> found;
  for (const auto& path : sources_below(room)) {
    std::ifstream in(path);
    std::string line;
    for (int number = 1; std::getline(in, line); ++number)
      if (std::regex_search(line, forbidden))
        found.push_back(path.string() + ":" + std::to_string(number) + ": " + line);
  }
  return found;
}

void check_none(const std::vector<std::string>& offences) {
  for (const auto& offence : offences)
    BOOST_TEST_ERROR(offence);
  BOOST_TEST(offences.empty());
}

} // namespace

BOOST_AUTO_TEST_SUITE(tidy_test)

BOOST_AUTO_TEST_CASE(persistence_includes_no_actor_header) {
  BOOST_TEST_REQUIRE(!sources_below("persistence").empty());
  check_none(lines_matching("persistence", std::regex(R"(#include\s*[<"](caf|actors|apps)/)")));
}

BOOST_AUTO_TEST_CASE(actors_include_no_database_header) {
  BOOST_TEST_REQUIRE(!sources_below("actors").empty());
  check_none(lines_matching("actors", std::regex(R"(#include\s*[<"](pqxx|libpq|apps/))")));
}

BOOST_AUTO_TEST_CASE(the_run_machine_knows_no_actor_and_no_clock) {
  check_none(lines_matching("actors/run_machine", std::regex(R"(#include\s*[<"](caf/|random|thread))")));
  check_none(lines_matching("actors/run_machine", std::regex(R"(_clock::now|random_device|mt19937)")));
}

BOOST_AUTO_TEST_SUITE_END()
