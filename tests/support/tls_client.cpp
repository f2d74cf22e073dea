#include "tests/support/tls_client.hpp"

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>

#include <boost/asio/write.hpp>

#include "actors/cluster/wire_address.hpp"
#include "tests/support/wire_frames.hpp"

namespace levain::test {

namespace asio = boost::asio;
using asio::ip::tcp;

tls_greeting
greeting_over_tls(const std::string& address, const wire_security& files, std::chrono::milliseconds limit) {
  const auto at = parse_wire_address(address).value();
  asio::ssl::context settings(asio::ssl::context::tls_client);
  settings.load_verify_file(files.ca);
  settings.set_verify_mode(asio::ssl::verify_peer);
  if (files.is_on()) {
    settings.use_certificate_file(files.certificate, asio::ssl::context::pem);
    settings.use_private_key_file(files.key, asio::ssl::context::pem);
  }
  asio::io_context context;
  asio::ssl::stream<tcp::socket> stream(context, settings);
  stream.next_layer().connect(tcp::endpoint(asio::ip::make_address(at.host), at.port));

  tls_greeting greeting{{}, "it says nothing"};
  std::array<char, 1> first{};
  const auto spoken = [&](const boost::system::error_code& wrong, size_t size) {
    greeting.bytes.assign(first.data(), size);
    greeting.error = wrong ? wrong.message() : "";
  };
  stream.async_handshake(asio::ssl::stream_base::client, [&](const boost::system::error_code& wrong) {
    if (wrong) {
      greeting.error = wrong.message();
      return;
    }
    // Whoever has not introduced itself gets no answer.
    static const auto introduction = frames::connecting(frames::name(1));
    asio::async_write(stream, asio::buffer(introduction), [&](const boost::system::error_code&, size_t) {
      stream.async_read_some(asio::buffer(first), spoken);
    });
  });
  context.run_for(limit);
  return greeting;
}

} // namespace levain::test
