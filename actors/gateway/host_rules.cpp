#include "actors/gateway/host_rules.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace levain {

namespace {

namespace ip = boost::asio::ip;

constexpr uint16_t http_port = 80;
constexpr uint16_t https_port = 443;
/// Of a domain name (RFC 1035).
constexpr size_t name_bytes_max = 255;

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](unsigned char c) { return std::tolower(c); });
  return result;
}

bool is_name(std::string_view text) {
  const auto fits = [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '.' || c == '_'; };
  return !text.empty() && text.size() <= name_bytes_max && std::all_of(text.begin(), text.end(), fits) &&
         text.front() != '.' && text.find("..") == std::string_view::npos;
}

/// Without a scope, and as IPv4 where it stands for such an address.
ip::address plain_address(const ip::address& address) {
  if (address.is_v4())
    return address;
  const auto v6 = address.to_v6();
  if (v6.is_v4_mapped())
    return ip::make_address_v4(ip::v4_mapped, v6);
  return ip::address_v6(v6.to_bytes());
}

std::optional<ip::address> address_in(std::string_view text) {
  boost::system::error_code error;
  const auto address = ip::make_address(std::string(text), error);
  return error ? std::nullopt : std::optional(plain_address(address));
}

/// `:` and digits, or nothing at all; false otherwise. A colon alone is the default port.
bool read_port(std::string_view text, std::optional<uint16_t>& port) {
  if (text.empty())
    return true;
  if (text.front() != ':')
    return false;
  text.remove_prefix(1);
  if (text.empty())
    return true;
  uint16_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size())
    return false;
  port = number;
  return true;
}

std::optional<host_port> parse_bracketed(std::string_view text) {
  const auto end = text.find(']');
  if (end == std::string_view::npos)
    return std::nullopt;
  const auto inside = text.substr(1, end - 1);
  const auto address = address_in(inside);
  host_port found;
  if (!address || inside.find(':') == std::string_view::npos || inside.find('%') != std::string_view::npos)
    return std::nullopt;
  found.host = address->to_string();
  if (!read_port(text.substr(end + 1), found.port))
    return std::nullopt;
  return found;
}

} // namespace

std::optional<host_port> parse_host_port(std::string_view text) {
  if (text.starts_with('['))
    return parse_bracketed(text);
  host_port found;
  const auto colon = std::min(text.find(':'), text.size());
  auto host = text.substr(0, colon);
  if (host.ends_with('.'))
    host.remove_suffix(1);
  if (!is_name(host) || !read_port(text.substr(colon), found.port))
    return std::nullopt;
  const auto address = address_in(host);
  found.host = address ? address->to_string() : lower(host);
  return found;
}

std::optional<host_port> host_of_url(std::string_view url) {
  for (const std::string_view scheme : {"http://", "https://"})
    if (lower(url.substr(0, scheme.size())) == scheme) {
      url.remove_prefix(scheme.size());
      return parse_host_port(url.substr(0, url.find_first_of("/?#")));
    }
  return std::nullopt;
}

bool is_own_host(
  const host_port& host, const ip::address& local, std::string_view listening, const std::vector<std::string>& names) {
  if (host.host == "localhost" || std::find(names.begin(), names.end(), host.host) != names.end())
    return true;
  const auto address = address_in(host.host);
  return address && (address->is_loopback() || *address == plain_address(local) || address == address_in(listening));
}

bool is_same_origin(std::string_view origin, const host_port& host) {
  const auto scheme_end = origin.find("://");
  if (scheme_end == std::string_view::npos)
    return false;
  const auto scheme = lower(origin.substr(0, scheme_end));
  const auto from = parse_host_port(origin.substr(scheme_end + 3));
  if (!from || (scheme != "http" && scheme != "https"))
    return false;
  const auto usual = scheme == "https" ? https_port : http_port;
  return from->host == host.host && from->port.value_or(usual) == host.port.value_or(usual);
}

} // namespace levain
