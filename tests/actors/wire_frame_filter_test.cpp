// What of another program's bytes reaches CAF.
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "actors/cluster/wire_frame_filter.hpp"
#include "tests/support/has.hpp"
#include "tests/support/wire_frames.hpp"

using namespace levain;
using namespace levain::test;
namespace data = boost::unit_test::data;

namespace {

const auto ours = frames::name(1, 'a');
const auto theirs = frames::name(2, 'b');
const auto others = frames::name(3, 'c');

struct outcome {
  std::string passed;
  std::string fault;
};

/// Feeds `bytes` so many at a time, and allows what waits.
outcome fed(frame_filter& filter, const std::string& bytes, size_t at_once = std::string::npos) {
  outcome all;
  for (size_t at = 0; at < bytes.size();) {
    const auto came = filter.feed(std::string_view(bytes).substr(at, at_once), all.passed);
    at += came.taken;
    if (came.fault) {
      all.fault = *came.fault;
      return all;
    }
    if (filter.waits_to_be_allowed() > 0)
      filter.allow();
  }
  return all;
}

outcome fed(frame_origin origin, const std::string& bytes, size_t at_once = std::string::npos) {
  frame_filter filter(origin, ours);
  return fed(filter, bytes, at_once);
}

/// Everything that a program of ours may say, in its order.
std::string speech(frame_origin origin) {
  const auto begin = origin == frame_origin::connecting ? frames::both_connecting(theirs) : frames::accepting(theirs);
  return begin + frames::watch(theirs, ours) + frames::beat() + frames::message("some words") +
         frames::message(std::string(3 * frame_uncounted_bytes, 'x')) +
         frames::frame({.operation = frames::direct, .dest = 5, .flags = 1}, "by name") +
         frames::end(theirs, ours, std::string(300, 'r')) + frames::beat();
}

constexpr frame_origin both_origins[] = {frame_origin::connecting, frame_origin::accepting};

/// Something wrong, and what is said of it.
struct wrong_bytes {
  const char* what;
  std::string bytes;
  std::string fault;
  frame_origin origin = frame_origin::connecting;
};
std::ostream& operator<<(std::ostream& out, const wrong_bytes& x) {
  return out << x.what;
}

std::string after(const std::string& more) {
  return frames::both_connecting(theirs) + more;
}

const std::vector<wrong_bytes> first_frames{
  {"a handshake without a payload", frames::to_bytes({.operation = frames::client_handshake}), "without payload"},
  {"a handshake of the other side", frames::accepting(theirs), "it begins with a handshake of the accepting side"},
  {"a heartbeat", frames::beat(), "it begins with a heartbeat"},
  {"a message", frames::message("x"), "it begins with a message"},
  {"a routed message", frames::frame({.operation = frames::routed, .dest = 1}, "x"), "it begins with a routed message"},
  {"words of HTTP", "GET /v1/status HTTP/1.1\r\nHost: anna\r\n\r\n", "it begins with operation 71"},
  {"a hello of TLS", std::string("\x16\x03\x01", 3) + std::string(40, 'x'), "it speaks TLS"},
  {"an alert of TLS", std::string("\x15\x03\x03", 3) + std::string(40, 'x'), "it speaks TLS"},
  {"4 GiB", frames::to_bytes({.operation = frames::client_handshake, .payload = 0xffffffff}),
   "announces a handshake of the connecting side of 4294967295 bytes, 4096 are allowed"},
  {"a byte more than a handshake may have", frames::to_bytes({.operation = frames::client_handshake, .payload = 4097}),
   "4097 bytes, 4096 are allowed"},
  {"the flag of the second one", frames::connecting(theirs, 2), "header is wrong"},
  {"a sender", frames::frame({.operation = frames::client_handshake, .source = 1}, theirs), "header is wrong"},
  {"padding", frames::frame({.operation = frames::client_handshake, .padding = 1}, theirs), "header is wrong"},
  {"a short name", frames::connecting(theirs.substr(1)), "its handshake names no program"},
  {"more than a name", frames::connecting(theirs + "x"), "its handshake names no program"},
  {"a name of another kind", frames::connecting("x" + theirs.substr(1)), "its handshake names no program"},
  {"no process", frames::connecting(frames::name(0)), "its handshake names no program"},
  {"no machine", frames::connecting(frames::name(1, '\0')), "its handshake names no program"},
  {"no payload", frames::to_bytes({.operation = frames::server_handshake, .data = 3}), "without payload",
   frame_origin::accepting},
  {"10^9 bytes", frames::to_bytes({.operation = frames::server_handshake, .payload = 1'000'000'000, .data = 3}),
   "1000000000 bytes, 4096 are allowed", frame_origin::accepting},
  {"a handshake of the other side", frames::connecting(theirs), "it begins with a handshake of the connecting side",
   frame_origin::accepting},
  {"another version", frames::accepting(theirs, {"levain"}, 4), "it speaks version 4 of CAF's protocol instead of 3",
   frame_origin::accepting},
  {"another program of CAF's", frames::accepting(theirs, {"another"}), "it is another program than Levain's",
   frame_origin::accepting},
  {"a name alone", frames::frame({.operation = frames::server_handshake, .data = 3}, theirs), "cannot be read",
   frame_origin::accepting},
  {"more than it says",
   frames::frame(
     {.operation = frames::server_handshake, .data = 3},
     theirs + frames::texts({"levain"}) + frames::number(7, 8) + frames::texts({}) + "x"),
   "cannot be read", frame_origin::accepting},
  {"a list that never ends",
   frames::frame({.operation = frames::server_handshake, .data = 3}, theirs + std::string(100, '\xff')),
   "cannot be read", frame_origin::accepting},
};

const std::vector<wrong_bytes> later_frames{
  {"a third handshake", after(frames::connecting(theirs, 2)), "it sends another handshake"},
  {"a handshake of the other side", after(frames::accepting(theirs)), "it sends another handshake"},
  {"two handshakes of the accepting side", frames::accepting(theirs) + frames::accepting(theirs),
   "it sends another handshake", frame_origin::accepting},
  {"something between the handshakes", frames::connecting(theirs) + frames::beat(), "it begins with a heartbeat"},
  {"two first handshakes", frames::connecting(theirs) + frames::connecting(theirs), "header is wrong"},
  {"a second name", frames::connecting(theirs) + frames::connecting(others, 2), "names another program"},
  {"a routed message", after(frames::frame({.operation = frames::routed, .dest = 1}, others + ours)),
   "in the name of another program"},
  {"an operation that there is not", after(frames::to_bytes({.operation = 7})), "operation 7"},
  {"a message of a byte too much",
   after(frames::to_bytes({.operation = frames::direct, .payload = frame_payload_bytes_max + 1, .dest = 1})),
   "67109889 bytes, 67109888 are allowed"},
  {"an empty message", after(frames::to_bytes({.operation = frames::direct, .dest = 1})), "a message without payload"},
  {"a message to nobody", after(frames::message("x", 0)), "a message whose header is wrong"},
  {"a message with a flag", after(frames::frame({.operation = frames::direct, .dest = 1, .flags = 4}, "x")),
   "a message whose header is wrong"},
  {"a heartbeat with a payload", after(frames::frame({}, "x")), "a heartbeat with payload"},
  {"a heartbeat with data", after(frames::to_bytes({.data = 1})), "a heartbeat whose header is wrong"},
  {"watching for another program", after(frames::watch(others, ours)), "in the name of another program"},
  {"watching an actor elsewhere", after(frames::watch(theirs, others)), "to another program"},
  {"watching nobody", after(frames::watch(theirs, ours, 0)), "a request to watch an actor whose header is wrong"},
  {"watching, and more", after(frames::watch(theirs, ours + "x")), "that cannot be read"},
  {"the end of another program's actor", after(frames::end(others, ours)), "in the name of another program"},
  {"an end that is not for us", after(frames::end(theirs, others)), "to another program"},
  {"an end without a reason", after(frames::end(theirs, ours, "")), "that cannot be read"},
  {"a long reason", after(frames::end(theirs, ours, std::string(5000, 'x'))), "5064 bytes, 4096 are allowed"},
};

} // namespace

BOOST_AUTO_TEST_SUITE(wire_frame_filter_test)

BOOST_DATA_TEST_CASE(what_our_programs_say_passes_as_it_came, data::make({1, 2, 7, 31, 33, 1000, 1 << 20}), at_once) {
  for (const auto origin : both_origins) {
    const auto said = speech(origin);
    const auto came = fed(origin, said, static_cast<size_t>(at_once));
    BOOST_TEST(came.fault == "");
    BOOST_TEST((came.passed == said));
  }
}

BOOST_DATA_TEST_CASE(nothing_passes_of_a_wrong_first_frame, data::make(first_frames), each) {
  for (const size_t at_once : {1UL, 5UL, 1UL << 20}) {
    const auto came = fed(each.origin, each.bytes + std::string(100, 'x'), at_once);
    BOOST_TEST(has(came.fault, each.fault), came.fault);
    BOOST_TEST(came.passed == "");
  }
}

BOOST_DATA_TEST_CASE(a_later_frame_that_is_wrong_does_not_pass_and_ends_all, data::make(later_frames), each) {
  frame_filter filter(each.origin, ours);
  const auto came = fed(filter, each.bytes);
  BOOST_TEST(has(came.fault, each.fault), came.fault);
  BOOST_TEST(each.bytes.starts_with(came.passed));
  BOOST_TEST(came.passed.size() < each.bytes.size());
  const auto later = fed(filter, frames::beat());
  BOOST_TEST(later.fault == came.fault);
  BOOST_TEST(later.passed == "");
}

BOOST_AUTO_TEST_CASE(an_alert_of_tls_is_known_though_it_is_shorter_than_a_header) {
  const std::string alert("\x15\x03\x01\x00\x02\x02\x46", 7);
  for (const size_t at_once : {1UL, 7UL})
    BOOST_TEST(has(fed(frame_origin::accepting, alert, at_once).fault, "it speaks TLS"));
}

BOOST_AUTO_TEST_CASE(a_program_is_known_by_its_first_frame) {
  frame_filter filter(frame_origin::connecting, ours);
  const auto first = frames::connecting(theirs);
  fed(filter, first.substr(0, first.size() - 1));
  BOOST_TEST(!filter.introduced());
  fed(filter, first.substr(first.size() - 1));
  BOOST_TEST(filter.introduced());
  BOOST_TEST(!filter.open());
  BOOST_TEST((filter.sender() == theirs));
  BOOST_TEST((filter.introduction() == first));
  fed(filter, frames::connecting(theirs, 2));
  BOOST_TEST(filter.open());
  BOOST_TEST((filter.introduction() == first));
}

BOOST_AUTO_TEST_CASE(the_first_frame_of_this_program_is_one_that_others_take) {
  BOOST_TEST((connecting_introduction(theirs) == frames::connecting(theirs)));
}

BOOST_AUTO_TEST_CASE(a_large_message_waits_until_it_is_allowed) {
  frame_filter filter(frame_origin::connecting, ours);
  fed(filter, frames::both_connecting(theirs));
  const auto large = frames::message(std::string(frame_uncounted_bytes + 1, 'x'));

  // When
  std::string passed;
  const auto before = filter.feed(large, passed);

  // Then: not even its header has passed, which would make CAF take the memory.
  BOOST_TEST(before.taken == frame_header_bytes);
  BOOST_TEST(passed == "");
  BOOST_TEST(filter.waits_to_be_allowed() == frame_uncounted_bytes + 1);
  BOOST_TEST(filter.feed(large, passed).taken == 0u);
  BOOST_TEST(filter.in_frame());
  filter.allow();
  BOOST_TEST(filter.feed(large.substr(before.taken), passed).taken == large.size() - before.taken);
  BOOST_TEST((passed == large));
  BOOST_TEST(!filter.in_frame());
  BOOST_TEST(filter.frames() == 3u);
}

BOOST_AUTO_TEST_CASE(the_largest_message_is_not_held) {
  frame_filter filter(frame_origin::connecting, ours);
  fed(filter, frames::both_connecting(theirs));
  std::string passed;
  filter.feed(frames::to_bytes({.operation = frames::direct, .payload = frame_payload_bytes_max, .dest = 1}), passed);
  BOOST_TEST(filter.waits_to_be_allowed() == frame_payload_bytes_max);
  filter.allow();
  const std::string some(1000, 'x');
  for (int i = 0; i < 100; ++i) {
    passed.clear();
    filter.feed(some, passed);
    BOOST_TEST(passed.size() <= some.size() + frame_header_bytes);
  }
  BOOST_TEST(filter.in_frame());
  BOOST_TEST(filter.frame_payload() == frame_payload_bytes_max);
}

BOOST_AUTO_TEST_CASE(a_program_is_shown_as_caf_shows_it) {
  BOOST_TEST(shown_program(frames::name(4711, '\x5a')) == "5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A#4711");
  BOOST_TEST(shown_program("nonsense") == "unknown");
}

BOOST_AUTO_TEST_SUITE_END()
