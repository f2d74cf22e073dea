// Two proxies and the network between them; the test has the place of CAF at both.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>
#include <future>
#include <poll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "actors/cluster/wire_proxy.hpp"
#include "tests/support/has.hpp"
#include "tests/support/processes.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/wire_frames.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;
using boost::asio::ip::tcp;

namespace {

constexpr auto generous = 10s;

/// CAF's end of a connection.
class caf_end {
public:
  explicit caf_end(file_descriptor end)
    : end_(std::move(end)) {}

  void say(std::string_view bytes) {
    while (!bytes.empty()) {
      BOOST_REQUIRE(is_ready(POLLOUT, generous));
      const auto written = send(end_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      BOOST_REQUIRE(written > 0);
      bytes.remove_prefix(static_cast<size_t>(written));
    }
  }
  /// As many bytes as these are; fewer when the connection ends before.
  std::string hear(size_t bytes) {
    std::string heard;
    while (heard.size() < bytes && is_ready(POLLIN, generous)) {
      std::string part(bytes - heard.size(), '\0');
      const auto size = read(end_.number(), part.data(), part.size());
      if (size <= 0)
        break;
      heard.append(part, 0, static_cast<size_t>(size));
    }
    return heard;
  }
  bool hears_the_end() { return hear(1).empty() && is_ready(POLLIN, 0ms); }

private:
  bool is_ready(short what, std::chrono::milliseconds within) const {
    pollfd asked{end_.number(), what, 0};
    return poll(&asked, 1, static_cast<int>(within.count())) == 1;
  }

  file_descriptor end_;
};

/// A node that listens, and a worker that connects to it.
struct two_programs {
  explicit two_programs(wire_pace pace = {}, const wire_security& of_node = {}, const wire_security& of_worker = {})
    : node(of_node, pace)
    , worker(of_worker, pace)
    , port(node.listen({"127.0.0.1", 0}, node_name, [this](file_descriptor end) {
      const std::lock_guard guard(mutex);
      arrived.emplace_back(std::move(end));
    })) {}
  ~two_programs() { node.close(); }

  tcp::endpoint gate() const { return {boost::asio::ip::address_v4::loopback(), port}; }
  caf_end dial() {
    std::promise<wire_proxy::dialled> answer;
    worker.dial({gate()}, worker_name, generous, [&](wire_proxy::dialled x) { answer.set_value(std::move(x)); });
    auto dialled = answer.get_future().get();
    BOOST_TEST_REQUIRE(dialled.connection, dialled.why);
    return caf_end(std::move(*dialled.connection));
  }
  /// What the worker hears when it greets the program that listens there, which `meanwhile` speaks for.
  template <class Meanwhile>
  wire_proxy::greeting greet(const tcp::endpoint& at, Meanwhile meanwhile) {
    std::promise<wire_proxy::greeting> answer;
    worker.greet({at}, worker_name, generous, [&](wire_proxy::greeting x) { answer.set_value(std::move(x)); });
    meanwhile();
    return answer.get_future().get();
  }
  /// As that, of a program that answers with these bytes.
  wire_proxy::greeting greet_one_that_says(const std::string& bytes) {
    boost::asio::io_context context;
    tcp::acceptor somebody(context, {boost::asio::ip::address_v4::loopback(), 0});
    tcp::socket asked(context);
    return greet(somebody.local_endpoint(), [&] {
      asked = somebody.accept();
      boost::asio::write(asked, boost::asio::buffer(bytes));
    });
  }
  size_t count_arrived() {
    const std::lock_guard guard(mutex);
    return arrived.size();
  }
  caf_end take_arrived(size_t index) {
    BOOST_REQUIRE(eventually([&] { return count_arrived() > index; }, generous));
    const std::lock_guard guard(mutex);
    return caf_end(std::move(arrived[index]));
  }
  /// What CAF says first at each side; it is heard by the other one.
  void introduce(caf_end& at_worker, caf_end& at_node) {
    at_node.say(frames::accepting(node_name));
    BOOST_TEST(at_node.hear(introduction.size()) == introduction);
    BOOST_TEST(at_worker.hear(frames::accepting(node_name).size()) == frames::accepting(node_name));
  }

