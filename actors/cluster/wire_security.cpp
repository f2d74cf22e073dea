#include "actors/cluster/wire_security.hpp"

#include <array>
#include <cstdio>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "actors/cluster/openssl_handles.hpp"

namespace levain {

namespace {

using store_ptr = std::unique_ptr<X509_STORE, freed_by<X509_STORE_free>>;
using store_context_ptr = std::unique_ptr<X509_STORE_CTX, freed_by<X509_STORE_CTX_free>>;
using file_ptr = std::unique_ptr<std::FILE, freed_by<std::fclose>>;

file_ptr open_file(const char* what, const std::string& name) {
  file_ptr file(std::fopen(name.c_str(), "re"));
  if (!file)
    throw bad_certificates(fmt::format("{}: '{}' cannot be read", what, name));
  return file;
}

certificate_ptr read_certificate(const char* what, const std::string& name) {
  const auto file = open_file(what, name);
  certificate_ptr read(PEM_read_X509(file.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (!read)
    throw bad_certificates(fmt::format("{}: '{}' holds no certificate in PEM", what, name));
  return read;
}

/// A key with a passphrase is none: nobody is there to type it.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*user*/) {
  return 0;
}

key_ptr read_key(const std::string& name) {
  const auto file = open_file("the key", name);
  key_ptr read(PEM_read_PrivateKey(file.get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  if (!read)
    throw bad_certificates(fmt::format("the key: '{}' holds no private key in PEM without a passphrase", name));
  return read;
}

void check_signed(X509* certificate, X509* ca, const wire_security& files) {
  const store_ptr trusted(X509_STORE_new());
  const store_context_ptr context(X509_STORE_CTX_new());
  X509_STORE_add_cert(trusted.get(), ca);
  X509_STORE_CTX_init(context.get(), trusted.get(), certificate, nullptr);
  if (X509_verify_cert(context.get()) != 1)
    throw bad_certificates(fmt::format(
      "the certificate '{}' is not good under the CA '{}': {}", files.certificate, files.ca,
      X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()))));
}

} // namespace

void check_security(const wire_security& security) {
  const std::array named{!security.certificate.empty(), !security.key.empty(), !security.ca.empty()};
  const auto count = static_cast<int>(named[0]) + static_cast<int>(named[1]) + static_cast<int>(named[2]);
  if (count == 0)
    return;
  if (count < 3)
    throw bad_certificates("certificate, key and CA belong together: give all three or none");
  const auto certificate = read_certificate("the certificate", security.certificate);
  const auto ca = read_certificate("the CA", security.ca);
  const auto key = read_key(security.key);
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    ERR_clear_error();
    throw bad_certificates(
      fmt::format("the key '{}' is not that of the certificate '{}'", security.key, security.certificate));
  }
  check_signed(certificate.get(), ca.get(), security);
}

void check_serves(const wire_security& security) {
  if (!security.is_on())
    return;
  const auto certificate = read_certificate("the certificate", security.certificate);
  if (X509_check_purpose(certificate.get(), X509_PURPOSE_SSL_SERVER, 0) != 1)
    throw bad_certificates(fmt::format(
      "the certificate '{}' is good for connecting alone, and a node needs one that others can connect to",
      security.certificate));
}

} // namespace levain
