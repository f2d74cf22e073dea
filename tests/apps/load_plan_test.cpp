// What a load is going to be: shapes, weights, paces.
#include <boost/test/unit_test.hpp>

#include <array>
#include <set>

#include <nlohmann/json.hpp>

#include "actors/workflow/parse_definition.hpp"
#include "apps/load/load_mix.hpp"
#include "apps/load/load_pace.hpp"
#include "apps/load/shape.hpp"

using namespace levain;
using namespace levain::load;
using namespace std::chrono_literals;

namespace {

/// Each step and what it needs: `step1< step2<step1`.
std::string graph_of(const shape_options& options) {
  const auto definition = nlohmann::json::parse(shape_definition(options));
  std::string text;
  for (const auto& step : definition.at("steps")) {
    text += (text.empty() ? "" : " ") + step.at("name").get<std::string>() + "<";
    for (const auto& each : step.value("needs", nlohmann::json::array()))
      text += (text.back() == '<' ? "" : ",") + each.get<std::string>();
  }
  return text;
}

std::string refusal_of(const char* text, auto read) {
  try {
    read(text);
    return "none";
  } catch (const std::invalid_argument& refused) {
    return refused.what();
  }
}

} // namespace

BOOST_AUTO_TEST_SUITE(load_plan_test)

BOOST_AUTO_TEST_CASE(a_chain_goes_one_after_the_other) {
  BOOST_TEST(graph_of({.steps = 3}) == "step1< step2<step1 step3<step2");
  BOOST_TEST(graph_of({.steps = 1}) == "step1<");
}

BOOST_AUTO_TEST_CASE(wide_is_parallel_and_joined) {
  BOOST_TEST(graph_of({.kind = shape_kind::wide, .steps = 4}) == "step1< step2< step3< step4<step1,step2,step3");
}

BOOST_AUTO_TEST_CASE(a_dag_has_layers_of_one_and_two) {
  BOOST_TEST(
    graph_of({.kind = shape_kind::dag, .steps = 7}) ==
    "step1< step2<step1 step3<step1 step4<step2,step3 step5<step4 step6<step4 step7<step5,step6");
}

BOOST_AUTO_TEST_CASE(wait_is_one_long_call_and_a_step) {
  const auto definition =
    nlohmann::json::parse(shape_definition({.kind = shape_kind::wait, .step_time = 5ms, .wait = 2h}));
  BOOST_TEST(definition["steps"].size() == 2u);
  BOOST_TEST(definition["steps"][0]["call"]["simulate"]["time"] == "2h");
  BOOST_TEST(definition["steps"][0]["timeout"] == "40h");
  BOOST_TEST(definition["steps"][1]["call"]["simulate"]["time"] == "5ms");
}

BOOST_AUTO_TEST_CASE(every_shape_is_a_definition_that_the_engine_takes) {
  for (const auto kind : {shape_kind::chain, shape_kind::wide, shape_kind::dag, shape_kind::wait})
    for (const uint32_t steps : {1u, 2u, 5u, 200u})
      for (const char* distribution : {"constant", "uniform", "exponential", "lognormal"}) {
        const auto parsed = parse_definition(shape_definition(
          {.kind = kind,
           .steps = steps,
           .step_time = 10ms,
           .distribution = distribution,
           .fail_rate = 0.5,
           .fail_final_rate = 0.5,
           .external = false,
           .output_bytes = 100}));
        BOOST_TEST(
          parsed.workflow != nullptr, to_string(kind) << (parsed.errors.empty() ? "" : to_string(parsed.errors[0])));
      }
}

BOOST_AUTO_TEST_CASE(equal_options_make_equal_definitions_and_others_another_name) {
  const auto name_of = [](const shape_options& options) {
    return nlohmann::json::parse(shape_definition(options)).at("workflow").get<std::string>();
  };
  BOOST_TEST(shape_definition({}) == shape_definition({}));
  BOOST_TEST(name_of({}) != name_of({.seed = 2}));
  BOOST_TEST(name_of({}) != name_of({.external = false}));
}

BOOST_AUTO_TEST_CASE(json_has_as_many_bytes_as_were_asked_for) {
  BOOST_TEST(json_of_bytes(0) == "{}");
  BOOST_TEST(json_of_bytes(10) == "{}");
  for (const size_t bytes : {11u, 12u, 1000u}) {
    BOOST_TEST(json_of_bytes(bytes).size() == bytes);
    BOOST_TEST(nlohmann::json::accept(json_of_bytes(bytes)));
  }
}

