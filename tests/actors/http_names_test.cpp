// Names of hosts are looked up beside the calls, and one without an answer holds up its own calls alone.
#include <boost/test/unit_test.hpp>

#include <condition_variable>
#include <map>
#include <mutex>

#include "actors/calls/http_transfer.hpp"
#include "tests/actors/http_executor_world.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;
using kind_type = call_failure::kind_type;

namespace {

/// A resolver that knows `known.test` and hangs on all names that begin with `lost`, until it is let go.
struct scripted_names {
  name_lookup lookup() {
    return [state = state](const std::string& name) {
      std::unique_lock lock(state->mutex);
      ++state->asked[name];
      state->changed.notify_all();
      if (name.starts_with("lost"))
        state->changed.wait(lock, [&] { return state->let_go; });
      if (name == "known.test")
        return name_answer{name, {"127.0.0.1"}, {}};
      return name_answer{name, {}, "no such name"};
    };
  }
  ~scripted_names() {
    const std::lock_guard lock(state->mutex);
    state->let_go = true;
    state->changed.notify_all();
  }
  int asked(const std::string& name) {
    const std::lock_guard lock(state->mutex);
    return state->asked[name];
  }
  void await(const std::string& name) {
    std::unique_lock lock(state->mutex);
    BOOST_TEST_REQUIRE(state->changed.wait_for(lock, 5s, [&] { return state->asked[name] > 0; }));
  }

  struct shared_state {
    std::mutex mutex;
    std::condition_variable changed;
    std::map<std::string, int> asked;
    bool let_go = false;
  };
  std::shared_ptr<shared_state> state = std::make_shared<shared_state>();
};

std::string url_of_name(const http_server& server, const std::string& name) {
  return "http://" + name + ":" + std::to_string(server.port()) + "/";
}

call_request request_within(const std::string& url, std::chrono::milliseconds timeout) {
  auto request = request_to(url);
  request.timeout = timeout;
  return request;
}

} // namespace

BOOST_AUTO_TEST_SUITE(http_names_test)

BOOST_AUTO_TEST_CASE(a_name_that_does_not_resolve_holds_up_no_other_call) {
  http_server server({.any_host = true}, always({.body = "1"}));
  scripted_names names;
  http_executor executor({}, names.lookup());
  const auto lost = failure_of(call(executor, request_within("http://lost.test/x", 50ms)));
  BOOST_TEST((lost.kind == kind_type::timeout));
  BOOST_TEST(
    lost.message ==
    "POST http://lost.test/x did not answer within 50ms: the host name 'lost.test' was not resolved in that time");
  BOOST_TEST(text_of(call(executor, request_to(url_of(server)))) == "1");
  BOOST_TEST(text_of(call(executor, request_to(url_of_name(server, "known.test")))) == "1");
}

BOOST_AUTO_TEST_CASE(a_lookup_that_hangs_ends_with_the_connect_timeout) {
  scripted_names names;
  http_executor executor({.connect_timeout_max = 50ms}, names.lookup());
  const auto failure = failure_of(call(executor, request_to("http://lost.test/x")));
  BOOST_TEST((failure.kind == kind_type::retryable));
  BOOST_TEST(
    failure.message ==
    "POST http://lost.test/x failed: the host name 'lost.test' was not resolved within 50ms (connect_timeout_max)");
}

BOOST_AUTO_TEST_CASE(a_call_that_waits_for_a_name_can_be_given_up) {
  http_server server({.any_host = true}, always({.body = "1"}));
  scripted_names names;
  http_executor executor({.calls_in_flight_max = 1}, names.lookup());
  call_ticket ticket;
  auto waiting = begin(executor, request_to("http://lost.test/x"), &ticket);
  names.await("lost.test");
  executor.abandon(ticket);
  BOOST_TEST((failure_of(wait_for(std::move(waiting))).kind == kind_type::abandoned));
  BOOST_TEST(text_of(call(executor, request_to(url_of(server)))) == "1");
}

BOOST_AUTO_TEST_CASE(the_executor_ends_while_a_lookup_hangs) {
  scripted_names names;
  std::future<outcome> waiting;
  {
    http_executor executor({}, names.lookup());
    waiting = begin(executor, request_to("http://lost.test/x"));
    names.await("lost.test");
  }
  BOOST_TEST_REQUIRE((waiting.wait_for(0s) == std::future_status::ready));
  BOOST_TEST(holds(failure_of(waiting.get()).message, "shutting down"));
}

BOOST_AUTO_TEST_CASE(an_unknown_name_fails_each_call_that_waits_for_it) {
  scripted_names names;
  http_executor executor({}, names.lookup());
  std::vector<std::future<outcome>> waiting;
  for (int i = 0; i < 3; ++i)
    waiting.push_back(begin(executor, request_to("http://nowhere.test/x")));
  for (auto& each : waiting) {
    const auto failure = failure_of(wait_for(std::move(each)));
    BOOST_TEST((failure.kind == kind_type::retryable));
    BOOST_TEST(
      failure.message ==
      "POST http://nowhere.test/x failed: the host name 'nowhere.test' cannot be resolved: no such name");
  }
}

