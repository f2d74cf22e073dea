#include "actors/gateway/api_start_request.hpp"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include "actors/gateway/api_words.hpp"
#include "actors/node_options.hpp"

using namespace levain;

namespace {

const tenant_id tenant{*uuid::parse("11111111-1111-4111-8111-111111111111")};

/// The only start of a body that is right.
wanted_start read_one(std::string_view body, const std::optional<std::string>& key = std::nullopt) {
  auto parsed = parse_starts(body, tenant, key);
  if (const auto* problem = std::get_if<api_problem>(&parsed))
    BOOST_FAIL(problem->detail);
  return std::get<wanted_start>(std::get<parsed_starts>(parsed).starts.at(0));
}

/// What is wrong with a body: `field: message` of the first error.
std::string fault_of(std::string_view body, const std::optional<std::string>& key = std::nullopt) {
  auto parsed = parse_starts(body, tenant, key);
  if (const auto* problem = std::get_if<api_problem>(&parsed))
    return fmt::format("{} {}", problem->status, problem->detail);
  for (const auto& each : std::get<parsed_starts>(parsed).starts)
    if (const auto* errors = std::get_if<std::vector<field_error>>(&each))
      return to_string(errors->front());
  return "nothing";
}

std::string fault_of_wish(std::string_view asked, std::string_view body) {
  auto parsed = parse_wish(asked, body);
  const auto* problem = std::get_if<api_problem>(&parsed);
  return problem ? fmt::format("{} {}", problem->status, problem->detail) : "nothing";
}

std::string object_with(const std::string& member) {
  return R"({"workflow": "w", )" + member + "}";
}

} // namespace

BOOST_AUTO_TEST_SUITE(api_start_request_test)

BOOST_AUTO_TEST_CASE(a_workflow_alone_is_a_manual_normal_start_of_the_newest_version) {
  const auto wanted = read_one(R"({"workflow": "daily_bakery"})");
  BOOST_TEST(wanted.workflow == "daily_bakery");
  BOOST_TEST(!wanted.version);
  BOOST_TEST(wanted.request.run_type == "manual");
  BOOST_TEST(wanted.request.priority == "normal");
  BOOST_TEST(wanted.request.input == "{}");
  BOOST_TEST(!wanted.request.metadata);
  BOOST_TEST(!wanted.request.triggered_by);
  BOOST_TEST(!wanted.request.idempotency_key);
  BOOST_TEST((wanted.request.tenant == tenant));
}

BOOST_AUTO_TEST_CASE(every_member_is_taken) {
  const auto wanted = read_one(R"({"workflow": "w", "version": 2, "input": {"date": "2026-11-24"}, "run_type": "test",
    "priority": "critical", "triggered_by": "cron", "metadata": {"a": [1]}, "idempotency_key": "k"})");
  BOOST_TEST(wanted.version.value() == 2);
  BOOST_TEST(wanted.request.input == R"({"date":"2026-11-24"})");
  BOOST_TEST(wanted.request.run_type == "test");
  BOOST_TEST(wanted.request.priority == "critical");
  BOOST_TEST(wanted.request.triggered_by.value() == "cron");
  BOOST_TEST(wanted.request.metadata.value() == R"({"a":[1]})");
  BOOST_TEST(wanted.request.idempotency_key.value() == "k");
}

BOOST_AUTO_TEST_CASE(an_input_may_be_any_json) {
  BOOST_TEST(read_one(object_with(R"("input": [1, null])")).request.input == "[1,null]");
  BOOST_TEST(read_one(object_with(R"("input": "text")")).request.input == R"("text")");
}

BOOST_AUTO_TEST_CASE(a_list_keeps_its_order_and_its_faults_apart) {
  auto parsed = parse_starts(R"([{"workflow": "a"}, {"workflow": 7}, {"workflow": "c"}])", tenant, std::nullopt);
  const auto& starts = std::get<parsed_starts>(parsed);
  BOOST_TEST(starts.is_list);
  BOOST_TEST_REQUIRE(starts.starts.size() == 3U);
  BOOST_TEST(std::get<wanted_start>(starts.starts[0]).workflow == "a");
  const auto& errors = std::get<std::vector<field_error>>(starts.starts[1]);
  BOOST_TEST(to_string(errors.front()) == "[1].workflow: must be a text, not 7");
  BOOST_TEST(std::get<wanted_start>(starts.starts[2]).workflow == "c");
}