  const std::string node_name = frames::name(1, 'n');
  const std::string worker_name = frames::name(2, 'w');
  const std::string introduction = frames::both_connecting(worker_name);
  std::mutex mutex;
  std::vector<file_descriptor> arrived;
  wire_proxy node;
  wire_proxy worker;
  uint16_t port;
};

std::string large(size_t bytes) {
  std::string payload(bytes, 'x');
  for (size_t i = 0; i < bytes; i += 97)
    payload[i] = static_cast<char>(i);
  return payload;
}

} // namespace

BOOST_AUTO_TEST_SUITE(wire_proxy_test)

BOOST_AUTO_TEST_CASE(frames_pass_in_both_directions_as_they_came) {
  two_programs both;
  auto at_worker = both.dial();
  at_worker.say(both.introduction);
  auto at_node = both.take_arrived(0);
  both.introduce(at_worker, at_node);

  for (const size_t bytes : {size_t{1}, size_t{70'000}, size_t{3} << 20}) {
    const auto frame = frames::message(large(bytes));
    std::thread speaker([&] { at_worker.say(frame); });
    BOOST_TEST((at_node.hear(frame.size()) == frame), bytes);
    speaker.join();
    std::thread answerer([&] { at_node.say(frame); });
    BOOST_TEST((at_worker.hear(frame.size()) == frame), bytes);
    answerer.join();
  }
}

BOOST_AUTO_TEST_CASE(a_second_connection_of_a_program_waits_for_the_end_of_the_first) {
  two_programs both;
  auto first = std::make_unique<caf_end>(both.dial());
  first->say(both.introduction);
  auto at_node = std::make_unique<caf_end>(both.take_arrived(0));
  both.introduce(*first, *at_node);

  // When: it connects again, it is answered; its frames wait.
  auto second = both.dial();
  second.say(both.introduction);
  const auto answer = frames::accepting(both.node_name);
  BOOST_TEST(second.hear(answer.size()) == answer);
  const auto frame = frames::message("later");
  second.say(frame);
  BOOST_TEST(both.count_arrived() == 1u);

  // Then: they come when the first connection has ended.
  first.reset();
  BOOST_TEST(at_node->hears_the_end());
  auto next = both.take_arrived(1);
  next.say(answer);
  BOOST_TEST(next.hear(both.introduction.size() + frame.size()) == both.introduction + frame);
  next.say(frame);
  BOOST_TEST(second.hear(frame.size()) == frame);
}

BOOST_AUTO_TEST_CASE(a_message_that_comes_slowly_is_no_silence) {
  constexpr auto silence_max = 400ms;
  two_programs both({50ms, silence_max});
  auto at_worker = both.dial();
  at_worker.say(both.introduction);
  auto at_node = both.take_arrived(0);
  both.introduce(at_worker, at_node);

  // When: a message takes three times as long.
  const auto frame = frames::message(large(1200));
  std::thread speaker([&] {
    for (size_t at = 0; at < frame.size(); at += 100) {
      at_worker.say(std::string_view(frame).substr(at, 100));
      at_node.say(frames::beat());
      std::this_thread::sleep_for(silence_max / 4);
    }
  });
  BOOST_TEST((at_node.hear(frame.size()) == frame));
  speaker.join();

  // Then: only real silence ends the connection.
  BOOST_TEST(at_node.hears_the_end());
  const auto said = both.node.why_ended(both.worker_name) + both.worker.why_ended(both.node_name);
  BOOST_TEST(has(said, "nothing came for 400 ms"), said);
}

BOOST_AUTO_TEST_CASE(a_wrong_frame_ends_the_connection_and_nothing_of_it_arrives) {
  two_programs both;
  boost::asio::io_context context;
  tcp::socket rogue(context);
  rogue.connect(both.gate());
  boost::asio::write(rogue, boost::asio::buffer(both.introduction));
  auto at_node = both.take_arrived(0);
  BOOST_TEST((at_node.hear(both.introduction.size()) == both.introduction));
  const auto right = frames::message("right");
  boost::asio::write(rogue, boost::asio::buffer(right));
  BOOST_TEST((at_node.hear(right.size()) == right));
  const auto wrong = frames::frame({.operation = frames::routed, .dest = 7}, both.node_name + both.worker_name);
  boost::asio::write(rogue, boost::asio::buffer(wrong));

  BOOST_TEST(at_node.hears_the_end());
  const auto why = both.node.why_ended(both.worker_name);
  BOOST_TEST(has(why, "in the name of another program"), why);
}

BOOST_AUTO_TEST_CASE(a_program_of_this_name_is_never_let_in) {
  two_programs both;
  boost::asio::io_context context;
  tcp::socket rogue(context);
  rogue.connect(both.gate());
  boost::asio::write(rogue, boost::asio::buffer(frames::both_connecting(both.node_name)));
  char byte = 0;
  boost::system::error_code ended;
  rogue.read_some(boost::asio::buffer(&byte, 1), ended);
  BOOST_TEST((ended == boost::asio::error::eof || ended == boost::asio::error::connection_reset), ended.message());
  BOOST_TEST(both.count_arrived() == 0u);
}

BOOST_AUTO_TEST_CASE(who_is_greeted_introduces_itself) {
  two_programs both;
  BOOST_TEST(both.greet_one_that_says(frames::accepting(both.node_name)).reached);
}

BOOST_AUTO_TEST_CASE(who_is_greeted_and_is_no_program_of_ours_is_not_trusted) {
  two_programs both;
  const auto told = both.greet_one_that_says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  BOOST_TEST(!told.reached);
  BOOST_TEST(told.distrust);
  BOOST_TEST(!told.why.empty());
}

BOOST_AUTO_TEST_CASE(tls_and_clear_text_do_not_trust_each_other_and_say_so) {
  const temporary_folder folder;
  const auto made = run_to_end({"levain", {"certs", folder / "made"}, {}}, generous);
  BOOST_TEST_REQUIRE(made.status == 0, made.errors);
  const auto files = folder / "made";
  const wire_security certified{files + "/node.pem", files + "/node.key", files + "/ca.pem"};
  const auto greet_gate = [](two_programs&& both) { return both.greet(both.gate(), [] {}); };

  const auto bare = greet_gate(two_programs({}, certified, {}));
  BOOST_TEST(!bare.reached);
  BOOST_TEST(bare.distrust);
  BOOST_TEST(bare.why == "it speaks TLS, and this program has no certificate");

  const auto alone = greet_gate(two_programs({}, {}, certified));
  BOOST_TEST(!alone.reached);
  BOOST_TEST(alone.distrust);
  BOOST_TEST(alone.why == "it has no certificate, or speaks other versions of TLS alone");
}

BOOST_AUTO_TEST_SUITE_END()
