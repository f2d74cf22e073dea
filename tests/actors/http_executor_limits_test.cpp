// How many calls are out at once, how they are given up, and how they end.
#include <boost/test/unit_test.hpp>

#include "tests/actors/http_executor_world.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;
using kind_type = call_failure::kind_type;

namespace {

/// Two calls to a service that takes one at a time and does not answer by itself.
struct two_for_one_turn {
  silent_service service;
  http_executor executor{{.calls_per_host_max = 1}};
  call_ticket on_the_wire;
  call_ticket in_line;
  std::future<outcome> first = begin(executor, request_to(service.url()), &on_the_wire);
  std::future<outcome> second = begin(executor, request_to(service.url()), &in_line);
};

} // namespace

BOOST_AUTO_TEST_SUITE(http_executor_limits_test)

BOOST_AUTO_TEST_CASE(a_host_that_hangs_does_not_keep_others_waiting) {
  silent_service hanging;
  http_server quick({}, always({.body = "1"}));
  http_executor executor({.calls_in_flight_max = 3, .calls_per_host_max = 2});
  std::vector<std::future<outcome>> stuck;
  for (int i = 0; i < 10; ++i)
    stuck.push_back(begin(executor, request_to(hanging.url())));
  BOOST_TEST(text_of(call(executor, request_to(url_of(quick)))) == "1");
  hanging.await(2);
  BOOST_TEST(hanging.kept.size() == 2u);
}

BOOST_AUTO_TEST_CASE(the_wait_for_a_turn_has_a_limit_of_its_own) {
  silent_service service;
  http_executor executor({.calls_per_host_max = 1});
  auto first = begin(executor, request_to(service.url()));
  auto request = request_to(service.url());
  request.queue_timeout = 50ms;
  const auto failure = failure_of(call(executor, request));
  BOOST_TEST((failure.kind == kind_type::timeout));
  BOOST_TEST(holds(failure.message, "did not get its turn within 50ms (queue_timeout)"));
  // Nothing was sent.
  BOOST_TEST(!failure.unknown);
}

BOOST_AUTO_TEST_CASE(the_timeout_begins_with_the_turn) {
  silent_service service;
  http_executor executor({.calls_per_host_max = 1});
  auto first = begin(executor, request_to(service.url()));
  auto request = request_to(service.url());
  request.timeout = 100ms;
  auto second = begin(executor, request);
  service.await(1);
  BOOST_TEST((second.wait_for(300ms) == std::future_status::timeout));
  service.kept[0]({.body = "1"});
  const auto failure = failure_of(wait_for(std::move(second)));
  BOOST_TEST((failure.kind == kind_type::timeout));
  BOOST_TEST(holds(failure.message, "did not answer within 100ms"));
  BOOST_TEST(failure.unknown);
}

