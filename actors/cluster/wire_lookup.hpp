#pragma once

#include <string>
#include <variant>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "actors/cluster/wire_address.hpp"

namespace levain {

using wire_endpoints = std::vector<boost::asio::ip::tcp::endpoint>;

/// There is no such host, in a sentence without the address.
struct no_host {
  std::string why;
};

/// True for a host that is a number, which `look_up` reads without asking the system.
bool is_number(const wire_address& at);
/// Where that is. Blocks within the limits of the system's resolver when the host is a name.
std::variant<wire_endpoints, no_host> look_up(const wire_address& at);

} // namespace levain
