#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>

namespace levain {

/// A connection with another program, over TLS or in clear text. One operation in each direction at a time. The thread
/// of its context.
class wire_stream {
public:
  using tcp = boost::asio::ip::tcp;
  using settings = boost::asio::ssl::context;
  using transferred = std::function<void(const boost::system::error_code&, size_t)>;

  /// Clear text when `tls` is null.
  wire_stream(tcp::socket socket, settings* tls);

  /// Calls `done` with what was wrong, or with an empty text; not before it returns. Who connects in clear text to one
  /// that accepts TLS is told by an alert.
  void handshake(bool accepting, std::function<void(std::string)> done);
  void read_some(char* to, size_t size, transferred done);
  void write_some(const char* from, size_t size, transferred done);
  /// Tells the other side, which has said one thing of TLS or of clear text, that this side speaks the other one: an
  /// alert of TLS, which both can read. Nothing more may be written.
  void alert_of_mismatch();
  /// At once: what was not written is lost.
  void close();

private:
  /// Where it stays when the stream is moved: TLS refers to it.
  std::unique_ptr<tcp::socket> socket_;
  std::unique_ptr<boost::asio::ssl::stream<tcp::socket&>> tls_;
};

/// A program that this one starts does not get the descriptor; Asio leaves that to its users.
void keep_from_children(int descriptor);

/// What was wrong when bytes were to be read or written, in a sentence about the other side without a name.
std::string stream_fault(const boost::system::error_code& wrong);

} // namespace levain