BOOST_FIXTURE_TEST_CASE(a_call_that_waits_for_its_turn_can_be_taken_back, two_for_one_turn) {
  service.await(1);
  executor.withdraw(in_line);
  BOOST_TEST((failure_of(wait_for(std::move(second))).kind == kind_type::withdrawn));
  // What was sent goes on.
  executor.withdraw(on_the_wire);
  service.kept[0]({.body = "1"});
  BOOST_TEST(text_of(wait_for(std::move(first))) == "1");
  BOOST_TEST(service.kept.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_call_says_when_it_waits_and_when_it_has_its_turn) {
  silent_service service;
  http_executor executor({.calls_per_host_max = 1});
  auto first = begin(executor, request_to(service.url()));
  std::promise<void> waits;
  std::promise<void> has_turn;
  std::promise<outcome> done;
  executor.begin(
    request_to(service.url()), [&](outcome what) { done.set_value(std::move(what)); },
    [&](const call_news& news) { (news.kind == call_news::kind_type::waits ? waits : has_turn).set_value(); });
  BOOST_TEST((waits.get_future().wait_for(5s) == std::future_status::ready));
  service.await(1);
  service.kept[0]({.body = "1"});
  BOOST_TEST((has_turn.get_future().wait_for(5s) == std::future_status::ready));
  service.await(2);
  service.kept[1]({.body = "2"});
  BOOST_TEST(text_of(wait_for(done.get_future())) == "2");
}

BOOST_AUTO_TEST_CASE(calls_beyond_calls_in_flight_max_wait_for_their_turn) {
  silent_service service;
  http_server other({}, always({.body = "1"}));
  http_executor executor({.calls_in_flight_max = 2});
  auto first = begin(executor, request_to(service.url()));
  auto second = begin(executor, request_to(service.url()));
  service.await(2);
  auto request = request_to(url_of(other));
  request.queue_timeout = 50ms;
  BOOST_TEST(holds(failure_of(call(executor, request)).message, "did not get its turn"));
}

BOOST_AUTO_TEST_CASE(a_call_beyond_calls_waiting_max_may_be_mended) {
  silent_service service;
  http_executor executor({.calls_in_flight_max = 1, .calls_waiting_max = 2});
  auto first = begin(executor, request_to(service.url()));
  service.await(1);
  auto second = begin(executor, request_to(service.url()));
  auto third = begin(executor, request_to(service.url()));
  const auto failure = failure_of(call(executor, request_to(service.url())));
  BOOST_TEST((failure.kind == kind_type::retryable));
  BOOST_TEST(holds(failure.message, "calls_waiting_max, which is 2"), failure.message);
  BOOST_TEST(executor.in_flight() == 3u);
}

BOOST_FIXTURE_TEST_CASE(an_abandoned_call_is_answered_once_and_frees_its_place, two_for_one_turn) {
  auto third = begin(executor, request_to(service.url()));
  service.await(1);
  executor.abandon(in_line);
  BOOST_TEST((failure_of(wait_for(std::move(second))).kind == kind_type::abandoned));
  executor.abandon(on_the_wire);
  executor.abandon(on_the_wire);
  BOOST_TEST((failure_of(wait_for(std::move(first))).kind == kind_type::abandoned));
  service.await(2);
  service.kept[1]({.body = "3"});
  BOOST_TEST(text_of(wait_for(std::move(third))) == "3");
  executor.abandon(call_ticket{4711});
  BOOST_TEST(executor.in_flight() == 0u);
}

BOOST_AUTO_TEST_CASE(an_outcome_may_begin_the_next_call) {
  http_server server({}, always({.body = "1"}));
  std::promise<outcome> last;
  http_executor executor;
  executor.begin(request_to(url_of(server)), [&](outcome) {
    executor.begin(request_to(url_of(server)), [&](outcome what) { last.set_value(std::move(what)); });
  });
  BOOST_TEST(text_of(wait_for(last.get_future())) == "1");
}

BOOST_AUTO_TEST_CASE(calls_open_at_the_end_may_be_mended) {
  silent_service service;
  std::vector<std::future<outcome>> open;
  {
    http_executor executor({.calls_per_host_max = 2});
    for (int i = 0; i < 5; ++i)
      open.push_back(begin(executor, request_to(service.url())));
    service.await(2);
  }
  for (auto& each : open) {
    BOOST_TEST_REQUIRE((each.wait_for(0s) == std::future_status::ready));
    const auto failure = failure_of(each.get());
    BOOST_TEST((failure.kind == kind_type::retryable));
    BOOST_TEST(holds(failure.message, "shutting down"));
  }
}

BOOST_AUTO_TEST_CASE(zero_limits_are_refused_by_name) {
  const auto refusal = [](http_executor_options options) -> std::string {
    try {
      http_executor executor(options);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "not refused";
  };
  BOOST_TEST(refusal({.calls_in_flight_max = 0}) == "calls_in_flight_max is 0; it must be at least 1");
  BOOST_TEST(refusal({.calls_per_host_max = 0}) == "calls_per_host_max is 0; it must be at least 1");
  BOOST_TEST(refusal({.response_bytes_max = 0}) == "response_bytes_max is 0; it must be at least 1");
  BOOST_TEST(refusal({.connect_timeout_max = 0ms}) == "connect_timeout_max is 0; it must be at least 1");
}

BOOST_AUTO_TEST_SUITE_END()
