#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "actors/cluster/wire_address.hpp"
#include "actors/cluster/wire_link.hpp"
#include "actors/cluster/wire_pace.hpp"
#include "actors/cluster/wire_security.hpp"

namespace levain {

/// How many connections may be open at once.
struct wire_room {
  size_t unintroduced = unintroduced_max;
  size_t unintroduced_of_one_address = unintroduced_of_one_address_max;
  size_t links = links_max;
  bool operator==(const wire_room&) const = default;
};
/// As much of the limits as a process that may have so many descriptors can afford.
wire_room room_with(size_t descriptors);

/// Stands between CAF and the network: listens, connects, speaks TLS, and passes frames on as `frame_filter` allows.
/// CAF gets one end of a pair of sockets for each connection, and no byte that was not looked at. Has a thread of its
/// own, which callbacks are called in; they must not block.
class wire_proxy {
public:
  using endpoints = std::vector<boost::asio::ip::tcp::endpoint>;

  /// Throws `bad_certificates`. Clear text when `security` is off.
  wire_proxy(const wire_security& security, const wire_pace& pace);
  /// Ends all connections; what CAF has given it is sent within half a second.
  ~wire_proxy();
  wire_proxy(const wire_proxy&) = delete;
  wire_proxy& operator=(const wire_proxy&) = delete;

  /// Takes connections from now on; `self` is the name of this program. `introduced` gets CAF's end of each connection
  /// whose other side has introduced itself. Answers the port. Throws `std::runtime_error` when the address cannot be
  /// bound. Once, until `close`.
  uint16_t listen(const wire_address& at, const std::string& self, std::function<void(file_descriptor)> introduced);
  /// Takes no more connections; when it returns, `introduced` is not called any more. Idempotent.
  void close();

  /// What became of an attempt to connect.
  struct dialled {
    /// CAF's end; null when it failed.
    std::shared_ptr<file_descriptor> connection;
    std::shared_ptr<link_ending> ending;
    /// Why it failed, in a sentence without the address.
    std::string why;
  };
  /// Connects with the first of these that takes a connection; TLS, if any, is over by then.
  void dial(
    const endpoints& at, const std::string& self, std::chrono::milliseconds time_max,
    std::function<void(dialled)> done);

  /// What another program says to a connection, without CAF.
  struct greeting {
    bool reached = false;
    /// The two do not trust or understand each other: waiting would not help.
    bool distrust = false;
    /// Why it was not reached, in a sentence without the address.
    std::string why;
  };
  /// Connects, waits until the other side has introduced itself, and closes the connection again.
  void greet(
    const endpoints& at, const std::string& self, std::chrono::milliseconds time_max,
    std::function<void(greeting)> done);

  /// Why the last connection with the program of this name ended; empty when that is not known. Any thread.
  std::string why_ended(const std::string& name) const;

private:
  class impl;
  std::unique_ptr<impl> impl_;
};

} // namespace levain
