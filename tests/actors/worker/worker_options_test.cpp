// What a worker refuses before it starts.
#include <boost/test/unit_test.hpp>

#include "actors/worker/include/levain/worker.hpp"

using namespace levain;
using namespace std::chrono_literals;

namespace {

worker_options sound() {
  worker_options options;
  options.nodes = {"127.0.0.1:7500"};
  return options;
}

std::string refusal_of(const worker_options& options) {
  try {
    const worker made(options);
    return "";
  } catch (const std::invalid_argument& wrong) {
    return wrong.what();
  }
}

std::string refusal_of(worker& made, const std::string& kind, uint32_t at_once, worker_function function) {
  try {
    made.offer(kind, at_once, std::move(function));
    return "";
  } catch (const std::invalid_argument& wrong) {
    return wrong.what();
  }
}

worker_result nothing(worker_step& /*step*/) {
  return nlohmann::json();
}

} // namespace

BOOST_AUTO_TEST_SUITE(worker_options_test)

BOOST_AUTO_TEST_CASE(options_that_cannot_be_are_named_with_their_value) {
  BOOST_TEST(refusal_of(sound()) == "");
  BOOST_TEST(refusal_of(worker_options{}) == "nodes: must name at least one HOST:PORT");
  auto options = sound();
  options.nodes.emplace_back("here");
  BOOST_TEST(refusal_of(options) == "nodes: must be HOST:PORT such as 127.0.0.1:7500 or [::1]:7500, not 'here'");
  options = sound();
  options.name.assign(201, 'n');
  BOOST_TEST(refusal_of(options) == "name: must be at most 200 bytes long, not 201");
  options = sound();
  options.reconnect_interval_initial = 0ms;
  BOOST_TEST(refusal_of(options) == "reconnect_interval_initial: must be at least 1 ms, not 0 ms");
  options = sound();
  options.reconnect_interval_max = 99ms;
  BOOST_TEST(refusal_of(options) == "reconnect_interval_max: must be at least 100 ms, not 99 ms");
  options = sound();
  options.stop_grace = -1ms;
  BOOST_TEST(refusal_of(options) == "stop_grace: must be at least 0 ms, not -1 ms");
}

BOOST_AUTO_TEST_CASE(offers_that_cannot_be_are_named_with_their_value) {
  worker made(sound());
  BOOST_TEST(refusal_of(made, "bake", 10'000, nothing) == "");
  BOOST_TEST(
    refusal_of(made, "", 1, nothing) ==
    "kind: must be letters, digits, '_', '-' and '.', a letter first, at most 100 bytes, not ''");
  BOOST_TEST(
    refusal_of(made, "a b", 1, nothing) ==
    "kind: must be letters, digits, '_', '-' and '.', a letter first, at most 100 bytes, not 'a b'");
  BOOST_TEST(refusal_of(made, "bake", 1, nothing) == "kind: 'bake' is offered already");
  BOOST_TEST(refusal_of(made, "fly", 0, nothing) == "at_once: must be 1 to 10000 for 'fly', not 0");
  BOOST_TEST(refusal_of(made, "fly", 10'001, nothing) == "at_once: must be 1 to 10000 for 'fly', not 10001");
  BOOST_TEST(refusal_of(made, "fly", 1, nullptr) == "function: there is none for 'fly'");
  for (int i = 1; i < 100; ++i)
    made.offer("kind" + std::to_string(i), 1, nothing);
  BOOST_TEST(refusal_of(made, "fly", 1, nothing) == "kind: 'fly' is one more than the 100 that a worker may offer");
}

BOOST_AUTO_TEST_CASE(a_worker_that_offers_nothing_does_not_start) {
  worker made(sound());
  BOOST_CHECK_THROW(made.start(), std::logic_error);
  BOOST_TEST(made.connected() == 0U);
}

BOOST_AUTO_TEST_CASE(certificates_that_cannot_be_used_keep_it_from_starting) {
  auto options = sound();
  options.certificate = "/none.pem";
  worker made(options);
  made.offer("bake", 1, nothing);
  BOOST_CHECK_THROW(made.start(), std::runtime_error);
  // It has not begun to be stopped.
  made.stop();
}

BOOST_AUTO_TEST_SUITE_END()
