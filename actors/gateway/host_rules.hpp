#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace levain {

/// The host and port of a `Host` field, an `Origin` or a URL.
struct host_port {
  /// In lower case, without brackets and without a dot at the end; addresses in their canonical form.
  std::string host;
  std::optional<uint16_t> port;
  bool operator==(const host_port&) const = default;
};

/// Reads `name`, `name:port`, `1.2.3.4:port` or `[::1]:port`. Nothing for any other text.
std::optional<host_port> parse_host_port(std::string_view text);

/// The host of an `http://` or `https://` URL; nothing for any other text.
std::optional<host_port> host_of_url(std::string_view url);

/// True when a request that names this host is meant for this server: a loopback name or address, `local` (the address
/// at which the client reached the server), `listening` (the address it was told to listen on), or one of `names` as
/// `parse_host_port` returns them. A page in a browser whose own name was made to lead here (DNS rebinding) names its
/// own host.
bool is_own_host(
  const host_port& host, const boost::asio::ip::address& local, std::string_view listening,
  const std::vector<std::string>& names);

/// True when `origin` is the page's origin that a request to `host` comes from: the same host and port, where a port
/// that `host` leaves out is the one that the origin's scheme implies. `null` is nobody's origin.
bool is_same_origin(std::string_view origin, const host_port& host);

} // namespace levain
