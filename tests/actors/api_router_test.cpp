#include "actors/gateway/api_router.hpp"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "actors/gateway/api_query.hpp"
#include "actors/gateway/request_target.hpp"

using namespace levain;

namespace {

/// Answers what it captured.
api_action echo(const std::string& name) {
  return [name](api_call call) {
    nlohmann::ordered_json answer{{"route", name}};
    for (const auto& [key, value] : call.captured)
      answer[key] = value;
    call.respond(json_response(200, answer));
  };
}

http_response ask(const std::string& method, const std::string& path) {
  const api_router router({
    {"GET", "/runs", echo("list")},
    {"POST", "/runs", echo("start")},
    {"GET", "/runs/{run}", echo("show")},
    {"POST", "/runs/{run}/cancel", echo("cancel")},
    {"GET", "/refuses",
     [](api_call) {
       throw request_refused({409, "not now", "run"});
     }},
  });
  http_response answer;
  const auto target = parse_request_target(path);
  const auto* parsed = std::get_if<request_target>(&target);
  http_request request{method, path, {}, {}, {}, parsed ? parsed->segments : std::vector<std::string>()};
  router.route(std::move(request), [&](http_response response) { answer = std::move(response); });
  return answer;
}

http_request request_with(std::vector<std::pair<std::string, std::string>> query) {
  return {"GET", "/", std::move(query), {}, {}};
}

/// The field and the detail of what `read` refuses.
template <class Read>
std::string refusal_of(Read read) {
  try {
    read();
  } catch (const request_refused& refused) {
    return refused.problem.detail;
  }
  return "nothing";
}

} // namespace

BOOST_AUTO_TEST_SUITE(api_router_test)

BOOST_AUTO_TEST_CASE(method_and_path_choose_the_route) {
  BOOST_TEST(ask("GET", "/runs").body == "{\"route\":\"list\"}\n");
  BOOST_TEST(ask("POST", "/runs").body == "{\"route\":\"start\"}\n");
  BOOST_TEST(ask("GET", "/runs/r1").body == "{\"route\":\"show\",\"run\":\"r1\"}\n");
  BOOST_TEST(ask("POST", "/runs/r1/cancel").body == "{\"route\":\"cancel\",\"run\":\"r1\"}\n");
}

BOOST_AUTO_TEST_CASE(paths_that_only_look_alike_are_not_there) {
  for (const std::string path : {"/", "/run", "/runs/", "/runs//cancel", "/runs/r1/cancel/", "/runs/r1/x", "runs", ""})
    BOOST_TEST(ask("GET", path).status == 404);
}

BOOST_AUTO_TEST_CASE(an_encoded_slash_makes_no_new_segment) {
  BOOST_TEST(ask("POST", "/runs%2Fr1%2Fcancel").status == 404);
  BOOST_TEST(ask("POST", "/runs/r1%2fcancel").status == 405);
  BOOST_TEST(ask("GET", "/runs%2Fr1").status == 404);
  BOOST_TEST(ask("GET", "/runs/a%2Fb").body == "{\"route\":\"show\",\"run\":\"a/b\"}\n");
  // Only slashes are special: any other letter may be encoded.
  BOOST_TEST(ask("GET", "/%72uns").status == 200);
}

BOOST_AUTO_TEST_CASE(a_wrong_method_is_told_the_right_ones) {
  const auto answer = ask("DELETE", "/runs");
  BOOST_TEST(answer.status == 405);
  BOOST_TEST(answer.headers.at("Allow") == "GET, HEAD, POST");
  BOOST_TEST(answer.content_type == "application/problem+json");
  BOOST_TEST(ask("GET", "/runs/r1/cancel").headers.at("Allow") == "POST");
}

BOOST_AUTO_TEST_CASE(what_an_action_refuses_becomes_a_problem_document) {
  const auto answer = ask("GET", "/refuses");
  BOOST_TEST(answer.status == 409);
  BOOST_TEST(
    answer.body ==
    "{\"type\":\"about:blank\",\"title\":\"Conflict\",\"status\":409,\"detail\":\"not now\",\"field\":\"run\"}\n");
}

