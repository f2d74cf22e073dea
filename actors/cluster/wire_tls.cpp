#include "actors/cluster/wire_tls.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>

namespace levain {

namespace ssl = boost::asio::ssl;

ssl::context tls_settings(const wire_security& files) {
  ssl::context settings(ssl::context::tls);
  settings.set_options(ssl::context::default_workarounds | ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1);
  try {
    settings.use_certificate_chain_file(files.certificate);
    settings.use_private_key_file(files.key, ssl::context::pem);
    settings.load_verify_file(files.ca);
  } catch (const boost::system::system_error& wrong) {
    throw bad_certificates(fmt::format("the certificates cannot be used: {}", wrong.what()));
  }
  settings.set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert);
  if (SSL_CTX_set_cipher_list(settings.native_handle(), "HIGH:!aNULL:!MD5") != 1)
    throw bad_certificates("OpenSSL has no cipher for the wire");
  // A session that is taken up again would not be asked for its certificate.
  SSL_CTX_set_session_cache_mode(settings.native_handle(), SSL_SESS_CACHE_OFF);
  return settings;
}

std::string tls_fault(SSL* session, const boost::system::error_code& wrong) {
  if (const long verified = SSL_get_verify_result(session); verified != X509_V_OK)
    return fmt::format("its certificate is refused: {}", X509_verify_cert_error_string(verified));
  if (
    wrong == boost::asio::error::eof || wrong == ssl::error::stream_truncated ||
    wrong == boost::asio::error::connection_reset || wrong == boost::asio::error::broken_pipe)
    return "it closed the connection during the TLS handshake";
  if (wrong.category() != boost::asio::error::get_ssl_category())
    return wrong.message();
  return tls_fault(wrong);
}

bool is_no_tls(const boost::system::error_code& wrong) {
  if (wrong.category() != boost::asio::error::get_ssl_category())
    return false;
  switch (ERR_GET_REASON(static_cast<unsigned long>(wrong.value()))) {
  case SSL_R_WRONG_VERSION_NUMBER:
  case SSL_R_HTTP_REQUEST:
  case SSL_R_HTTPS_PROXY_REQUEST:
  case SSL_R_UNKNOWN_PROTOCOL:
  case SSL_R_BAD_RECORD_TYPE:
  case SSL_R_UNEXPECTED_MESSAGE:
  case SSL_R_PACKET_LENGTH_TOO_LONG:
    return true;
  default:
    return false;
  }
}

std::string tls_fault(const boost::system::error_code& wrong) {
  if (is_no_tls(wrong))
    return "it does not speak TLS";
  switch (ERR_GET_REASON(static_cast<unsigned long>(wrong.value()))) {
  case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
    return "it shows no certificate";
  case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    return "it has no certificate, or speaks other versions of TLS alone";
  case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
  case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
  case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
  case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
  case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
  case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
  case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    return fmt::format("it refuses this program's certificate ({})", wrong.message());
  default:
    return fmt::format("TLS failed ({})", wrong.message());
  }
}

} // namespace levain