BOOST_AUTO_TEST_CASE(a_list_may_ask_to_be_taken_whole) {
  auto parsed = parse_starts(R"({"all": true, "starts": [{"workflow": "a"}, {"workflow": 7}]})", tenant, std::nullopt);
  const auto& starts = std::get<parsed_starts>(parsed);
  BOOST_TEST(starts.is_list);
  BOOST_TEST(starts.all);
  BOOST_TEST_REQUIRE(starts.starts.size() == 2U);
  const auto& errors = std::get<std::vector<field_error>>(starts.starts[1]);
  BOOST_TEST(to_string(errors.front()) == "starts[1].workflow: must be a text, not 7");
  BOOST_TEST(!std::get<parsed_starts>(parse_starts(R"({"starts": [{"workflow": "a"}]})", tenant, std::nullopt)).all);
  const std::pair<const char*, const char*> refused[] = {
    {R"({"starts": {}})", "starts: must be a list of starts"},
    {R"({"starts": []})", "starts: the list must hold 1 to 1000 starts, not 0"},
    {R"({"starts": [{"workflow": "a"}], "all": 1})", "all: must be true or false, not 1"},
    {R"({"starts": [{"workflow": "a"}], "workflow": "a"})", "workflow"},
  };
  for (const auto& [body, words] : refused) {
    const auto answer = parse_starts(body, tenant, std::nullopt);
    BOOST_TEST_REQUIRE(std::holds_alternative<api_problem>(answer), body);
    BOOST_TEST(std::get<api_problem>(answer).status == 422);
    BOOST_TEST(
      std::get<api_problem>(answer).detail.find(words) != std::string::npos, std::get<api_problem>(answer).detail);
  }
  const auto with_key = parse_starts(R"({"starts": [{"workflow": "a"}]})", tenant, "monday");
  BOOST_TEST(std::holds_alternative<api_problem>(with_key));
}

BOOST_AUTO_TEST_CASE(all_that_is_wrong_with_a_start_is_said) {
  auto parsed = parse_starts(R"({"priority": "urgent", "metadata": 1})", tenant, std::nullopt);
  const auto& errors = std::get<std::vector<field_error>>(std::get<parsed_starts>(parsed).starts.front());
  BOOST_TEST(errors.size() == 3U);
}

BOOST_AUTO_TEST_CASE(bad_members_are_named_with_what_would_have_been_right) {
  const std::pair<std::string, std::string> cases[] = {
    {R"({})", R"(workflow: is missing; it must be a text such as "daily_bakery")"},
    {R"({"workflow": ""})", "workflow: must not be empty"},
    {R"({"workflow": ")" + std::string(101, 'w') + R"("})", "workflow: must be at most 100 characters long, not 101"},
    {object_with(R"("priorty": "high")"), "priorty: is not known here; did you mean 'priority'?"},
    {object_with(R"("zebra": 1)"),
     "zebra: is not known here; known are workflow, version, input, run_type, priority, triggered_by, metadata or "
     "idempotency_key"},
    {object_with(R"("version": 0)"), "version: must be a whole number from 1 to 2147483647, not 0"},
    {object_with(R"("version": 99999999999)"), "version: must be a whole number from 1 to 2147483647, not 99999999999"},
    {object_with(R"("version": 18446744073709551615)"),
     "version: must be a whole number from 1 to 2147483647, not 18446744073709551615"},
    {object_with(R"("version": "1")"), R"(version: must be a whole number from 1 to 2147483647, not "1")"},
    {object_with(R"("run_type": "daily")"), R"(run_type: must be scheduled, manual or test, not "daily")"},
    {object_with(R"("priority": "urgent")"), R"(priority: must be normal, high or critical, not "urgent")"},
    {object_with(R"("priority": null)"), "priority: must be normal, high or critical, not null"},
    {object_with(R"("triggered_by": ")" + std::string(101, 'x') + '"'),
     "triggered_by: must be at most 100 characters long, not 101"},
    {object_with(R"("metadata": [1])"), "metadata: must be an object, not a list"},
    {object_with(R"("idempotency_key": "")"),
     "idempotency_key: must not be empty; leave it out for a start without a key"},
    {object_with(R"("idempotency_key": ")" + std::string(256, 'k') + '"'),
     "idempotency_key: must be at most 255 bytes long, not 256"},
    {object_with(R"("idempotency_key": 5)"), "idempotency_key: must be a text, not 5"},
    {R"([{"workflow": "w"}, 7])", R"([1]: must be an object such as {"workflow": "daily_bakery"}, not 7)"},
    {R"([{"workflow": "w"}, {"workflow": "w", "priority": "urgent"}])",
     R"([1].priority: must be normal, high or critical, not "urgent")"},
  };
  for (const auto& [body, fault] : cases)
    BOOST_TEST(fault_of(body) == fault);
}

