// HTTPS services whose certificates come from a CA of one's own: `--calls-ca`.
#include <boost/test/unit_test.hpp>

#include <array>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <fstream>
#include <thread>

#include "apps/certificates/signed_certificate.hpp"
#include "tests/actors/http_executor_world.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;
using boost::asio::ip::tcp;

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

const validity now_valid{now_utc() - 1h, now_utc() + 24h};
const validity long_over{now_utc() - 48h, now_utc() - 24h};

/// Answers every request over TLS with `{"ok":1}`, and counts them.
class https_service {
public:
  explicit https_service(const signed_certificate& shown, const std::string& host = "127.0.0.1")
    : acceptor_(context_, {asio::ip::make_address(host), 0}) {
    const auto certificate = shown.certificate_text();
    const auto key = shown.key_text();
    settings_.use_certificate(asio::buffer(certificate), asio::ssl::context::pem);
    settings_.use_private_key(asio::buffer(key), asio::ssl::context::pem);
    accept();
    thread_ = std::thread([this] { context_.run(); });
  }
  ~https_service() {
    context_.stop();
    thread_.join();
  }
  https_service(const https_service&) = delete;
  https_service& operator=(const https_service&) = delete;

  std::string url() const {
    const auto at = acceptor_.local_endpoint();
    return "https://" + at.address().to_string() + ':' + std::to_string(at.port()) + '/';
  }
  size_t requests() const { return requests_; }

private:
  void accept() {
    acceptor_.async_accept([this](const error_code& wrong, tcp::socket socket) {
      if (wrong)
        return;
      answer(std::move(socket));
      accept();
    });
  }

  /// The callers here have time limits, so none keeps it waiting for long.
  void answer(tcp::socket socket) {
    asio::ssl::stream<tcp::socket> stream(std::move(socket), settings_);
    error_code wrong;
    stream.handshake(asio::ssl::stream_base::server, wrong);
    std::array<char, 4096> request{};
    if (wrong || stream.read_some(asio::buffer(request), wrong) == 0)
      return;
    ++requests_;
    constexpr std::string_view answer =
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\nConnection: close\r\n\r\n{\"ok\":1}";
    asio::write(stream, asio::buffer(answer), wrong);
    stream.shutdown(wrong);
  }

  asio::io_context context_;
  asio::ssl::context settings_{asio::ssl::context::tls_server};
  tcp::acceptor acceptor_;
  std::atomic<size_t> requests_{0};
  std::thread thread_;
};

/// A CA whose certificate lies in a file.
struct private_ca {
  signed_certificate ca = make_ca(now_valid);
  temporary_folder folder;

  std::string file() const {
    auto name = folder / "ca.pem";
    std::ofstream(name) << ca.certificate_text();
    return name;
  }
  signed_certificate sign(const validity& when = now_valid) const {
    return make_signed("bakery", certificate_use::node, when, ca);
  }
};

/// Why the call is not made; it may not have reached the service.
std::string refusal(const https_service& service, const std::string& ca_file) {
  http_executor executor({.ca_file = ca_file});
  const auto failure = failure_of(call(executor, request_to(service.url())));
  BOOST_TEST((failure.kind == call_failure::kind_type::retryable), failure.message);
  BOOST_TEST(!failure.unknown);
  BOOST_TEST(service.requests() == 0U);
  return failure.message;
}

std::string fault_of_file(const std::string& ca_file) {
  try {
    const http_executor executor({.ca_file = ca_file});
  } catch (const std::runtime_error& fault) {
    return fault.what();
  }
  return {};
}

} // namespace

BOOST_AUTO_TEST_SUITE(calls_over_https_test)

BOOST_AUTO_TEST_CASE(a_service_of_a_private_ca_is_called_where_the_ca_is_named) {
  const private_ca ours;
  const https_service service(ours.sign());
  http_executor executor({.ca_file = ours.file()});
  BOOST_TEST(text_of(call(executor, request_to(service.url()))) == "{\"ok\":1}");
  BOOST_TEST(service.requests() == 1U);
}

BOOST_AUTO_TEST_CASE(a_service_of_a_ca_that_nobody_named_is_not_called) {
  const private_ca ours;
  const private_ca theirs;
  const https_service service(ours.sign());
  for (const auto& named : {std::string(), theirs.file()}) {
    const auto said = refusal(service, named);
    BOOST_TEST(holds(said, "no TLS connection (SSL certificate problem: "), said);
  }
}

BOOST_AUTO_TEST_CASE(a_service_with_the_certificate_of_another_name_is_not_called) {
  const private_ca ours;
  // The certificate is for `bakery`, `localhost` and 127.0.0.1.
  const https_service service(ours.sign(), "127.0.0.2");
  const auto said = refusal(service, ours.file());
  BOOST_TEST(holds(said, "no TLS connection ("), said);
  BOOST_TEST(holds(said, "127.0.0.2'"), said);
}

BOOST_AUTO_TEST_CASE(a_service_whose_certificate_is_over_is_not_called) {
  const private_ca ours;
  const https_service service(ours.sign(long_over));
  const auto said = refusal(service, ours.file());
  BOOST_TEST(holds(said, "no TLS connection (SSL certificate problem: certificate has expired)"), said);
}

BOOST_AUTO_TEST_CASE(a_file_without_certificates_is_refused_by_name_at_the_start) {
  const temporary_folder folder;
  const auto missing = folder / "none.pem";
  BOOST_TEST(fault_of_file(missing) == "the file of certificates '" + missing + "' (--calls-ca) cannot be read");
  const auto junk = folder / "junk.pem";
  std::ofstream(junk) << "-----BEGIN NONSENSE-----\n";
  BOOST_TEST(
    fault_of_file(junk) == "the file '" + junk + "' (--calls-ca) holds no certificate; it must be a file in PEM");
}

BOOST_AUTO_TEST_SUITE_END()
