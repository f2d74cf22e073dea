#pragma once

#include <string>

#include <boost/asio/ssl/context.hpp>
#include <boost/system/error_code.hpp>
#include <openssl/ssl.h>

#include "actors/cluster/wire_security.hpp"

namespace levain {

/// The settings of TLS for both sides of a connection: each shows its certificate and wants one of the same CA. Throws
/// `bad_certificates` when OpenSSL does not take the files.
boost::asio::ssl::context tls_settings(const wire_security& files);

/// Why a handshake failed, in a sentence about the other side without a name.
std::string tls_fault(SSL* session, const boost::system::error_code& wrong);
/// As that for an error of OpenSSL's own; with TLS 1.3 the other side refuses a certificate after the handshake.
std::string tls_fault(const boost::system::error_code& wrong);

/// Whether a handshake failed because what came first is no TLS.
bool is_no_tls(const boost::system::error_code& wrong);

} // namespace levain
