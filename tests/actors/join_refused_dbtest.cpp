// A node that cannot speak with those that live on its database.
#include <boost/test/unit_test.hpp>

#include <future>

#include "actors/node.hpp"
#include "persistence/postgres_leases.hpp"
#include "tests/support/database.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

node_options sharing() {
  node_options options;
  options.name = "anna";
  return options;
}

/// Waits until the node has given up.
std::string reason_to_end(node_options options, node_ports ports) {
  std::promise<std::string> told;
  node engine(std::move(options), std::move(ports));
  engine.on_fatal([&told](std::string reason) { told.set_value(std::move(reason)); });
  auto reason = told.get_future();
  BOOST_TEST_REQUIRE((reason.wait_for(60s) == std::future_status::ready));
  return reason.get();
}

/// As a node with a gate has them.
class gated_leases : public postgres_leases {
public:
  using postgres_leases::postgres_leases;
  void join(const node_record& node, std::chrono::milliseconds lease, const std::optional<uuid>& follows) override {
    auto gated = node;
    gated.protocol_min = 1;
    gated.protocol_max = 2;
    postgres_leases::join(gated, lease, follows);
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(join_refused_dbtest)

BOOST_AUTO_TEST_CASE(a_node_that_speaks_nothing_the_living_ones_speak_ends_and_says_why) {
  const fresh_database database;
  postgres_leases leases{{.url = database.url()}};
  node_record stranger;
  stranger.id.bytes[0] = 9;
  stranger.name = "stranger";
  stranger.version = "9.0.0";
  stranger.protocol_min = stranger.protocol_max = 9;
  leases.join(stranger, 1h);
  auto ports = postgres_ports(database.url());
  ports.make_leases = [&] { return std::make_unique<gated_leases>(postgres_leases_options{.url = database.url()}); };
  const auto reason = reason_to_end(sharing(), ports);
  for (const auto* words : {"'anna'", "speaks version 1 to 2", "'stranger' (levain 9.0.0) speaks 9"})
    BOOST_TEST(reason.find(words) != std::string::npos, words << " is not in: " << reason);
  BOOST_TEST(leases.view().nodes.size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
