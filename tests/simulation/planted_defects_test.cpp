#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "test_paths.hpp"
#include "tests/simulation/auditor/violation.hpp"

// The table of planted defects in `docs/testing.md` is what the patches say of themselves. LEVAIN_UPDATE_GOLDEN=1
// writes it anew.

namespace fs = std::filesystem;
using namespace levain::simulation;

namespace {

const fs::path root = LEVAIN_SOURCE_DIR;
const fs::path page = root / "docs" / "testing.md";
constexpr size_t defects_least = 14;

struct planted_defect {
  std::string name;
  std::string says;
  std::vector<std::string> rules;
  std::string seeds;
  std::vector<std::string> changes;
};

std::string text_of(const fs::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<planted_defect> planted_defects() {
  std::vector<planted_defect> all;
  for (const auto& entry : fs::directory_iterator(root / "tests" / "simulation" / "defects")) {
    if (entry.path().extension() != ".patch")
      continue;
    planted_defect defect{entry.path().stem().string(), {}, {}, {}, {}};
    std::istringstream lines(text_of(entry.path()));
    for (std::string line; std::getline(lines, line);) {
      const auto after = [&](const std::string& head) {
        return line.starts_with(head) ? line.substr(head.size()) : std::string();
      };
      if (const auto says = after("Defect: "); !says.empty())
        defect.says = says;
      if (const auto seeds = after("Seeds: "); !seeds.empty())
        defect.seeds = seeds;
      if (const auto file = after("+++ b/"); !file.empty())
        defect.changes.push_back(file.substr(0, file.find('\t')));
      std::istringstream rules(after("Rules: "));
      for (std::string each; rules >> each;)
        defect.rules.push_back(each);
    }
    all.push_back(std::move(defect));
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return all;
}

std::string row_of(const planted_defect& x) {
  std::string rules;
  for (const auto& each : x.rules)
    rules += (rules.empty() ? "`" : ", `") + each + "`";
  return "| `" + x.name + "` | " + x.says + " | " + rules + " | " + x.seeds + " |\n";
}

std::string table() {
  std::string text = "| defect | the engine it makes | broken first | within seeds |\n| --- | --- | --- | --- |\n";
  for (const auto& each : planted_defects())
    text += row_of(each);
  return text;
}

/// The table of the page: from its heading to the first empty line behind it.
std::pair<size_t, size_t> place_of_table(const std::string& text) {
  const auto begin = text.find("| defect |");
  BOOST_TEST_REQUIRE(begin != std::string::npos, page << " has no table of planted defects");
  const auto end = text.find("\n\n", begin);
  return {begin, end == std::string::npos ? text.size() : end + 1};
}

} // namespace

BOOST_AUTO_TEST_SUITE(planted_defects_test)

BOOST_AUTO_TEST_CASE(every_defect_is_planted_in_the_engine_and_breaks_rules_that_there_are) {
  const auto all = planted_defects();
  BOOST_TEST(all.size() >= defects_least);
  for (const auto& each : all) {
    BOOST_TEST(!each.says.empty(), each.name << " does not say what it is");
    BOOST_TEST(!each.seeds.empty(), each.name << " does not say within how many seeds it is found");
    BOOST_TEST(!each.rules.empty(), each.name << " does not say which rules it breaks");
    for (const auto& rule : each.rules)
      BOOST_TEST(parse_rule(rule).has_value(), each.name << ": there is no rule " << rule);
    BOOST_TEST(!each.changes.empty(), each.name << " changes nothing");
    for (const auto& file : each.changes)
      BOOST_TEST((file.starts_with("actors/") || file.starts_with("persistence/")), each.name << " changes " << file);
  }
}

BOOST_AUTO_TEST_CASE(the_page_on_testing_names_every_planted_defect) {
  auto text = text_of(page);
  const auto [begin, end] = place_of_table(text);
  if (const char* update = std::getenv("LEVAIN_UPDATE_GOLDEN"); update != nullptr && std::string(update) == "1") {
    text.replace(begin, end - begin, table());
    std::ofstream(page) << text;
    return;
  }
  BOOST_TEST(text.substr(begin, end - begin) == table(), "write the table anew with LEVAIN_UPDATE_GOLDEN=1");
}

BOOST_AUTO_TEST_SUITE_END()
