#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// Frames of BASP as CAF 0.17 writes them, and as it never would.
namespace levain::test::frames {

enum operation : uint8_t { server_handshake, client_handshake, direct, routed, monitor, down, heartbeat };

/// The fields of a header, each with a length of its own.
struct header {
  uint8_t operation = heartbeat;
  uint32_t payload = 0;
  uint64_t data = 0;
  uint64_t source = 0;
  uint64_t dest = 0;
  uint8_t flags = 0;
  uint16_t padding = 0;
};

/// `size` bytes, the highest first.
inline std::string number(uint64_t value, size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = size; i-- > 0; value >>= 8)
    bytes[i] = static_cast<char>(value & 0xff);
  return bytes;
}

inline std::string to_bytes(const header& x) {
  return number(x.operation, 1) + number(x.padding, 2) + number(x.flags, 1) + number(x.payload, 4) + number(x.data, 8) +
         number(x.source, 8) + number(x.dest, 8);
}

inline std::string frame(header x, const std::string& payload) {
  x.payload = static_cast<uint32_t>(payload.size());
  return to_bytes(x) + payload;
}

/// The name of the program with this process number, on a machine whose hash is made of `machine`.
inline std::string name(uint32_t process, char machine = 'm') {
  constexpr uint64_t kind = 0x3e9aab9bac79; // CAF's atom "default"
  return number(kind, 8) + number(process, 4) + std::string(20, machine);
}

inline std::string connecting(const std::string& who, uint8_t flags = 0) {
  return frame({.operation = client_handshake, .flags = flags}, who);
}
/// Both frames of the side that makes a connection.
inline std::string both_connecting(const std::string& who) {
  return connecting(who) + connecting(who, 2);
}
/// A list of short texts.
inline std::string texts(const std::vector<std::string>& all) {
  std::string bytes = number(all.size(), 1);
  for (const auto& each : all)
    bytes += number(each.size(), 1) + each;
  return bytes;
}
inline std::string
accepting(const std::string& who, const std::vector<std::string>& applications = {"levain"}, uint64_t version = 3) {
  return frame({.operation = server_handshake, .data = version}, who + texts(applications) + number(7, 8) + texts({}));
}
inline std::string message(const std::string& payload, uint64_t to = 7) {
  return frame({.operation = direct, .data = 1, .source = 3, .dest = to}, payload);
}
inline std::string watch(const std::string& from, const std::string& to, uint64_t actor = 7) {
  return frame({.operation = monitor, .dest = actor}, from + to);
}
inline std::string end(const std::string& from, const std::string& to, const std::string& reason = "\x05") {
  return frame({.operation = down, .source = 3}, from + to + reason);
}
inline std::string beat() {
  return to_bytes({});
}

} // namespace levain::test::frames
