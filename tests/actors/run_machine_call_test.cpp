// Calls made ready: templates, bodies, keys.
#include <boost/test/unit_test.hpp>

#include <nlohmann/json.hpp>

#include "actors/run_machine/call_template.hpp"
#include "actors/run_machine/prepare_call.hpp"
#include "tests/support/fed_run.hpp"
#include "tests/support/workflow_builder.hpp"

using namespace std::chrono_literals;

namespace levain::test {

namespace {

using nlohmann::json;

std::string fault_of(std::string_view text) {
  auto cut = parse_template(text);
  auto* fault = std::get_if<template_error>(&cut);
  return fault ? std::to_string(fault->position) + ": " + fault->message : "";
}

/// A run of one step `a` that answered, and a step `b` whose url is being tried.
fed_run run_with_url(std::string url, std::string output, std::map<std::string, std::string> headers = {}) {
  fed_run run(workflow_builder()
                .step("a")
                .compensate({.call = http_call{"DELETE", "http://x/{results.a.id}", {}}, .timeout = 7s})
                .step("b")
                .needs({"a"})
                .call(http_call{"POST", std::move(url), std::move(headers)})
                .step("c")
                .build());
  run.succeed("a", std::move(output));
  run.succeed("c", R"({"unseen":true})");
  return run;
}

std::string url_of(const std::string& url, const std::string& output, const call_variables& variables = {}) {
  auto run = run_with_url(url, output);
  auto prepared = prepare_call(run.state, 1, false, variables);
  if (auto* failure = std::get_if<call_failure>(&prepared)) {
    BOOST_TEST((failure->kind == call_failure::kind_type::final));
    return failure->message;
  }
  return std::get<http_call>(std::get<call_request>(prepared).call).url;
}

} // namespace

BOOST_AUTO_TEST_SUITE(run_machine_call_test)

BOOST_AUTO_TEST_CASE(a_template_is_cut_into_pieces) {
  auto pieces = std::get<call_template>(parse_template("${base_url}/s/{results.a.id}?q={{x}}&p=$5"));
  BOOST_TEST(pieces.size() == 4u);
  BOOST_TEST(pieces[0].text == "base_url");
  BOOST_TEST((pieces[0].kind == template_piece::kind_type::variable));
  BOOST_TEST(pieces[1].text == "/s/");
  BOOST_TEST((pieces[2].path == std::vector<std::string>{"results", "a", "id"}));
  BOOST_TEST(pieces[3].text == "?q={x}&p=$5");
  BOOST_TEST(std::get<call_template>(parse_template("")).empty());
}

BOOST_AUTO_TEST_CASE(faults_of_templates_name_their_place) {
  BOOST_TEST(fault_of("ab{results.a") == "2: '{' has no '}' after it; write '{{' for a brace itself");
  BOOST_TEST(fault_of("ab}") == "2: '}' has no '{' before it; write '}}' for a brace itself");
  BOOST_TEST(fault_of("{foo.x}") == "0: '{foo.x}' must begin with 'results.', 'input.' or 'run.'");
  BOOST_TEST(fault_of("{results}") == "0: '{results}' must name a step: '{results.step.field}'");
  BOOST_TEST(fault_of("{input}") == "0: '{input}' must name a field: '{input.field}'");
  BOOST_TEST(fault_of("{run.colour}").find("0: '{run.colour}' must be 'run.' and one of id, number") == 0u);
  BOOST_TEST(fault_of("{results.a b}").find("must be names of letters") != std::string::npos);
  BOOST_TEST(fault_of("{results..b}").find("must be names of letters") != std::string::npos);
  BOOST_TEST(fault_of("x${1a}").find("1: '${1a}' must name a variable") == 0u);
  BOOST_TEST(fault_of("${}").find("must name a variable") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_request_carries_the_run_the_input_and_earlier_results) {
  auto run = run_with_url("http://x/", R"({"id":"p1"})");
  auto request = std::get<call_request>(prepare_call(run.state, 1, false, {}));
  BOOST_TEST(request.idempotency_key == "01900000-0000-7000-8000-000000000001/b");
  BOOST_TEST(request.step == "b");
  BOOST_TEST(request.attempt == 1u);
  BOOST_TEST((request.timeout == 30s));
  auto body = json::parse(request.body);
  auto expected = json::parse(R"({
    "run": {"id": "01900000-0000-7000-8000-000000000001", "number": "ORCH-20261123-00000001",
            "tenant": "7e000000-0000-4000-8000-000000000001", "workflow": "test_flow", "version": 1, "type": "manual",
            "priority": "normal", "attempt": 1, "step": "b", "triggered_by": "tester"},
    "input": {}, "results": {"a": {"id": "p1"}}})");
  BOOST_TEST(body == expected); // nothing of c, which b does not come after
}

BOOST_AUTO_TEST_CASE(the_call_that_undoes_a_step_sees_its_result) {
  auto run = run_with_url("http://x/", R"({"id":"p1"})");
  run.fail("b");
  auto request = std::get<call_request>(prepare_call(run.state, 0, true, {}));
  BOOST_TEST(std::get<http_call>(request.call).url == "http://x/p1");
  BOOST_TEST(request.idempotency_key == "01900000-0000-7000-8000-000000000001/a/undo");
  BOOST_TEST(request.undo);
  BOOST_TEST((request.timeout == 7s));
  BOOST_TEST(json::parse(request.body)["results"] == json::parse(R"({"a":{"id":"p1"}})"));
}

BOOST_AUTO_TEST_CASE(values_are_found_and_percent_encoded) {
  BOOST_TEST(url_of("http://x/{results.a.id}", R"({"id":"a/b c?ü"})") == "http://x/a%2Fb%20c%3F%C3%BC");
  BOOST_TEST(url_of("http://x/{results.a.l.1.n}", R"({"l":[0,{"n":7}]})") == "http://x/7");
  BOOST_TEST(url_of("http://x/{results.a.ok}", R"({"ok":true})") == "http://x/true");
  BOOST_TEST(url_of("http://x/{run.number}/{run.attempt}", "{}") == "http://x/ORCH-20261123-00000001/1");
  BOOST_TEST(
    url_of("${base}/y", "{}", {{"base", "http://h:1/a b"}}) ==
    "the call's url must not hold blanks or control characters: ${base}/y");
  BOOST_TEST(url_of("${base}/y", "{}", {{"base", "http://h:1/a"}}) == "http://h:1/a/y");
}

BOOST_AUTO_TEST_CASE(numbers_reach_the_next_call_digit_by_digit) {
  for (const char* number :
       {"9007199254740993", "18446744073709551615", "18446744073709551616", "123456789012345678901",
        "-9223372036854775809", "0.1234567890123456789", "99999999999999.999"}) {
    const auto output = R"({"id":)" + std::string(number) + "}";
    BOOST_TEST(url_of("http://x/{results.a.id}", output) == "http://x/" + std::string(number));
    auto run = run_with_url("http://x/", output);
    const auto request = std::get<call_request>(prepare_call(run.state, 1, false, {}));
    BOOST_TEST(request.body.find(R"("a":)" + output) != std::string::npos);
  }
  const std::pair<const char*, const char*> equal[] = {{"12.30", "12.3"}, {"1e2", "100"}, {"-0", "0"}};
  for (const auto& [given, sent] : equal)
    BOOST_TEST(
      url_of("http://x/{results.a.id}", R"({"id":)" + std::string(given) + "}") == "http://x/" + std::string(sent));
}

BOOST_AUTO_TEST_CASE(what_has_no_value_is_named) {
  BOOST_TEST(
    url_of("http://x/{results.a.id}", "{}") ==
    "the call's url cannot be made: {results.a.id} has no value: there is no 'id'");
  BOOST_TEST(
    url_of("http://x/{results.a.id}", R"({"id":{}})") ==
    "the call's url cannot be made: {results.a.id} must be a text, a number or a boolean, not object");
  BOOST_TEST(
    url_of("http://x/{results.c.unseen}", "{}") ==
    "the call's url cannot be made: {results.c.unseen} has no value: step c has no result here");
  BOOST_TEST(
    url_of("http://x/{input.day}", "{}") ==
    "the call's url cannot be made: {input.day} has no value: there is no 'day'");
  BOOST_TEST(
    url_of("http://x/{results.a.l.01}", R"({"l":[0,7]})") ==
    "the call's url cannot be made: {results.a.l.01} has no value: there is no '01'"); // As in a JSON pointer.
  BOOST_TEST(
    url_of("${oven_url}/x", "{}") ==
    "the call's url cannot be made: ${oven_url} has no value: this node has no variable of that name");
}

BOOST_AUTO_TEST_CASE(a_value_never_changes_the_structure_of_a_path) {
  const auto rule = "'; a value may not make it empty, '.' or '..'";
  const auto made = [](const std::string& url, const std::string& id) {
    return url_of(url, json{{"id", id}, {"dot", "."}}.dump(), {{"svc", "http://h/a"}, {"up", "http://h/."}});
  };
  for (const char* id : {"", ".", ".."})
    for (const char* url :
         {"http://x/v1/{results.a.id}", "http://x/{results.a.id}/lines", "http://x/{results.a.id}?a=b",
          "${svc}/{results.a.id}/b", "http://x/a/{results.a.id};v=1/b"})
      BOOST_TEST(
        made(url, id) ==
          "the call's url cannot be made: {results.a.id} makes a segment of the path '" + std::string(id) + rule,
        url << " with " << id);
  for (const char* url :
       {"http://x/.{results.a.id}/b", "http://x/{results.a.id}{results.a.dot}/b", "http://x/%2e{results.a.id}",
        "http://x/{results.a.id}%2E/b", "${up}{results.a.id}"})
    BOOST_TEST(made(url, ".").find("makes a segment of the path '..'") != std::string::npos, url);
  BOOST_TEST(made("http://x/{results.a.id}{results.a.id}/b", "").find("path ''") != std::string::npos);
  BOOST_TEST(made("http://x/%{results.a.id}", "2e").find("inside a percent escape") != std::string::npos);
  BOOST_TEST(made("http://x/%2{results.a.id}", "e").find("inside a percent escape") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(other_values_are_one_segment_as_they_are) {
  const auto made = [](const std::string& url, const std::string& id) { return url_of(url, json{{"id", id}}.dump()); };
  BOOST_TEST(made("http://x/{results.a.id}/b", "...") == "http://x/.../b");
  BOOST_TEST(made("http://x/{results.a.id}/b", "../..") == "http://x/..%2F../b");
  BOOST_TEST(made("http://x/{results.a.id}/b", "a/../b") == "http://x/a%2F..%2Fb/b");
  BOOST_TEST(made("http://x/{results.a.id}", "%2e%2e") == "http://x/%252e%252e");
  BOOST_TEST(made("http://x/order-{results.a.id}", "") == "http://x/order-");
  BOOST_TEST(made("http://x/?id={results.a.id}", "") == "http://x/?id=");
  BOOST_TEST(made("http://x/?id={results.a.id}/b", "..") == "http://x/?id=../b");
  BOOST_TEST(made("http://x/a//../{results.a.id}", "7") == "http://x/a//../7");
}

BOOST_AUTO_TEST_CASE(a_value_never_chooses_the_host) {
  const auto made = [](const std::string& url, const std::string& svc) {
    return url_of(url, R"({"id":".evil.com"})", {{"svc", svc}});
  };
  const auto fault =
    "the call's url cannot be made: {results.a.id} stands before the path; a value may not choose the host";
  BOOST_TEST(made("${svc}{results.a.id}/x", "http://h") == fault);
  BOOST_TEST(made("${svc}{results.a.id}", "http://h") == fault);
  BOOST_TEST(made("${svc}{results.a.id}", "http") == fault);
  BOOST_TEST(made("${svc}{results.a.id}?x", "http://h:80") == fault);
  BOOST_TEST(made("${svc}{results.a.id}", "http://h/a") == "http://h/a.evil.com");
}

BOOST_AUTO_TEST_CASE(a_call_is_named_without_the_nodes_variables) {
  auto run = run_with_url("${svc}/path-${token}/{results.a.id}?k=${token}", R"({"id":"p 1"})");
  const auto request =
    std::get<call_request>(prepare_call(run.state, 1, false, {{"svc", "http://me:word@h"}, {"token", "s3cret"}}));
  BOOST_TEST(std::get<http_call>(request.call).url == "http://me:word@h/path-s3cret/p%201?k=s3cret");
  BOOST_TEST(request.name == "POST ${svc}/path-${token}/p%201");
  auto named = run_with_url("http://me:word@h/x?y#z", "{}");
  BOOST_TEST(std::get<call_request>(prepare_call(named.state, 1, false, {})).name == "POST http://h/x");
}

BOOST_AUTO_TEST_CASE(headers_cannot_smuggle_lines) {
  auto run = run_with_url("http://x/", R"({"t":"x\r\nEvil: 1"})", {{"X-Token", "{results.a.t}"}});
  auto prepared = prepare_call(run.state, 1, false, {});
  BOOST_TEST(
    std::get<call_failure>(prepared).message ==
    "the call's header X-Token must not hold control characters such as a line's end");
}

BOOST_AUTO_TEST_CASE(missing_variables_are_told_with_their_places) {
  auto flow = workflow_builder()
                .step("a")
                .call(http_call{"POST", "${oven_url}/x", {{"X-Key", "${key}"}}})
                .compensate({.call = http_call{"DELETE", "${oven_url}/{results.a.id}", {}}})
                .build();
  auto missing = missing_variables(*flow, {{"key", "1"}});
  BOOST_TEST(missing.size() == 2u);
  BOOST_TEST(missing[0].first == "oven_url");
  BOOST_TEST(missing[0].second == "steps[0].call.http.url");
  BOOST_TEST(missing[1].second == "steps[0].compensate.http.url");
}

BOOST_AUTO_TEST_CASE(every_attempt_sees_what_had_ended_when_the_step_began) {
  // `last` comes after `skipped`, which is skipped at once when `bad` fails; `slow` ends only then.
  fed_run run(workflow_builder()
                .step("bad")
                .proceeds()
                .step("slow")
                .step("skipped")
                .needs({"bad", "slow"})
                .step("last")
                .call(function_call{"last"})
                .after({"skipped"})
                .attempts(2)
                .build());
  run.fail("bad");
  const auto results = [&] {
    const auto prepared = prepare_call(run.state, run.index_of("last"), false, {});
    return json::parse(std::get<call_request>(prepared).body).at("results");
  };
  BOOST_TEST(results() == json::object());
  run.succeed("slow", R"({"late":true})");
  BOOST_TEST(results() == json::object());
  run.fail("last", {call_failure::kind_type::retryable, "busy", std::nullopt});
  run.wait(10s);
  BOOST_TEST(run.step("last").attempt == 2u);
  BOOST_TEST(results() == json::object());
}

/// `b` needs `a`; undoing `b` fails, so it stands when the run is retried and `a`, which was undone, is done anew.
struct undone_in_part : fed_run {
  undone_in_part()
    : fed_run(workflow_builder()
                .step("a")
                .compensated()
                .step("b")
                .needs({"a"})
                .compensate({.call = http_call{"DELETE", "http://x/{results.a.id}/{results.b.id}", {}}})
                .step("c")
                .needs({"b"})
                .run_retries(0)
                .build()) {
    succeed("a", R"({"id":"a1"})");
    succeed("b", R"({"id":"b1"})");
    fail_and_retry();
  }

  void fail_and_retry() {
    fail("c");
    fail_undo("b");
    undo("a");
    feed(retry_asked{"ann"});
  }

  std::string undo_url() const {
    const auto prepared = prepare_call(state, index_of("b"), true, {});
    const auto* request = std::get_if<call_request>(&prepared);
    return request ? std::get<http_call>(request->call).url : std::get<call_failure>(prepared).message;
  }
};

BOOST_AUTO_TEST_CASE(who_undoes_a_step_sees_what_the_step_saw_and_not_what_was_done_anew) {
  undone_in_part run;
  run.succeed("a", R"({"id":"a2"})");
  run.fail("c");
  BOOST_TEST(run.step("a").redo == 1u);
  BOOST_TEST(run.undo_url() == "http://x/a1/b1");
}

BOOST_AUTO_TEST_CASE(who_undoes_a_step_sees_what_the_step_saw_though_nobody_did_it_anew) {
  undone_in_part run;
  run.fail("a");
  run.fail("c");
  BOOST_TEST(run.undo_url() == "http://x/a1/b1");
}

BOOST_AUTO_TEST_CASE(what_a_standing_step_saw_is_kept_once_and_until_it_is_undone) {
  undone_in_part run;
  run.succeed("a", R"({"id":"a2"})");
  run.fail_and_retry();
  BOOST_TEST(run.state.seen_before.size() == 1u);
  run.succeed("a", R"({"id":"a3"})");
  run.fail("c");
  BOOST_TEST(run.undo_url() == "http://x/a1/b1");
  run.undo("b");
  run.undo("a");
  run.feed(retry_asked{"ann"});
  BOOST_TEST(run.state.seen_before.empty());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace levain::test
