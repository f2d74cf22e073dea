#include "actors/calls/function_executor.hpp"

#include <boost/test/unit_test.hpp>

#include <future>
#include <stdexcept>
#include <thread>

using namespace levain;
using namespace std::chrono_literals;

namespace {

call_request calling(const std::string& function) {
  call_request request;
  request.call = function_call{function};
  request.body = R"({"input":20})";
  return request;
}

call_result result_of(function_executor& executor, call_request request) {
  auto promise = std::make_shared<std::promise<call_result>>();
  auto future = promise->get_future();
  auto held =
    executor.begin(std::move(request), [promise](call_result result) { promise->set_value(std::move(result)); });
  BOOST_TEST_REQUIRE((future.wait_for(10s) == std::future_status::ready));
  return future.get();
}

} // namespace

BOOST_AUTO_TEST_SUITE(function_executor_test)

BOOST_AUTO_TEST_CASE(a_function_gets_the_call_and_answers_it) {
  function_executor executor(1);
  executor.add("echo", [](const call_request& request) -> call_result { return request.body; });
  BOOST_TEST(std::get<std::string>(result_of(executor, calling("echo"))) == R"({"input":20})");
}

BOOST_AUTO_TEST_CASE(an_exception_is_a_failure_that_a_later_try_may_mend) {
  function_executor executor(1);
  executor.add("broken", [](const call_request&) -> call_result { throw std::runtime_error("no flour"); });
  const auto failure = std::get<call_failure>(result_of(executor, calling("broken")));
  BOOST_TEST((failure.kind == call_failure::kind_type::retryable));
  BOOST_TEST(failure.message == "no flour");
}

BOOST_AUTO_TEST_CASE(an_unknown_function_is_a_failure_for_good_that_names_it) {
  function_executor executor(1);
  const auto failure = std::get<call_failure>(result_of(executor, calling("nobody")));
  BOOST_TEST((failure.kind == call_failure::kind_type::final));
  BOOST_TEST(failure.message.find("'nobody'") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_name_is_given_once) {
  function_executor executor(1);
  executor.add("twice", [](const call_request&) -> call_result { return "1"; });
  BOOST_CHECK_THROW(
    executor.add("twice", [](const call_request&) -> call_result { return "2"; }), std::invalid_argument);
  BOOST_TEST(std::get<std::string>(result_of(executor, calling("twice"))) == "1");
}

BOOST_AUTO_TEST_CASE(what_waits_when_the_executor_ends_is_answered) {
  std::promise<void> go;
  std::promise<void> begun;
  std::promise<call_result> waiting;
  auto executor = std::make_unique<function_executor>(1);
  executor->add("slow", [&](const call_request&) -> call_result {
    begun.set_value();
    go.get_future().wait();
    return "1";
  });
  auto first = executor->begin(calling("slow"), [](const call_result&) {});
  begun.get_future().wait();
  auto second = executor->begin(calling("slow"), [&](call_result result) { waiting.set_value(std::move(result)); });
  std::thread ending([&] { executor.reset(); });
  const auto failure = std::get<call_failure>(waiting.get_future().get());
  go.set_value();
  ending.join();
  BOOST_TEST((failure.kind == call_failure::kind_type::retryable));
}

BOOST_AUTO_TEST_SUITE_END()
