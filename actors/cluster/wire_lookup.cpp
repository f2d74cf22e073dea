#include "actors/cluster/wire_lookup.hpp"

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

namespace levain {

namespace asio = boost::asio;
using boost::system::error_code;

bool is_number(const wire_address& at) {
  error_code wrong;
  asio::ip::make_address(at.host, wrong);
  return !wrong;
}

std::variant<wire_endpoints, no_host> look_up(const wire_address& at) {
  error_code wrong;
  if (const auto number = asio::ip::make_address(at.host, wrong); !wrong)
    return wire_endpoints{{number, at.port}};
  asio::io_context context;
  const auto found = asio::ip::tcp::resolver(context).resolve(at.host, std::to_string(at.port), wrong);
  if (wrong)
    return no_host{fmt::format("'{}' is no host: {}", at.host, wrong.message())};
  wire_endpoints all;
  for (const auto& each : found)
    all.push_back(each.endpoint());
  return all;
}

} // namespace levain
