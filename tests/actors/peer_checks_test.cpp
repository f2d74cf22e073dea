// What another node sends is taken up to its limits, and beyond them its fault is named.
#include <boost/test/unit_test.hpp>

#include <functional>
#include <limits>

#include "actors/cluster/peer_checks.hpp"
#include "actors/cluster/wire_limits.hpp"
#include "actors/gateway/api_start_request.hpp"
#include "actors/gateway/api_words.hpp"
#include "actors/node_options.hpp"
#include "actors/workflow/parse_definition.hpp"
#include "tests/support/actor_world.hpp"

using namespace levain;

namespace {

/// Far beyond any character limit, in bytes it is exactly four times the characters.
std::string loaves(size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i)
    text += "\xF0\x9F\x8D\x9E";
  return text;
}

std::string letters(size_t count) {
  return std::string(count, 'x');
}

template <class Message>
using change_of = std::function<void(Message&)>;

template <class Message>
void takes(Message x, const change_of<Message>& change) {
  change(x);
  const auto fault = fault_in(x);
  BOOST_TEST(!fault.has_value(), fault.value_or(""));
}

/// `member` begins the sentence, and `why` is in it.
template <class Message>
void refuses(Message x, const change_of<Message>& change, const std::string& member, const std::string& why) {
  change(x);
  const auto fault = fault_in(x);
  BOOST_TEST_REQUIRE(fault.has_value(), member << ": nothing is wrong");
  BOOST_TEST(fault->starts_with(member + ": "), *fault);
  BOOST_TEST(fault->find(why) != std::string::npos, *fault);
}

/// A text of `min` to `max` bytes.
template <class Message>
void check_text(const Message& x, std::string Message::*member, const std::string& name, size_t max, size_t min = 0) {
  takes<Message>(x, [&](Message& y) { y.*member = letters(max); });
  takes<Message>(x, [&](Message& y) { y.*member = letters(min); });
  refuses<Message>(
    x, [&](Message& y) { y.*member = letters(max + 1); }, name, std::to_string(max + 1));
  if (min > 0)
    refuses<Message>(
      x, [&](Message& y) { y.*member = letters(min - 1); }, name, std::to_string(min - 1));
  refuses<Message>(
    x, [&](Message& y) { y.*member = std::string("a\0b", 3); }, name, "without NUL");
  refuses<Message>(
    x, [&](Message& y) { y.*member = "\xff"; }, name, "UTF-8");
}

/// A text of at most so many characters, whatever they have of bytes.
template <class Message>
void check_characters(const Message& x, std::string Message::*member, const std::string& name, size_t max) {
  takes<Message>(x, [&](Message& y) { y.*member = letters(max); });
  takes<Message>(x, [&](Message& y) { y.*member = loaves(max); });
  refuses<Message>(
    x, [&](Message& y) { y.*member = letters(max + 1); }, name, std::to_string(max + 1));
  refuses<Message>(
    x, [&](Message& y) { y.*member = loaves(max + 1); }, name, std::to_string(4 * max + 4));
  refuses<Message>(
    x, [&](Message& y) { y.*member = std::string(1, '\0'); }, name, "without NUL");
  refuses<Message>(
    x, [&](Message& y) { y.*member = "\xff"; }, name, "UTF-8");
}

template <class Message>
void check_word(
  const Message& x, std::string Message::*member, const std::string& name, const std::vector<std::string>& words) {
  for (const auto& each : words)
    takes<Message>(x, [&](Message& y) { y.*member = each; });
  for (const auto* each : {"", "Normal", "manual ", "nonsense"})
    refuses<Message>(
      x, [&](Message& y) { y.*member = each; }, name, std::string("'") + each + "'");
  // It is repeated, but not without end.
  Message y = x;
  y.*member = letters(100'000);
  BOOST_TEST(fault_in(y).value_or("").size() < 200u);
}

wire_change some_change() {
  return {{}, {}, wire_wish::cancel, "ann", "burnt"};
}

wire_start some_start() {
  return {{}, "two_steps", 1, "manual", "normal", "ann", "{}", "{}", "k"};
}

wire_explained some_explained() {
  return {true, 0, "it waits", {{"timer", "one", "it is tried again", 1, 2, "2nd"}}};
}

} // namespace

BOOST_AUTO_TEST_SUITE(peer_checks_test)

