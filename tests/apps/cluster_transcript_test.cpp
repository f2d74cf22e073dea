// The first cluster of docs/cluster.md, typed line by line.
#include <boost/test/unit_test.hpp>

#include "test_paths.hpp"
#include "tests/support/database.hpp"
#include "tests/support/tcp_gate.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/transcript.hpp"

using namespace levain::test;

namespace {

std::string port_here() {
  return "127.0.0.1:" + std::to_string(free_port());
}

/// An empty database, and a folder, for what a page is typed about.
struct desk {
  temporary_folder folder;
  fresh_database database{fresh_database::contents::nothing};
  std::map<std::string, std::string> here{
    {"postgresql:///levain", database.url()}, {"/tmp/bakery", folder / "bakery"},
    {"oven.state", folder / "oven.state"},    {"127.0.0.1:7400", port_here()},
    {"127.0.0.1:7401", port_here()},          {"127.0.0.1:7500", port_here()},
    {"127.0.0.1:7501", port_here()},          {"apps/bakery/", LEVAIN_SOURCE_DIR "/apps/bakery/"},
  };
};

} // namespace

BOOST_AUTO_TEST_SUITE(cluster_transcript_test)

BOOST_AUTO_TEST_CASE(the_first_cluster_prints_what_its_document_says) {
  const desk at;
  const auto lines = transcript_of("cluster.md");
  BOOST_TEST_REQUIRE(lines.size() > 10U);
  typist reader(at.here);
  reader.type(lines);
  BOOST_TEST(reader.running() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
