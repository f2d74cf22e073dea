// What other programs may send over the wire before anything of CAF's reads it: both directions.
#include <algorithm>

#include "actors/cluster/wire_frame_filter.hpp"
#include "tests/fuzz/fuzz_target.hpp"
#include "tests/support/wire_frames.hpp"

namespace levain::test {

namespace {

const auto receiver = frames::name(1, 'a');

uint64_t number_at(std::string_view bytes, size_t at, size_t size) {
  uint64_t read = 0;
  for (const auto each : bytes.substr(at, size))
    read = read << 8 | static_cast<uint8_t>(each);
  return read;
}

/// CAF reads a handshake's payload without asking whether there is one, and takes the memory of any length.
void require_harmless(std::string_view passed, frame_origin origin) {
  const uint8_t handshake = origin == frame_origin::connecting ? frames::client_handshake : frames::server_handshake;
  const size_t handshakes_max = origin == frame_origin::connecting ? 2 : 1;
  size_t number = 0;
  while (passed.size() >= frame_header_bytes) {
    const auto operation = static_cast<uint8_t>(passed[0]);
    const auto payload = number_at(passed, 4, 4);
    const bool begins = number < handshakes_max;
    require(begins == (operation == handshake), "handshakes come first, and once each");
    require(operation != frames::routed && operation <= frames::heartbeat, "no frame goes further than here");
    require((payload == 0) == (operation == frames::heartbeat), "every frame but a heartbeat has a payload");
    require(payload <= (operation == frames::direct ? frame_payload_bytes_max : frame_control_bytes_max), "a limit");
    const auto size = std::min<size_t>(frame_header_bytes + payload, passed.size());
    if (operation != frames::direct)
      require(size == frame_header_bytes + payload, "all but messages pass whole");
    passed.remove_prefix(size);
    ++number;
  }
  require(passed.empty(), "a header passes whole");
}

struct outcome {
  std::string passed;
  std::string fault;
};

outcome feed_all(frame_filter& filter, std::string_view bytes, size_t at_once) {
  outcome all;
  while (!bytes.empty() && all.fault.empty()) {
    const auto before = all.passed.size();
    const auto fed = filter.feed(bytes.substr(0, at_once), all.passed);
    require(
      all.passed.size() - before <= at_once + frame_header_bytes + frame_control_bytes_max || at_once > bytes.size(),
      "what is held is bounded");
    require(fed.taken > 0 || fed.fault, "a filter goes on");
    bytes.remove_prefix(fed.taken);
    if (fed.fault)
      all.fault = *fed.fault;
    if (filter.waits_to_be_allowed() > 0)
      filter.allow();
  }
  return all;
}

} // namespace

LEVAIN_FUZZ_TARGET(cluster_frames) {
  if (input.empty())
    return;
  const auto control = static_cast<uint8_t>(input.front());
  const auto origin = (control & 1) == 0 ? frame_origin::connecting : frame_origin::accepting;
  const auto bytes = input.substr(1);
  frame_filter whole(origin, (control & 2) == 0 ? receiver : "");
  const auto at_once = feed_all(whole, bytes, bytes.size() + 1);
  require(bytes.starts_with(at_once.passed), "what passes is what came, in its order");
  if (!at_once.fault.empty())
    require_line(at_once.fault);
  require_harmless(at_once.passed, origin);
  frame_filter pieces(origin, (control & 2) == 0 ? receiver : "");
  const auto in_pieces = feed_all(pieces, bytes, 1 + (control >> 2));
  require(in_pieces.passed == at_once.passed, "pieces pass as the whole does");
  require(in_pieces.fault == at_once.fault, "pieces are wrong as the whole is", in_pieces.fault);
  require(pieces.sender() == whole.sender() && pieces.frames() == whole.frames(), "a filter knows what it passed");
}

} // namespace levain::test
