// Answers of services and the memory that the calls of a node may take.
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <fmt/format.h>

#include "actors/calls/call_budget.hpp"
#include "tests/actors/http_executor_world.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;
using kind_type = call_failure::kind_type;

namespace {

using tcp = boost::asio::ip::tcp;

constexpr size_t bytes_max = 100'000;
constexpr size_t slow_bytes = 400'000;
constexpr size_t slow_first_bytes = 300'000;
constexpr size_t quick_bytes = 80'000;

/// Waits until the condition holds, for at most a while.
template <class Condition>
void await(const Condition& holds) {
  const auto until = std::chrono::steady_clock::now() + 8s;
  while (!holds() && std::chrono::steady_clock::now() < until)
    std::this_thread::yield();
  BOOST_TEST_REQUIRE(holds());
}

/// A service whose answer is larger than the budget and stands still in its middle, so that nothing is left for the
/// answer of another one, which is quick.
struct full_memory {
  full_memory() {
    for (int i = 0; i < 21; ++i)
      rooms.push_back(std::get<call_bytes_ptr>(budget.enter("kitchen", 12, [](const call_bytes_ptr&) {})));
    slow_outcome = begin(executor, request_with_memory(slow.url()));
    socket.emplace(slow.acceptor.accept());
    boost::asio::streambuf buffer;
    boost::asio::read_until(*socket, buffer, "\r\n\r\n");
    write(
      fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", slow_bytes) + std::string(slow_first_bytes, '1'));
    await([&] { return budget.read().bytes >= slow_first_bytes; });
  }

  call_request request_with_memory(const std::string& url) {
    auto request = request_to(url);
    request.memory = std::move(rooms.back());
    rooms.pop_back();
    return request;
  }
  void write(const std::string& text) { boost::asio::write(*socket, boost::asio::buffer(text)); }
  void end_slow() { write(std::string(slow_bytes - slow_first_bytes, '1')); }

  call_budget budget{bytes_max};
  /// Of calls that were let in before the memory was full.
  std::vector<call_bytes_ptr> rooms;
  raw_service slow;
  http_server quick{{}, always({.body = std::string(quick_bytes, '2')})};
  /// It outlives the executor, or its end would make room for the others.
  std::optional<tcp::socket> socket;
  http_executor executor;
  std::future<outcome> slow_outcome;
};

} // namespace

BOOST_AUTO_TEST_SUITE(http_memory_test)

BOOST_AUTO_TEST_CASE(an_answer_without_room_waits_and_comes_whole) {
  full_memory full;
  auto request = full.request_with_memory(url_of(full.quick));
  // Its time stands still meanwhile.
  request.timeout = 300ms;
  auto waiting = begin(full.executor, std::move(request));
  await([&] { return full.budget.read().answers_waiting == 1; });
  BOOST_TEST((waiting.wait_for(600ms) == std::future_status::timeout));
  BOOST_TEST(full.budget.read().bytes < slow_first_bytes + bytes_max);
  full.end_slow();
  BOOST_TEST(text_of(wait_for(std::move(full.slow_outcome))).size() == slow_bytes);
  BOOST_TEST(text_of(wait_for(std::move(waiting))) == std::string(quick_bytes, '2'));
  full.rooms.clear();
  await([&] { return full.budget.read().bytes == 0; });
  BOOST_TEST(full.budget.read().bytes_peak < slow_bytes + bytes_max);
}

BOOST_AUTO_TEST_CASE(many_answers_together_larger_than_the_budget_all_come) {
  full_memory full;
  std::vector<std::future<outcome>> waiting;
  for (int i = 0; i < 20; ++i)
    waiting.push_back(begin(full.executor, full.request_with_memory(url_of(full.quick))));
  await([&] { return full.budget.read().answers_waiting == 20; });
  full.end_slow();
  for (auto& each : waiting)
    BOOST_TEST(text_of(wait_for(std::move(each))).size() == quick_bytes);
  BOOST_TEST(full.budget.read().bytes_peak < slow_bytes + bytes_max);
}

BOOST_AUTO_TEST_CASE(a_call_whose_answer_waits_can_be_given_up) {
  full_memory full;
  call_ticket ticket;
  auto waiting = begin(full.executor, full.request_with_memory(url_of(full.quick)), &ticket);
  await([&] { return full.budget.read().answers_waiting == 1; });
  full.executor.abandon(ticket);
  BOOST_TEST((failure_of(wait_for(std::move(waiting))).kind == kind_type::abandoned));
  BOOST_TEST(full.budget.read().answers_waiting == 0u);
  full.end_slow();
  BOOST_TEST(text_of(wait_for(std::move(full.slow_outcome))).size() == slow_bytes);
}

BOOST_AUTO_TEST_CASE(an_executor_that_ends_leaves_no_answer_waiting) {
  std::future<outcome> waiting;
  {
    full_memory full;
    waiting = begin(full.executor, full.request_with_memory(url_of(full.quick)));
    await([&] { return full.budget.read().answers_waiting == 1; });
  }
  BOOST_TEST(holds(failure_of(wait_for(std::move(waiting))).message, "shutting down"));
}

BOOST_AUTO_TEST_CASE(a_service_that_ends_in_its_answer_makes_room_for_the_others) {
  full_memory full;
  auto waiting = begin(full.executor, full.request_with_memory(url_of(full.quick)));
  await([&] { return full.budget.read().answers_waiting == 1; });
  full.socket->close();
  BOOST_TEST(holds(failure_of(wait_for(std::move(full.slow_outcome))).message, "cut off after"));
  BOOST_TEST(text_of(wait_for(std::move(waiting))).size() == quick_bytes);
}

BOOST_AUTO_TEST_SUITE_END()
