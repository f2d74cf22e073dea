// The library as another project uses it: installed, found by CMake, linked, started.
#include <boost/test/unit_test.hpp>

#include <csignal>
#include <fstream>
#include <iterator>

#include "test_paths.hpp"
#include "tests/support/processes.hpp"

using namespace levain::test;
using namespace std::chrono_literals;

namespace {

const std::string sources = LEVAIN_SOURCE_DIR;

std::string content(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

void run_cmake(const std::vector<std::string>& arguments) {
  const auto result = run_to_end({.program = "/usr/bin/env", .arguments = arguments}, 60s);
  BOOST_TEST_REQUIRE(result.status == 0, result.output << result.errors);
}

} // namespace

BOOST_AUTO_TEST_SUITE(worker_package_test)

BOOST_AUTO_TEST_CASE(an_installed_library_makes_a_worker_of_ten_lines) {
  const temporary_folder folder;
  const auto build = program_folder().parent_path().string();
  const auto prefix = folder / "prefix";
  run_cmake({"cmake", "--install", build, "--prefix", prefix, "--component", "worker"});
  BOOST_TEST_REQUIRE(std::filesystem::exists(prefix + "/include/levain/worker.hpp"));
  const auto example = prefix + "/share/levain/examples/greeting_worker";
  run_cmake({"cmake", "-S", example, "-B", folder / "build", "-DCMAKE_PREFIX_PATH=" + prefix});
  run_cmake({"cmake", "--build", folder / "build"});
  // Nobody listens on the discard port.
  running_program worker({folder / "build/greeting_worker", {"127.0.0.1:9"}});
  BOOST_TEST(
    eventually([&] { return worker.errors().find("node_unreachable address=127.0.0.1:9") != std::string::npos; }, 20s),
    worker.errors());
  BOOST_TEST(worker.running());
  worker.send_signal(SIGTERM);
  const auto end = worker.wait(20s);
  BOOST_TEST_REQUIRE(end.has_value());
  BOOST_TEST(end->status.value_or(-1) == 0);
}

BOOST_AUTO_TEST_CASE(the_page_on_workers_shows_the_example_as_it_is) {
  const auto page = content(sources + "/docs/workers.md");
  for (const auto* file : {"greeting_worker.cpp", "CMakeLists.txt"})
    BOOST_TEST(page.find(content(sources + "/docs/examples/greeting_worker/" + file)) != std::string::npos, file);
}

BOOST_AUTO_TEST_SUITE_END()