BOOST_AUTO_TEST_CASE(a_hello_names_the_node_its_gate_and_what_it_speaks) {
  levain::test::actor_world world;
  const node_hello good{{}, "oven", "127.0.0.1:7400", 1, 1, caf::actor_cast<caf::actor>(world.dispatch)};
  takes<node_hello>(good, [](auto&) {});
  check_text(good, &node_hello::name, "name", 100, 1);
  for (const auto* each : {"[::1]:1", "oven:65535"})
    takes<node_hello>(good, [&](auto& x) { x.cluster_address = each; });
  for (const auto* each : {"", "oven", "oven:", ":1", "oven:0", "oven:65536", "::1:1", "oven:1 "})
    refuses<node_hello>(
      good, [&](auto& x) { x.cluster_address = each; }, "cluster_address", "must be HOST:PORT");
  refuses<node_hello>(
    good, [](auto& x) { x.cluster_address = letters(299) + ":1"; }, "cluster_address", "0 to 300 bytes long, not 301");
  takes<node_hello>(good, [](auto& x) { x.protocol_max = std::numeric_limits<uint32_t>::max(); });
  refuses<node_hello>(
    good, [](auto& x) { x.protocol_min = 3; }, "protocol_min", "at most protocol_max (1), not 3");
  refuses<node_hello>(
    good, [](auto& x) { x.gate = nullptr; }, "gate", "is missing");
}

BOOST_AUTO_TEST_CASE(a_welcome_is_in_a_protocol_that_this_program_speaks) {
  const node_welcome good{{}, "oven", wire_protocol_max};
  takes<node_welcome>(good, [](auto&) {});
  check_text(good, &node_welcome::name, "name", 100, 1);
  takes<node_welcome>(good, [](auto& x) { x.protocol = wire_protocol_min; });
  refuses<node_welcome>(
    good, [](auto& x) { x.protocol = wire_protocol_min - 1; }, "protocol", "not 0");
  refuses<node_welcome>(
    good, [](auto& x) { x.protocol = wire_protocol_max + 1; }, "protocol", "must be");
}

BOOST_AUTO_TEST_CASE(a_wish_is_one_of_six_and_somebodys) {
  const auto good = some_change();
  for (const auto each :
       {wire_wish::cancel, wire_wish::pause, wire_wish::resume, wire_wish::retry, wire_wish::terminate,
        wire_wish::resolve})
    takes<wire_change>(good, [&](auto& x) { x.asked = each; });
  for (const int each : {6, 255})
    refuses<wire_change>(
      good, [&](auto& x) { x.asked = static_cast<wire_wish>(each); }, "asked", "not " + std::to_string(each));
  check_characters(good, &wire_change::by, "by", wish_by_characters_max);
  refuses<wire_change>(
    good, [](auto& x) { x.by.clear(); }, "by", "must not be empty");
  check_characters(good, &wire_change::reason, "reason", wish_reason_characters_max);
  takes<wire_change>(good, [](auto& x) { x.reason.clear(); });
}

BOOST_AUTO_TEST_CASE(what_became_of_a_wish_is_a_reason_and_a_sentence) {
  const wire_changed good{false, 0, "because"};
  const auto last = static_cast<uint8_t>(wish_refused::reason_type::elsewhere);
  takes<wire_changed>(good, [&](auto& x) { x.refusal = last; });
  refuses<wire_changed>(
    good, [&](auto& x) { x.refusal = last + 1; }, "refusal", std::to_string(last + 1));
  check_text(good, &wire_changed::message, "message", wire_sentence_bytes_max);
}

BOOST_AUTO_TEST_CASE(any_run_may_be_asked_about) {
  takes<wire_explain>({}, [](auto&) {});
}

