#include "actors/cluster/wire_address.hpp"

#include <arpa/inet.h>
#include <charconv>
#include <cstring>

namespace levain {

std::optional<wire_address> parse_listen_address(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0)
    return std::nullopt;
  auto host = text.substr(0, colon);
  if (host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string::npos)
    return std::nullopt;
  uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data() + colon + 1, end, port);
  if (host.empty() || error != std::errc() || stopped != end)
    return std::nullopt;
  return wire_address{std::move(host), port};
}

std::optional<wire_address> parse_wire_address(const std::string& text) {
  auto address = parse_listen_address(text);
  return address && address->port != 0 ? address : std::nullopt;
}

std::string to_string(const wire_address& address) {
  const bool bare = address.host.find(':') == std::string::npos;
  return (bare ? address.host : '[' + address.host + ']') + ':' + std::to_string(address.port);
}

bool is_loopback(const wire_address& address) {
  constexpr uint32_t first_byte = 24;
  constexpr uint32_t loopback_network = 127;
  in_addr four{};
  if (inet_pton(AF_INET, address.host.c_str(), &four) == 1)
    return ntohl(four.s_addr) >> first_byte == loopback_network;
  in6_addr six{};
  return inet_pton(AF_INET6, address.host.c_str(), &six) == 1 && std::memcmp(&six, &in6addr_loopback, sizeof(six)) == 0;
}

bool is_any_address(const wire_address& address) {
  in_addr four{};
  if (inet_pton(AF_INET, address.host.c_str(), &four) == 1)
    return four.s_addr == INADDR_ANY;
  in6_addr six{};
  return inet_pton(AF_INET6, address.host.c_str(), &six) == 1 && std::memcmp(&six, &in6addr_any, sizeof(six)) == 0;
}

} // namespace levain
