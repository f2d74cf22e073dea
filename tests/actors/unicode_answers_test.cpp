// Answers with texts that no database holds, among many that are right: each fails its own run and nothing else.
#include <boost/test/unit_test.hpp>

#include "tests/actors/scripted_runs.hpp"
#include "tests/support/has.hpp"

using namespace levain;
using namespace levain::test;

namespace {

struct answer_kind {
  const char* text;
  /// What the failure says; null when there is none.
  const char* fault;
};

const answer_kind kinds[] = {
  {R"({"n": "\ud83d"})", "is not JSON"}, {R"({"n": "\ude00\ud83d"})", "is not JSON"},
  {R"({"n": "a\u0000b"})", "U+0000"},    {"{\"n\": \"\xED\xA0\x80\"}", "is not JSON"},
  {R"({"a\u0000": 1})", "U+0000"},       {R"({"n": "\uffff"})", nullptr},
  {R"({"n": "\u2028"})", nullptr},       {R"({"n": "\ud83d\ude00"})", nullptr},
};

/// One step, named after the kind of answer that it gets.
workflow_ptr asking_for(size_t kind, bool goes_on) {
  auto flow = workflow_builder("asks" + std::to_string(kind)).step("kind" + std::to_string(kind)).call(scripted());
  return (goes_on ? flow.proceeds() : flow).build();
}

} // namespace

BOOST_AUTO_TEST_SUITE(unicode_answers_test)

BOOST_AUTO_TEST_CASE(of_many_answers_only_the_broken_ones_fail_and_each_says_why) {
  for (const bool goes_on : {false, true}) {
    actor_world world;
    std::vector<std::pair<size_t, std::shared_ptr<actor_world::started>>> starts;
    for (int round = 0; round < 50; ++round)
      for (size_t kind = 0; kind < std::size(kinds); ++kind)
        starts.emplace_back(kind, world.start(asking_for(kind, goes_on)));
    world.settle();
    for (size_t kind = 0; kind < std::size(kinds); ++kind)
      world.calls->answer("kind" + std::to_string(kind), kinds[kind].text);
    world.settle();
    for (const auto& [kind, start] : starts) {
      const auto run = start->run().run;
      const auto row = world.row(run);
      if (kinds[kind].fault == nullptr) {
        BOOST_TEST((row.status == run_status::completed), kinds[kind].text);
      } else {
        BOOST_TEST((row.status == (goes_on ? run_status::partial_success : run_status::failed)), kinds[kind].text);
        BOOST_TEST(has(row.error_details.value_or(""), kinds[kind].fault), row.error_details.value_or(""));
      }
      world.check_row_equals_fold(run);
    }
    BOOST_TEST(world.status().runs_live == 0u);
  }
}

BOOST_AUTO_TEST_SUITE_END()
