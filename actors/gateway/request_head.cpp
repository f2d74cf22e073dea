#include "actors/gateway/request_head.hpp"

#include <algorithm>
#include <array>
#include <boost/beast/core/string.hpp>
#include <cctype>
#include <fmt/format.h>
#include <variant>

#include "actors/gateway/host_rules.hpp"
#include "actors/gateway/request_target.hpp"

namespace levain {

namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

/// Of what a client sent, in a sentence.
constexpr size_t quoted_bytes_max = 200;

/// Fields that mean something else when they are joined, and that nobody who means well sends twice.
constexpr std::array<std::string_view, 7> single_fields{
  "Content-Type", "Transfer-Encoding", "Expect", "Authorization", "Idempotency-Key", "Origin", "Sec-Fetch-Site"};

std::string_view view(beast::string_view text) {
  return {text.data(), text.size()};
}

std::string_view value_of(const http::request_header<>& head, std::string_view name) {
  const auto found = head.find(beast::string_view(name.data(), name.size()));
  return found == head.end() ? std::string_view() : view(found->value());
}

head_refused bad_request(std::string detail) {
  return {400, "Bad Request", std::move(detail)};
}

std::optional<head_refused> broken_rule(const http::request_header<>& head) {
  const auto hosts = head.count(http::field::host);
  if (hosts > 1 || (head.version() == 11 && hosts != 1))
    return bad_request(fmt::format("A request has exactly one Host field; this one has {}.", hosts));
  for (const auto name : single_fields)
    if (const auto count = head.count(beast::string_view(name.data(), name.size())); count > 1)
      return bad_request(fmt::format("A request has at most one {} field; this one has {}.", name, count));
  const auto coding = value_of(head, "Transfer-Encoding");
  if (!coding.empty() && !beast::iequals(beast::string_view(coding.data(), coding.size()), "chunked"))
    return bad_request(fmt::format("The transfer coding '{}' is not known; 'chunked' is.", coding));
  return std::nullopt;
}

/// The host that the request names: in its target, else in its `Host` field. Nothing when it names none, as HTTP/1.0
/// allows.
std::optional<std::string> named_host(const http::request_header<>& head) {
  const auto target = parse_request_target(view(head.target()));
  if (const auto* found = std::get_if<request_target>(&target); found != nullptr && found->authority)
    return found->authority;
  if (head.count(http::field::host) == 0)
    return std::nullopt;
  return std::string(value_of(head, "Host"));
}

bool changes_nothing(http::verb method) {
  return method == http::verb::get || method == http::verb::head || method == http::verb::options ||
         method == http::verb::trace;
}

/// Why a browser's page may not ask for this; nothing where no browser says that a page of another origin asks.
std::optional<head_refused> foreign_page(const http::request_header<>& head, const std::optional<host_port>& host) {
  const auto site = value_of(head, "Sec-Fetch-Site");
  const beast::string_view site_view(site.data(), site.size());
  if (beast::iequals(site_view, "cross-site") || beast::iequals(site_view, "same-site"))
    return head_refused{
      403, "Forbidden",
      fmt::format("A page of another origin (Sec-Fetch-Site: {}) may not ask for a change; only GET and HEAD.", site)};
  if (head.count(http::field::origin) == 0)
    return std::nullopt;
  const auto origin = value_of(head, "Origin");
  if (host && is_same_origin(origin, *host))
    return std::nullopt;
  return head_refused{
    403, "Forbidden",
    fmt::format(
      "A page of origin '{}' may not ask for a change: the request is for {}, another origin. A proxy in front has to "
      "pass the Host field on as it came.",
      origin.substr(0, quoted_bytes_max), host ? fmt::format("host '{}'", host->host) : "no host")};
}

} // namespace

std::optional<head_refused> check_head(
  const http::request_header<>& head, const http_server_options& options, const boost::asio::ip::address& local) {
  if (auto broken = broken_rule(head))
    return broken;
  if (options.any_host)
    return std::nullopt;
  std::optional<host_port> host;
  if (const auto named = named_host(head)) {
    host = parse_host_port(*named);
    if (!host || !is_own_host(*host, local, options.host, options.host_names))
      return head_refused{
        421, "Misdirected Request",
        fmt::format(
          "This server is not called '{}': it answers to localhost, to its own addresses, and to the names given to it "
          "(levaind --allow-host NAME).",
          named->substr(0, quoted_bytes_max))};
  }
  return changes_nothing(head.method()) ? std::nullopt : foreign_page(head, host);
}

std::map<std::string, std::string> lower_case_headers(const http::request_header<>& head) {
  std::map<std::string, std::string> headers;
  for (const auto& field : head) {
    std::string name(view(field.name_string()));
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    auto [at, is_new] = headers.try_emplace(std::move(name), view(field.value()));
    if (!is_new)
      at->second.append(", ").append(view(field.value()));
  }
  return headers;
}

} // namespace levain
