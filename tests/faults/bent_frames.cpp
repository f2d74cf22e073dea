#include "tests/faults/bent_frames.hpp"

#include <array>
#include <random>
#include <string>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <sys/socket.h>
#include <sys/time.h>

#include "tests/support/wire_frames.hpp"

namespace levain::test {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

/// Longer than a gate waits for anybody.
constexpr int seconds_max = 5;

class bender {
public:
  explicit bender(uint32_t seed)
    : chance_(seed) {}

  std::string bent(bool connecting) {
    const auto me = frames::name(1 + below(1'000'000), 'r');
    const auto other = frames::name(1 + below(1'000'000), 's');
    std::vector<std::string> said{connecting ? frames::connecting(me) : frames::accepting(me)};
    if (connecting)
      said.push_back(frames::connecting(me, 2));
    const std::array rest{
      frames::watch(me, other),
      frames::beat(),
      frames::message(std::string(below(200) + 1, 'x'), below(20) + 1),
      frames::end(me, other),
      frames::frame({.operation = frames::routed, .dest = 1}, other + me + "x"),
      frames::to_bytes({.operation = frames::direct, .payload = 0x04000000, .dest = 1})};
    for (uint32_t i = below(4); i > 0; --i)
      said.push_back(rest.at(below(rest.size())));
    switch (below(6)) {
    case 0:
      return frames::to_bytes(header());
    case 1:
      std::swap(said.front(), said.at(below(said.size())));
      break;
    case 2:
      said.insert(said.begin() + below(said.size() + 1), frames::to_bytes(header()));
      break;
    default:
      break;
    }
    std::string bytes;
    for (const auto& each : said)
      bytes += each;
    if (below(2) == 0)
      bytes[below(bytes.size())] ^= static_cast<char>(1U << below(8));
    if (below(4) == 0)
      bytes.resize(below(bytes.size()) + 1);
    return bytes;
  }

private:
  uint32_t below(size_t end) { return static_cast<uint32_t>(chance_() % end); }
  uint32_t field() { return below(2) == 0 ? 0 : chance_(); }

  frames::header header() {
    return {static_cast<uint8_t>(below(8)), field(), below(2) == 0 ? 3 : field(), field(), field()};
  }

  std::mt19937 chance_;
};

/// Says this, and waits until the other side closes the connection.
void speak(tcp::socket& to, const std::string& bytes) {
  const timeval limit{seconds_max, 0};
  setsockopt(to.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  error_code wrong;
  asio::write(to, asio::buffer(bytes), wrong);
  to.shutdown(tcp::socket::shutdown_send, wrong);
  std::array<char, 1024> answer{};
  while (recv(to.native_handle(), answer.data(), answer.size(), 0) > 0) {
  }
}

} // namespace

size_t send_bent_frames(const wire_address& at, size_t connections, uint32_t seed) {
  bender bends(seed);
  asio::io_context context;
  size_t made = 0;
  for (size_t i = 0; i < connections; ++i) {
    tcp::socket socket(context);
    error_code wrong;
    socket.connect({asio::ip::make_address(at.host), at.port}, wrong);
    if (wrong)
      return made;
    speak(socket, bends.bent(true));
    ++made;
  }
  return made;
}

void answer_with_bent_frames(const wire_address& at, size_t connections, uint32_t seed) {
  bender bends(seed);
  asio::io_context context;
  tcp::acceptor gate(context, {asio::ip::make_address(at.host), at.port});
  for (size_t i = 0; i < connections; ++i) {
    auto socket = gate.accept();
    // The first one gets what ended a program once: a handshake without what is in it.
    speak(socket, i == 0 ? frames::to_bytes({.operation = frames::server_handshake, .data = 3}) : bends.bent(false));
  }
}

} // namespace levain::test
