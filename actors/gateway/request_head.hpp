#pragma once

#include <boost/asio/ip/address.hpp>
#include <boost/beast/http/message.hpp>
#include <map>
#include <optional>
#include <string>

#include "actors/gateway/http_server.hpp"

// INTERNAL to the server: what is asked of a request before its body is read.

namespace levain {

/// Why a request is answered before anybody handles it.
struct head_refused {
  int status = 400;
  std::string title;
  /// A sentence.
  std::string detail;
};

/// What the rules of HTTP and of the server forbid in this header; nothing when it may be handled. `local` is the
/// address at which the client reached the server.
std::optional<head_refused> check_head(
  const boost::beast::http::request_header<>& head, const http_server_options& options,
  const boost::asio::ip::address& local);

/// The fields with their names in lower case, as `http_request` has them.
std::map<std::string, std::string> lower_case_headers(const boost::beast::http::request_header<>& head);

} // namespace levain
