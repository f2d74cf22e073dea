#include "actors/cluster/wire_stream.hpp"

#include <array>
#include <fcntl.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>

#include "actors/cluster/wire_tls.hpp"

namespace levain {

namespace asio = boost::asio;
using boost::system::error_code;

wire_stream::wire_stream(tcp::socket socket, settings* tls)
  : socket_(std::make_unique<tcp::socket>(std::move(socket))) {
  keep_from_children(socket_->native_handle());
  error_code ignored;
  socket_->set_option(tcp::no_delay(true), ignored);
  socket_->set_option(asio::socket_base::keep_alive(true), ignored);
  if (tls != nullptr)
    tls_ = std::make_unique<asio::ssl::stream<tcp::socket&>>(*socket_, *tls);
}

void wire_stream::handshake(bool accepting, std::function<void(std::string)> done) {
  if (!tls_) {
    asio::post(socket_->get_executor(), [done = std::move(done)] { done({}); });
    return;
  }
  const auto side = accepting ? asio::ssl::stream_base::server : asio::ssl::stream_base::client;
  tls_->async_handshake(side, [this, accepting, done = std::move(done)](const error_code& wrong) {
    if (wrong == asio::error::operation_aborted)
      return done("the connection was given up");
    if (accepting && is_no_tls(wrong))
      alert_of_mismatch();
    done(wrong ? tls_fault(tls_->native_handle(), wrong) : "");
  });
}

void wire_stream::read_some(char* to, size_t size, transferred done) {
  if (tls_)
    tls_->async_read_some(asio::buffer(to, size), std::move(done));
  else
    socket_->async_read_some(asio::buffer(to, size), std::move(done));
}

void wire_stream::write_some(const char* from, size_t size, transferred done) {
  if (tls_)
    tls_->async_write_some(asio::buffer(from, size), std::move(done));
  else
    socket_->async_write_some(asio::buffer(from, size), std::move(done));
}

void wire_stream::alert_of_mismatch() {
  // A record of alerts, TLS 1.0 as for a first record, two bytes long: fatal, protocol_version (RFC 8446 section 6).
  constexpr std::array<uint8_t, 7> alert{21, 3, 1, 0, 2, 2, 70};
  // So few bytes have room, or nobody reads them.
  error_code ignored;
  socket_->non_blocking(true, ignored);
  socket_->write_some(asio::buffer(alert), ignored);
}

void wire_stream::close() {
  error_code ignored;
  socket_->shutdown(tcp::socket::shutdown_both, ignored);
  socket_->close(ignored);
}

void keep_from_children(int descriptor) {
  fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

std::string stream_fault(const error_code& wrong) {
  namespace error = asio::error;
  if (
    wrong == error::eof || wrong == asio::ssl::error::stream_truncated || wrong == error::connection_reset ||
    wrong == error::broken_pipe)
    return "it closed the connection";
  if (wrong.category() == error::get_ssl_category())
    return tls_fault(wrong);
  return "the connection failed: " + wrong.message();
}

} // namespace levain