BOOST_AUTO_TEST_CASE(a_name_is_looked_up_once_for_many_calls) {
  http_server server({.any_host = true}, always({.body = "1"}));
  scripted_names names;
  http_executor executor({}, names.lookup());
  for (int i = 0; i < 5; ++i)
    BOOST_TEST(text_of(call(executor, request_to(url_of_name(server, "known.test")))) == "1");
  BOOST_TEST(names.asked("known.test") == 1);
}

BOOST_AUTO_TEST_CASE(names_that_are_known_as_slow_leave_threads_for_others) {
  http_server server({.any_host = true}, always({.body = "1"}));
  scripted_names names;
  // Each lookup counts as slow.
  http_executor executor(
    {.names = {.threads_max = 2, .fresh_for = 0s, .usable_for = 0s, .slow_after = -1ms}}, names.lookup());
  call(executor, request_to("http://slow-1.test/"));
  call(executor, request_to("http://slow-2.test/"));
  auto first = begin(executor, request_to("http://lost-1.test/"));
  names.await("lost-1.test");
  // One thread hangs. Of what is known as slow the next may not take the other as well.
  BOOST_TEST(holds(failure_of(call(executor, request_to("http://slow-1.test/"))).message, "cannot be resolved"));
}

BOOST_AUTO_TEST_CASE(addresses_are_used_while_they_are_looked_up_again) {
  using clock = name_resolver::clock;
  std::promise<name_answer> answered;
  name_resolver resolver(
    {},
    [](const std::string& name) {
      return name_answer{name, {"127.0.0.2"}, {}};
    },
    [&](name_answer answer) { answered.set_value(std::move(answer)); });
  const clock::time_point start{};
  resolver.remember({"a.test", {"127.0.0.1"}, {}}, start);
  BOOST_TEST_REQUIRE(resolver.find("a.test", start + 29s));
  BOOST_TEST_REQUIRE(resolver.find("a.test", start + 31s));
  const auto answer = answered.get_future().get();
  BOOST_TEST(answer.addresses.front() == "127.0.0.2");
  BOOST_TEST(!resolver.find("b.test", start));
}

BOOST_AUTO_TEST_CASE(a_lookup_without_an_answer_leaves_what_is_known_until_it_is_too_old) {
  using clock = name_resolver::clock;
  name_resolver resolver(
    {.fresh_for = 100s, .usable_for = 100s},
    [](const std::string& name) {
      return name_answer{name, {}, "no"};
    },
    [](const name_answer&) {});
  const clock::time_point start{};
  resolver.remember({"a.test", {"127.0.0.1"}, {}}, start);
  resolver.remember({"a.test", {}, "no"}, start + 50s);
  BOOST_TEST(resolver.find("a.test", start + 99s));
  BOOST_TEST(!resolver.find("a.test", start + 100s));
}

BOOST_AUTO_TEST_CASE(the_names_that_are_remembered_are_limited) {
  using clock = name_resolver::clock;
  name_resolver resolver(
    {.names_max = 2},
    [](const std::string& name) {
      return name_answer{name, {}, "no"};
    },
    [](const name_answer&) {});
  const clock::time_point start{};
  for (int i = 0; i < 3; ++i)
    resolver.remember({"n" + std::to_string(i), {"127.0.0.1"}, {}}, start + std::chrono::seconds(i));
  BOOST_TEST(!resolver.find("n0", start + 3s));
  BOOST_TEST(resolver.find("n1", start + 3s));
  BOOST_TEST(resolver.find("n2", start + 3s));
}

BOOST_AUTO_TEST_CASE(only_names_are_looked_up) {
  const auto is_name = [](const std::string& url, const std::string& proxy = {}) {
    return place_of(url, proxy).is_name;
  };
  BOOST_TEST(is_name("http://oven.test/x"));
  BOOST_TEST(!is_name("http://127.0.0.1/x"));
  BOOST_TEST(!is_name("http://[::1]:80/x"));
  BOOST_TEST(!is_name("http://localhost/x"));
  BOOST_TEST(!is_name("http://a.LOCALHOST/x"));
  BOOST_TEST(!is_name("http://"));
  BOOST_TEST(is_name("http://127.0.0.1/x", "proxy.test:3128"));
  BOOST_TEST(place_of("https://user:word@oven.test/x", "").host == "oven.test");
  BOOST_TEST(place_of("https://oven.test/x", "").port == "443");
  BOOST_TEST(place_of("http://oven.test/x", "http://proxy.test").port == "1080");
}

BOOST_AUTO_TEST_CASE(a_lookup_by_the_system_answers_in_words) {
  const auto found = look_up_by_system("localhost");
  BOOST_TEST(!found.addresses.empty());
  const auto none = look_up_by_system("");
  BOOST_TEST(none.addresses.empty());
  BOOST_TEST(!none.fault.empty());
}

BOOST_AUTO_TEST_SUITE_END()
