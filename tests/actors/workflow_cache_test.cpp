#include "actors/workflow_cache.hpp"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include "actors/workflow/parse_definition.hpp"
#include "persistence/model_definition_store.hpp"

using namespace levain;

namespace {

workflow_ptr workflow_of(int number, size_t bytes) {
  return parse_definition(
           fmt::format(
             R"({{"workflow": "w{}", "version": 1, "steps": [{{"name": "a", "call": {{"simulate": {{"output": "{}"}}}}}}]}})",
             number, std::string(bytes, 'x')))
    .workflow;
}

struct cache_world {
  std::shared_ptr<model_database> database = std::make_shared<model_database>();
  /// Room for three of 10,000 bytes, which count about twice.
  workflow_cache cache{std::make_unique<model_definition_store>(database), 70'000};
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(workflow_cache_test, cache_world)

BOOST_AUTO_TEST_CASE(what_is_kept_is_bounded_by_bytes_and_the_least_recently_used_leaves) {
  std::vector<std::weak_ptr<const workflow_definition>> made;
  for (int i = 0; i < 3; ++i) {
    const auto workflow = workflow_of(i, 10'000);
    BOOST_TEST_REQUIRE(workflow != nullptr);
    made.push_back(workflow);
    cache.put(workflow, {});
  }
  BOOST_TEST(cache.kept_count() == 3u);
  // The first is used again, so the second is the one that leaves.
  BOOST_TEST(cache.find("w0", 1) != nullptr);
  cache.put(workflow_of(3, 10'000), {});
  BOOST_TEST(cache.kept_count() == 3u);
  BOOST_TEST(cache.kept_bytes() <= 70'000u);
  BOOST_TEST(!made[0].expired());
  BOOST_TEST(made[1].expired());
  // It is read again when it is asked for.
  BOOST_TEST(cache.find("w1", 1)->name == "w1");
  BOOST_TEST(cache.kept_count() == 3u);
}

BOOST_AUTO_TEST_CASE(a_definition_that_leaves_stays_with_those_who_hold_it) {
  const auto held = workflow_of(0, 10'000);
  cache.put(held, {});
  for (int i = 1; i < 10; ++i)
    cache.put(workflow_of(i, 10'000), {});
  BOOST_TEST(held->name == "w0");
}

BOOST_AUTO_TEST_CASE(one_that_is_larger_than_the_room_is_kept_alone) {
  cache.put(workflow_of(0, 10'000), {});
  cache.put(workflow_of(1, 100'000), {});
  BOOST_TEST(cache.kept_count() == 1u);
  cache.put(workflow_of(2, 10'000), {});
  BOOST_TEST(cache.kept_count() == 1u);
  BOOST_TEST(cache.kept_bytes() < 70'000u);
}

BOOST_AUTO_TEST_SUITE_END()