BOOST_AUTO_TEST_CASE(lengths_at_their_limits_are_taken) {
  BOOST_TEST(fault_of(object_with(R"("idempotency_key": ")" + std::string(255, 'k') + '"')) == "nothing");
  // A hundred characters of two bytes each.
  std::string letters;
  for (int i = 0; i < 100; ++i)
    letters += "é";
  BOOST_TEST(fault_of(object_with(R"("triggered_by": ")" + letters + '"')) == "nothing");
}

BOOST_AUTO_TEST_CASE(an_input_over_its_limit_is_refused) {
  const auto body = object_with(R"("input": ")" + std::string(input_bytes_max - 1, 'x') + '"');
  BOOST_TEST(fault_of(body) == "input: must be at most 1048576 bytes of JSON, not 1048577");
}

BOOST_AUTO_TEST_CASE(bodies_that_are_no_starts_are_refused_whole) {
  BOOST_TEST(fault_of("").starts_with("400 must be JSON"));
  BOOST_TEST(fault_of("{").starts_with("400 must be JSON"));
  BOOST_TEST(fault_of("[]") == "422 the list must hold 1 to 1000 starts, not 0");
  BOOST_TEST(fault_of("7") == R"(must be an object such as {"workflow": "daily_bakery"}, not 7)");
  BOOST_TEST(fault_of(R"({"workflow": "w", "workflow": "v"})").starts_with("400 workflow: is there twice"));
  BOOST_TEST(fault_of(object_with(R"("input": "a\u0000b")")).find("NUL") != std::string::npos);
  BOOST_TEST(fault_of(object_with("\"input\": \"\xff\"")).find("UTF-8") != std::string::npos);
  const auto deep = object_with("\"input\": " + std::string(64, '[') + std::string(64, ']'));
  BOOST_TEST(fault_of(deep).find("deeper than 64") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_list_holds_at_most_a_thousand_starts) {
  std::string list = "[";
  for (size_t i = 0; i <= start_list_max; ++i)
    list += (i ? "," : "") + std::string(R"({"workflow": "w"})");
  BOOST_TEST(fault_of(list + "]") == "422 the list must hold 1 to 1000 starts, not more");
  BOOST_TEST(fault_of(list.substr(0, list.rfind(',')) + "]") == "nothing");
}

BOOST_AUTO_TEST_CASE(the_header_key_is_for_one_start_and_agrees_with_the_body) {
  BOOST_TEST(read_one(R"({"workflow": "w"})", "k1").request.idempotency_key.value() == "k1");
  BOOST_TEST(read_one(object_with(R"("idempotency_key": "k1")"), "k1").request.idempotency_key.value() == "k1");
  BOOST_TEST(fault_of(object_with(R"("idempotency_key": "k2")"), "k1").starts_with("400 Idempotency-Key: differs"));
  BOOST_TEST(fault_of(R"([{"workflow": "w"}])", "k1").starts_with("400 Idempotency-Key: is for a single start"));
  BOOST_TEST(fault_of(R"({"workflow": "w"})", "").starts_with("400 Idempotency-Key: must not be empty"));
  BOOST_TEST(fault_of(R"({"workflow": "w"})", "\xff") == "400 Idempotency-Key: must be UTF-8");
}

BOOST_AUTO_TEST_CASE(a_wish_says_who_and_a_cancellation_may_say_why) {
  const auto parsed = parse_wish("cancel", R"({"by": "anna", "reason": "oven broken"})");
  const auto& cancel = std::get<cancel_asked>(std::get<wish>(parsed));
  BOOST_TEST(cancel.by == "anna");
  BOOST_TEST(cancel.reason == "oven broken");
  BOOST_TEST(std::get<pause_asked>(std::get<wish>(parse_wish("pause", R"({"by": "a"})"))).by == "a");
  BOOST_TEST(std::get<resume_asked>(std::get<wish>(parse_wish("resume", R"({"by": "b"})"))).by == "b");
  BOOST_TEST(std::get<retry_asked>(std::get<wish>(parse_wish("retry", R"({"by": "c"})"))).by == "c");
}

BOOST_AUTO_TEST_CASE(a_wish_that_names_nobody_is_anonymous) {
  for (const std::string_view body : {"", "{}"}) {
    BOOST_TEST(std::get<pause_asked>(std::get<wish>(parse_wish("pause", body))).by == "anonymous");
    BOOST_TEST(std::get<cancel_asked>(std::get<wish>(parse_wish("cancel", body))).by == "anonymous");
  }
}

BOOST_AUTO_TEST_CASE(the_errors_of_a_request_are_bounded) {
  std::string members;
  for (int i = 0; i < 200'000; ++i)
    members += fmt::format("\"m{}\":0,", i);
  auto one = parse_starts("{" + members + R"("workflow": "w"})", tenant, std::nullopt);
  const auto& errors = std::get<std::vector<field_error>>(std::get<parsed_starts>(one).starts.front());
  BOOST_TEST(errors.size() == request_errors_max + 1);
  BOOST_TEST(to_string(errors.back()).ends_with("and 199900 more errors"));

  // The starts of a list share the room, and each says at least one thing that is wrong with it.
  std::string list = "[";
  for (size_t i = 0; i < start_list_max; ++i)
    list += std::string(i ? "," : "") + R"({"workflow": 1, "a": 1, "b": 2})";
  auto many = parse_starts(list + "]", tenant, std::nullopt);
  size_t count = 0;
  for (const auto& each : std::get<parsed_starts>(many).starts) {
    const auto& found = std::get<std::vector<field_error>>(each);
    BOOST_TEST_REQUIRE(!found.front().field.empty());
    count += found.size();
  }
  BOOST_TEST(count <= request_errors_max + 2 * start_list_max);
}

BOOST_AUTO_TEST_CASE(a_list_of_millions_is_refused_at_its_first_elements) {
  // What comes after is not even looked at: it is no JSON.
  std::string list = "[";
  for (size_t i = 0; i <= start_list_max; ++i)
    list += R"({"workflow": "a,\",", "input": [1, 2]},)";
  BOOST_TEST(fault_of(list + "what is this") == "422 the list must hold 1 to 1000 starts, not more");
}

BOOST_AUTO_TEST_CASE(a_termination_may_say_why_and_a_resolution_has_a_note) {
  const auto terminate =
    std::get<terminate_asked>(std::get<wish>(parse_wish("terminate", R"({"by": "anna", "reason": "fire"})")));
  BOOST_TEST(terminate.by == "anna");
  BOOST_TEST(terminate.reason == "fire");
  const auto resolve =
    std::get<resolve_asked>(std::get<wish>(parse_wish("resolve", R"({"by": "anna", "note": "refunded"})")));
  BOOST_TEST(resolve.by == "anna");
  BOOST_TEST(resolve.note == "refunded");
  BOOST_TEST(fault_of_wish("resolve", R"({"by": "anna"})").starts_with("422 note: is missing"));
  BOOST_TEST(fault_of_wish("resolve", R"({"by": "anna", "reason": "x"})").starts_with("422 "));
}

BOOST_AUTO_TEST_CASE(bad_wishes_are_refused_by_name) {
  BOOST_TEST(fault_of_wish("cancel", R"({"by": null})") == "422 by: must be a text, not null");
  BOOST_TEST(
    fault_of_wish("pause", R"({"by": "a", "reason": "b"})") ==
    R"(422 reason: is only for a cancellation; to pause takes "by" alone)");
  BOOST_TEST(
    fault_of_wish("cancel", R"({"by": "a", "why": "b"})") == "422 why: is not known here; known are by or reason");
  BOOST_TEST(fault_of_wish("cancel", R"("a")") == R"(422 must be an object such as {"by": "anna"}, not "a")");
  BOOST_TEST(
    fault_of_wish("retry", R"({"by": ")" + std::string(101, 'x') + R"("})") ==
    "422 by: must be at most 100 characters long, not 101");
}

BOOST_AUTO_TEST_SUITE_END()
