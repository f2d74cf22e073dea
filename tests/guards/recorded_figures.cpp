#include "tests/guards/recorded_figures.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <sys/file.h>

#include "persistence/file_descriptor.hpp"
#include "test_paths.hpp"

namespace levain::test {

namespace {

using nlohmann::ordered_json;

const std::string figures_file = LEVAIN_SOURCE_DIR "/tests/guards/recorded.json";
constexpr const char* how_to_record = "./dev guards --record";

/// One program at a time reads and writes the figures.
class figures_lock {
public:
  figures_lock()
    : file_(open(figures_file.c_str(), O_RDONLY | O_CLOEXEC)) {
    BOOST_TEST_REQUIRE((file_ && flock(file_.number(), LOCK_EX) == 0), "cannot lock " << figures_file);
  }

private:
  file_descriptor file_;
};

ordered_json read_figures() {
  std::ifstream in(figures_file);
  return ordered_json::parse(in);
}

void write_figures(const ordered_json& figures) {
  std::ofstream out(figures_file);
  out << figures.dump(2) << '\n' << std::flush;
  BOOST_TEST_REQUIRE(out.good(), "cannot write " << figures_file);
}

/// The name of this build among those that a figure is recorded for: figures differ by as much as they say.
std::string build_name(const std::string& differs_by) {
  if (differs_by == "nothing")
    return "every build";
  if (differs_by == "compiler")
    return LEVAIN_COMPILER;
  if (differs_by == "compiler and build type")
    return LEVAIN_COMPILER " " LEVAIN_BUILD_TYPE;
  BOOST_FAIL("differs_by is '" << differs_by << "': must be nothing, compiler, or compiler and build type");
  return {};
}

/// Five digits that mean something are enough to see a change, and few enough to be read.
double rounded(double value) {
  std::istringstream text(fmt::format("{:.5g}", value));
  text >> value;
  return value;
}

bool is_to_be_recorded() {
  const char* update = std::getenv("LEVAIN_UPDATE_GOLDEN");
  return update != nullptr && std::string(update) == "1";
}

} // namespace

figure_verdict judge(const recorded_figure& figure, double measured) {
  if (!figure.recorded)
    return figure_verdict::not_recorded;
  const double room = std::abs(*figure.recorded) * figure.tolerance_percent / 100;
  // Figures are recorded rounded: what was rounded off is no change.
  const double rounding = std::abs(*figure.recorded) * 1e-4;
  if (!(measured <= *figure.recorded + room + rounding))
    return figure_verdict::worse;
  if (measured < *figure.recorded - room - rounding)
    return figure_verdict::better;
  return figure_verdict::kept;
}

bool is_as_recorded(recorded_figure figure, double measured) {
  figure.tolerance_percent /= 2;
  return judge(figure, measured) == figure_verdict::kept;
}

void check_figure(const std::string& name, double measured) {
  const figures_lock lock;
  auto figures = read_figures();
  BOOST_TEST_REQUIRE(figures.contains(name), figures_file << " has no figure " << name);
  auto& entry = figures[name];
  const auto unit = entry.at("unit").get<std::string>();
  const auto build = build_name(entry.at("differs_by").get<std::string>());
  auto& recorded = entry["recorded"];
  recorded_figure figure{std::nullopt, entry.at("tolerance_percent").get<double>()};
  if (recorded.contains(build))
    figure.recorded = recorded.at(build).get<double>();

  const auto measured_text = fmt::format("{}: {:.5g} {}", name, measured, unit);
  if (is_to_be_recorded()) {
    BOOST_TEST_REQUIRE(std::isfinite(measured));
    if (is_as_recorded(figure, measured)) {
      std::cout << "guard " << measured_text << ", stays recorded for " << build << " as it is" << std::endl;
      return;
    }
    recorded[build] = rounded(measured);
    write_figures(figures);
    std::cout << "guard " << measured_text << ", recorded for " << build << std::endl;
    return;
  }
  const auto verdict = judge(figure, measured);
  if (verdict == figure_verdict::not_recorded) {
    BOOST_TEST(!recorded.empty(), name << " is recorded for no build at all; record it with " << how_to_record);
    std::cout << "guard " << measured_text << ", not compared: nothing is recorded for " << build << std::endl;
    return;
  }
  const auto compared = fmt::format(
    "{}; recorded for {} are {:.5g}, that is {:+.2f} %, tolerated are {} %", measured_text, build, *figure.recorded,
    100 * (measured / *figure.recorded - 1), figure.tolerance_percent);
  std::cout << "guard " << compared << std::endl;
  const auto why = entry.at("why").get<std::string>();
  if (verdict == figure_verdict::worse)
    BOOST_ERROR(
      compared << ": the engine does more than it did. " << why
               << " Find out what does it; if it has to be, record it with " << how_to_record
               << " and say why in the commit.");
  if (verdict == figure_verdict::better)
    BOOST_ERROR(
      compared << ": the engine does less than it did. Record the gain with " << how_to_record
               << ", so that it is kept.");
}

} // namespace levain::test