BOOST_AUTO_TEST_CASE(draws_are_the_same_for_the_same_seed) {
  const mix_options options{{3, 1}, {8, 1, 1}, 0.1, 7};
  const load_mix mix(options);
  const load_mix again(options);
  auto other_seed = options;
  other_seed.seed = 8;
  const load_mix other(other_seed);
  int differences = 0;
  for (uint64_t number = 0; number < 1000; ++number) {
    BOOST_TEST((mix.draw(number) == again.draw(number)));
    differences += mix.draw(number) == other.draw(number) ? 0 : 1;
  }
  BOOST_TEST(differences > 100);
}

BOOST_AUTO_TEST_CASE(draws_follow_the_weights) {
  const load_mix mix({{7, 2, 1}, {0, 3, 1}, 0.25, 1});
  std::array<int, 3> tenants{};
  std::array<int, 3> priorities{};
  int repeated = 0;
  constexpr int draws = 20'000;
  for (int number = 0; number < draws; ++number) {
    const auto drawn = mix.draw(static_cast<uint64_t>(number));
    ++tenants[drawn.tenant];
    ++priorities[drawn.priority];
    repeated += drawn.repeated ? 1 : 0;
  }
  // Five standard deviations of the least likely of them.
  constexpr int slack = 350;
  BOOST_TEST(std::abs(tenants[0] - draws * 7 / 10) < slack);
  BOOST_TEST(std::abs(tenants[2] - draws / 10) < slack);
  BOOST_TEST(priorities[0] == 0);
  BOOST_TEST(std::abs(priorities[1] - draws * 3 / 4) < slack);
  BOOST_TEST(std::abs(repeated - draws / 4) < slack);
}

BOOST_AUTO_TEST_CASE(tenants_are_a_number_or_weights) {
  BOOST_TEST(parse_tenant_weights("3") == (std::vector<double>{1, 1, 1}), boost::test_tools::per_element());
  BOOST_TEST(parse_tenant_weights("8,1,0.5") == (std::vector<double>{8, 1, 0.5}), boost::test_tools::per_element());
  BOOST_TEST(parse_tenant_weights("1x10,2x1") == (std::vector<double>{10, 1, 1}), boost::test_tools::per_element());
  for (const char* bad : {"", "0", "-1", "many", "1,", "1,0", "0x1", "1x", "x", "1,nan", "10001", "9999x1,2x1"})
    BOOST_TEST(refusal_of(bad, parse_tenant_weights).starts_with("must be a number of tenants (1 to 10000)"), bad);
}

BOOST_AUTO_TEST_CASE(priorities_are_weights_by_name) {
  BOOST_TEST((parse_priority_weights("normal=8,critical=1") == priority_weights{8, 0, 1}));
  for (const char* bad : {"", "normal", "urgent=1", "normal=", "normal=-1", "normal=1,"})
    BOOST_TEST(refusal_of(bad, parse_priority_weights).starts_with("must be weights by name"), bad);
  BOOST_TEST(refusal_of("normal=0", parse_priority_weights).starts_with("must give one of"));
}

BOOST_AUTO_TEST_CASE(an_open_loop_starts_at_its_rate) {
  const load_pace pace({.rate = 100});
  BOOST_TEST((pace.moment_of(0) == 0us));
  BOOST_TEST((pace.moment_of(150) == 1500ms));
  BOOST_TEST(pace.due(0us) == 1u);
  BOOST_TEST(pace.due(9'999us) == 1u);
  BOOST_TEST(pace.due(10ms) == 2u);
  BOOST_TEST(pace.due(10s) == 1001u);
}

BOOST_AUTO_TEST_CASE(a_rate_grows_evenly_while_it_ramps) {
  const load_pace pace({.rate = 100, .ramp = 10s});
  // Half of what the full rate makes of the same time; a quarter of that in the first half.
  BOOST_TEST((pace.moment_of(125) == 5s));
  BOOST_TEST((pace.moment_of(500) == 10s));
  BOOST_TEST((pace.moment_of(600) == 11s));
  for (uint64_t number = 0; number < 2000; ++number) {
    const auto at = pace.moment_of(number);
    BOOST_TEST(pace.due(at) >= number + 1);
    if (at > 0us)
      BOOST_TEST(pace.due(at - 1us) <= number);
  }
}

BOOST_AUTO_TEST_CASE(a_closed_loop_grows_while_it_ramps) {
  const load_pace pace({.in_flight = 1000, .ramp = 10s});
  BOOST_TEST(pace.in_flight_max(0us) == 1u);
  BOOST_TEST(pace.in_flight_max(5s) == 500u);
  BOOST_TEST(pace.in_flight_max(10s) == 1000u);
  BOOST_TEST(load_pace({.in_flight = 7}).in_flight_max(0us) == 7u);
}

BOOST_AUTO_TEST_SUITE_END()