BOOST_AUTO_TEST_CASE(unknown_parameters_are_refused_with_the_nearest) {
  const auto request = request_with({{"limt", "5"}});
  BOOST_TEST(refusal_of([&] {
               query_reader(request, {"limit", "cursor"});
             }) == "limt: is not known here; did you mean 'limit'?");
  BOOST_TEST(refusal_of([&] { query_reader(request, {}); }) == "limt: is not known here; nothing is");
}

BOOST_AUTO_TEST_CASE(parameters_are_checked_one_by_one) {
  const auto limit = [](const std::string& text) {
    const auto request = request_with({{"limit", text}});
    return refusal_of([&] { query_reader(request, {"limit"}).limit(100); });
  };
  BOOST_TEST(limit("1") == "nothing");
  BOOST_TEST(limit("1000") == "nothing");
  for (const std::string bad : {"0", "1001", "-1", "ten", "5x", "99999999999999999999"})
    BOOST_TEST(limit(bad) == "limit: must be a whole number from 1 to 1000, not '" + bad + "'");
  BOOST_TEST(limit("") == "limit: must not be empty");

  const auto twice = request_with({{"from", "2026-11-23"}, {"from", "2026-11-24"}});
  BOOST_TEST(refusal_of([&] { query_reader(twice, {"from"}).time("from"); }) == "from: may come once only");
  const auto no_time = request_with({{"from", "yesterday"}});
  BOOST_TEST(refusal_of([&] {
               query_reader(no_time, {"from"}).time("from");
             }) == "from: must be a time such as 2026-11-23T04:00:00Z or a date such as 2026-11-23, not 'yesterday'");
  const auto date = request_with({{"from", "2026-11-23"}});
  BOOST_TEST(to_rfc3339(*query_reader(date, {"from"}).time("from")) == "2026-11-23T00:00:00.000000Z");
  const auto year_0 = request_with({{"from", "0000-12-31"}});
  BOOST_TEST(refusal_of([&] { query_reader(year_0, {"from"}).time("from"); }).ends_with("not '0000-12-31'"));
  const auto no_date = request_with({{"from", "2026-02-30"}});
  BOOST_TEST(refusal_of([&] { query_reader(no_date, {"from"}).time("from"); }).ends_with("not '2026-02-30'"));
}

BOOST_AUTO_TEST_CASE(a_parameter_with_many_values_is_repeated_or_a_list) {
  const auto request = request_with({{"status", "failed,running"}, {"status", "pending"}});
  const auto found = query_reader(request, {"status"}).many("status");
  BOOST_TEST(found == (std::vector<std::string>{"failed", "running", "pending"}), boost::test_tools::per_element());
  const auto hole = request_with({{"status", "failed,"}});
  BOOST_TEST(refusal_of([&] { query_reader(hole, {"status"}).many("status"); }) == "status: must not be empty");
}

BOOST_AUTO_TEST_CASE(a_body_must_say_that_it_is_json) {
  const auto say = [](const std::string& type, const std::string& body = "{}") {
    http_request request;
    request.body = body;
    if (!type.empty())
      request.headers["content-type"] = type;
    return refusal_of([&] { require_json(request); });
  };
  BOOST_TEST(say("application/json") == "nothing");
  BOOST_TEST(say("Application/JSON ; charset=utf-8") == "nothing");
  BOOST_TEST(say("text/plain") == "Content-Type is 'text/plain'; it must be application/json");
  BOOST_TEST(say("") == "Content-Type is missing; it must be application/json");
  // Where there is no body, there is nothing to declare.
  BOOST_TEST(say("", "") == "nothing");
  BOOST_TEST(say("application/x-www-form-urlencoded", "") == "nothing");
}

BOOST_AUTO_TEST_SUITE_END()