BOOST_AUTO_TEST_CASE(an_explanation_has_so_many_waits_of_so_many_bytes) {
  const auto good = some_explained();
  takes<wire_explained>(good, [](auto&) {});
  const auto last = static_cast<uint8_t>(wish_refused::reason_type::elsewhere);
  refuses<wire_explained>(
    good, [&](auto& x) { x.refusal = last + 1; }, "refusal", std::to_string(last + 1));
  check_text(good, &wire_explained::message, "message", wire_sentence_bytes_max);
  takes<wire_explained>(good, [](auto& x) { x.waits.resize(wire_waits_max, x.waits.front()); });
  refuses<wire_explained>(
    good, [](auto& x) { x.waits.resize(wire_waits_max + 1, x.waits.front()); }, "waits", "not 10001");
  const auto text = [&](std::string wire_wait::*member, const std::string& name, size_t max, size_t min = 0) {
    const auto set = [&](const std::string& value) {
      return [&, value](wire_explained& x) { x.waits.front().*member = value; };
    };
    takes<wire_explained>(good, set(letters(max)));
    takes<wire_explained>(good, set(letters(min)));
    refuses<wire_explained>(good, set(letters(max + 1)), name, std::to_string(max + 1));
    if (min > 0)
      refuses<wire_explained>(good, set(letters(min - 1)), name, std::to_string(min - 1));
    refuses<wire_explained>(good, set("\xff"), name, "UTF-8");
  };
  text(&wire_wait::kind, "kind", 100, 1);
  text(&wire_wait::step, "step", definition_name_bytes_max);
  text(&wire_wait::text, "text", wire_sentence_bytes_max);
  text(&wire_wait::place, "place", wire_sentence_bytes_max);
  text(&wire_wait::progress, "progress", wire_progress_bytes_max);
  const int64_t last_moment = 253'402'300'799'000'000;
  for (auto member : {&wire_wait::since, &wire_wait::until}) {
    const std::string name = member == &wire_wait::since ? "since" : "until";
    takes<wire_explained>(good, [&](auto& x) { x.waits.front().*member = 0; });
    takes<wire_explained>(good, [&](auto& x) { x.waits.front().*member = last_moment; });
    refuses<wire_explained>(
      good, [&](auto& x) { x.waits.front().*member = -1; }, name, "not -1");
    refuses<wire_explained>(
      good, [&](auto& x) { x.waits.front().*member = last_moment + 1; }, name, "must be");
  }
  // The last of many is looked at as well.
  refuses<wire_explained>(
    good,
    [](auto& x) {
      x.waits.resize(3, x.waits.front());
      x.waits.back().kind.clear();
    },
    "kind", "not 0");
}

BOOST_AUTO_TEST_CASE(a_start_is_what_the_interface_would_have_taken) {
  const auto good = some_start();
  takes<wire_start>(good, [](auto&) {});
  check_text(good, &wire_start::workflow, "workflow", definition_name_bytes_max, 1);
  takes<wire_start>(good, [](auto& x) { x.version = std::numeric_limits<int32_t>::max(); });
  refuses<wire_start>(
    good, [](auto& x) { x.version = 0; }, "version", "not 0");
  takes<wire_start>(good, [](auto& x) { x.version = -1; });
  refuses<wire_start>(
    good, [](auto& x) { x.version = std::numeric_limits<int32_t>::min(); }, "version", "not -2147483648");
  check_word(good, &wire_start::run_type, "run_type", {"scheduled", "manual", "test"});
  check_word(good, &wire_start::priority, "priority", {"normal", "high", "critical"});
  check_characters(good, &wire_start::triggered_by, "triggered_by", triggered_by_characters_max);
  check_text(good, &wire_start::input, "input", input_bytes_max, 1);
  check_text(good, &wire_start::metadata, "metadata", input_bytes_max);
  check_text(good, &wire_start::idempotency_key, "idempotency_key", idempotency_key_bytes_max);
}

BOOST_AUTO_TEST_CASE(what_became_of_a_start_is_a_number_or_a_reason) {
  const wire_started good{true, {}, "ORCH-20261123-00000001", false, 0, "because", 0};
  check_text(good, &wire_started::run_number, "run_number", 32);
  check_text(good, &wire_started::message, "message", wire_sentence_bytes_max);
  const auto last = static_cast<uint8_t>(start_refused::reason_type::rejected);
  takes<wire_started>(good, [&](auto& x) { x.refusal = last; });
  refuses<wire_started>(
    good, [&](auto& x) { x.refusal = last + 1; }, "refusal", std::to_string(last + 1));
  constexpr int64_t day = 24 * 60 * 60 * 1000;
  takes<wire_started>(good, [](auto& x) { x.retry_after = day; });
  refuses<wire_started>(
    good, [](auto& x) { x.retry_after = day + 1; }, "retry_after", std::to_string(day + 1));
  refuses<wire_started>(
    good, [](auto& x) { x.retry_after = -1; }, "retry_after", "not -1");
}

BOOST_AUTO_TEST_CASE(two_programs_speak_the_newest_protocol_that_both_know) {
  BOOST_TEST((protocol_of_both(wire_protocol_min, wire_protocol_max) == wire_protocol_max));
  BOOST_TEST((protocol_of_both(0, wire_protocol_min) == wire_protocol_min));
  BOOST_TEST((protocol_of_both(wire_protocol_max, wire_protocol_max + 5) == wire_protocol_max));
  BOOST_TEST(!protocol_of_both(wire_protocol_max + 1, wire_protocol_max + 5).has_value());
  BOOST_TEST(!protocol_of_both(0, wire_protocol_min - 1).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
