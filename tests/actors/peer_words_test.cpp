// Everything that crosses the wire between nodes comes out as it went in.
#include <boost/test/unit_test.hpp>

#include "actors/cluster/peer_checks.hpp"
#include "actors/cluster/peer_words.hpp"
#include "actors/cluster/wire_limits.hpp"
#include "tests/support/shared_world.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

const run_id some_run{*uuid::parse("01900000-0000-7000-8000-000000000001")};
const tenant_id some_tenant{*uuid::parse("7e000000-0000-4000-8000-000000000002")};

/// What no program of ours sends is cut off, so nothing that is made here may be that.
template <class Wire>
const Wire& sound(const Wire& x) {
  const auto fault = fault_in(x);
  BOOST_TEST(!fault.has_value(), fault.value_or(""));
  return x;
}

start_request full_request() {
  start_request x;
  x.tenant = some_tenant;
  x.workflow = two_steps();
  x.run_type = "scheduled";
  x.priority = "critical";
  x.triggered_by = "ann";
  x.input = R"({"n":1})";
  x.metadata = R"({"oven":"left"})";
  x.idempotency_key = "k-1";
  return x;
}

void check_same(const start_request& one, const start_request& other) {
  BOOST_TEST((one.tenant == other.tenant));
  BOOST_TEST(one.run_type == other.run_type);
  BOOST_TEST(one.priority == other.priority);
  BOOST_TEST((one.triggered_by == other.triggered_by));
  BOOST_TEST(one.input == other.input);
  BOOST_TEST((one.metadata == other.metadata));
  BOOST_TEST((one.idempotency_key == other.idempotency_key));
}

} // namespace

BOOST_AUTO_TEST_SUITE(peer_words_test)

BOOST_AUTO_TEST_CASE(every_wish_survives_the_wire) {
  const std::vector<wish> all{
    cancel_asked{"ann", "burnt"},
    pause_asked{"bob"},
    resume_asked{"cid"},
    retry_asked{"dan"},
    terminate_asked{"eve", "fire"},
    resolve_asked{"fay", "refunded"}};
  for (const auto& each : all) {
    const auto sent = to_wire(some_run, some_tenant, each);
    sound(sent);
    BOOST_TEST((sent.run == some_run.value && sent.tenant == some_tenant.value));
    const auto back = wish_of(sent);
    BOOST_TEST(back.index() == each.index());
    std::visit(
      [&](const auto& x) {
        const auto& same = std::get<std::remove_cvref_t<decltype(x)>>(back);
        BOOST_TEST(same.by == x.by);
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(x)>, cancel_asked>)
          BOOST_TEST(same.reason == x.reason);
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(x)>, terminate_asked>)
          BOOST_TEST(same.reason == x.reason);
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(x)>, resolve_asked>)
          BOOST_TEST(same.note == x.note);
      },
      each);
  }
}

BOOST_AUTO_TEST_CASE(what_became_of_a_wish_survives_the_wire) {
  BOOST_TEST(std::holds_alternative<wish_granted>(outcome_of(sound(to_wire(wish_outcome(wish_granted{}))))));
  using reason = wish_refused::reason_type;
  for (const auto each :
       {reason::not_found, reason::conflict, reason::unavailable, reason::rejected, reason::elsewhere}) {
    const auto back = outcome_of(sound(to_wire(wish_outcome(wish_refused{each, "because"}))));
    BOOST_TEST_REQUIRE(std::holds_alternative<wish_refused>(back));
    BOOST_TEST((std::get<wish_refused>(back).reason == each));
    BOOST_TEST(std::get<wish_refused>(back).message == "because");
  }
}

BOOST_AUTO_TEST_CASE(an_explanation_survives_the_wire) {
  const timestamp at = *parse_timestamp("2026-11-23T04:00:00.123456Z");
  explanation said{"the run waits", {}};
  said.waits.push_back({"timer", "one", "it is tried again", at, at + 5s, "2nd", "half of it"});
  said.waits.push_back({"call", "two", "it is out", std::nullopt, std::nullopt});
  const auto back = outcome_of(sound(to_wire(explain_outcome(said))));
  BOOST_TEST_REQUIRE(std::holds_alternative<explanation>(back));
  const auto& told = std::get<explanation>(back);
  BOOST_TEST(told.summary == said.summary);
  BOOST_TEST_REQUIRE(told.waits.size() == 2u);
  for (size_t i = 0; i < 2; ++i) {
    BOOST_TEST(told.waits[i].kind == said.waits[i].kind);
    BOOST_TEST(told.waits[i].step == said.waits[i].step);
    BOOST_TEST(told.waits[i].text == said.waits[i].text);
    BOOST_TEST((told.waits[i].since == said.waits[i].since));
    BOOST_TEST((told.waits[i].until == said.waits[i].until));
    BOOST_TEST(told.waits[i].place == said.waits[i].place);
    BOOST_TEST(told.waits[i].progress == said.waits[i].progress);
  }
}

BOOST_AUTO_TEST_CASE(the_words_of_strangers_cut_no_node_off) {
  for (const auto& words : {std::string("a\0b", 3), std::string("\xff\xfe"), std::string(1'000'000, 'x')}) {
    sound(to_wire(wish_outcome(wish_refused{wish_refused::reason_type::rejected, words})));
    sound(to_wire(start_outcome(start_refused{start_refused::reason_type::rejected, words, std::nullopt})));
    sound(to_wire(explain_outcome(wish_refused{wish_refused::reason_type::unavailable, words})));
    explanation said{words, {{"timer", "one", words, std::nullopt, std::nullopt, words}}};
    sound(to_wire(explain_outcome(said)));
  }
}

BOOST_AUTO_TEST_CASE(a_run_that_is_not_explained_survives_the_wire) {
  const auto back =
    outcome_of(sound(to_wire(explain_outcome(wish_refused{wish_refused::reason_type::not_found, "no such run"}))));
  BOOST_TEST_REQUIRE(std::holds_alternative<wish_refused>(back));
  BOOST_TEST((std::get<wish_refused>(back).reason == wish_refused::reason_type::not_found));
  BOOST_TEST(std::get<wish_refused>(back).message == "no such run");
}

BOOST_AUTO_TEST_CASE(a_start_survives_the_wire) {
  const auto asked = full_request();
  const auto sent = to_wire(asked, wire_protocol_max);
  sound(sent);
  BOOST_TEST(sent.workflow == "two_steps");
  BOOST_TEST(sent.version == 1);
  check_same(request_of(sent), asked);
}

BOOST_AUTO_TEST_CASE(a_start_that_says_as_little_as_it_may_survives_the_wire) {
  start_request asked;
  asked.tenant = some_tenant;
  asked.workflow = two_steps();
  const auto sent = to_wire(asked, wire_protocol_max);
  check_same(request_of(sound(sent)), asked);
}

BOOST_AUTO_TEST_CASE(whether_a_version_was_named_survives_the_wire) {
  auto asked = full_request();
  for (const bool named : {true, false}) {
    asked.version_named = named;
    BOOST_TEST(request_of(sound(to_wire(asked, wire_protocol_max))).version_named == named);
    // Older nodes know no open versions.
    BOOST_TEST(to_wire(asked, wire_protocol_open_versions - 1).version == 1);
  }
}

BOOST_AUTO_TEST_CASE(what_became_of_a_start_survives_the_wire) {
  for (const bool repeated : {false, true}) {
    const auto back =
      outcome_of(sound(to_wire(start_outcome(start_acknowledged{some_run, "ORCH-20261123-00000001", repeated}))));
    BOOST_TEST_REQUIRE(std::holds_alternative<start_acknowledged>(back));
    const auto& started = std::get<start_acknowledged>(back);
    BOOST_TEST((started.run == some_run));
    BOOST_TEST(started.run_number == "ORCH-20261123-00000001");
    BOOST_TEST(started.repeated == repeated);
  }
}

BOOST_AUTO_TEST_CASE(a_refused_start_survives_the_wire) {
  using reason = start_refused::reason_type;
  for (const auto each : {reason::busy, reason::not_ready, reason::key_conflict, reason::rejected})
    for (const auto& wait : {std::optional<std::chrono::milliseconds>(), std::optional(250ms)})
      for (const bool doubt : {false, true}) {
        const auto back = outcome_of(sound(to_wire(start_outcome(start_refused{each, "because", wait, doubt}))));
        BOOST_TEST_REQUIRE(std::holds_alternative<start_refused>(back));
        const auto& refused = std::get<start_refused>(back);
        BOOST_TEST((refused.reason == each));
        BOOST_TEST(refused.message == "because");
        BOOST_TEST((refused.retry_after == wait));
        BOOST_TEST(refused.may_have_started == doubt);
      }
}

BOOST_AUTO_TEST_SUITE_END()
