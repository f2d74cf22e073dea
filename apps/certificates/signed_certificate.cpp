#include "apps/certificates/signed_certificate.hpp"

#include <stdexcept>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace levain {

namespace {

using text_ptr = std::unique_ptr<BIO, freed_by<BIO_free>>;
using number_ptr = std::unique_ptr<BIGNUM, freed_by<BN_free>>;
using extension_ptr = std::unique_ptr<X509_EXTENSION, freed_by<X509_EXTENSION_free>>;

/// X.509 version 3.
constexpr long version_3 = 2;
/// A serial number is positive and has at most 20 bytes (RFC 5280, 4.1.2.2).
constexpr int serial_bits = 159;

[[noreturn]] void fail(const std::string& what) {
  char words[256] = "no reason given";
  if (const auto code = ERR_get_error(); code != 0)
    ERR_error_string_n(code, words, sizeof words);
  ERR_clear_error();
  throw std::runtime_error("OpenSSL cannot " + what + ": " + words);
}

void expect(bool done, const char* what) {
  if (!done)
    fail(what);
}

template <class Write>
std::string text_of(const char* what, Write write) {
  const text_ptr text(BIO_new(BIO_s_mem()));
  expect(text && write(text.get()) == 1, what);
  char* begin = nullptr;
  const auto length = BIO_get_mem_data(text.get(), &begin);
  return {begin, static_cast<size_t>(length)};
}

void set_time(ASN1_TIME* time, timestamp at) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
  expect(ASN1_TIME_set(time, static_cast<time_t>(seconds)) != nullptr, "write a time");
}

void add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const extension_ptr extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  expect(extension && X509_add_ext(certificate, extension.get(), -1) == 1, "add an extension");
}

signed_certificate unsigned_certificate(const std::string& name, const validity& when) {
  signed_certificate made{certificate_ptr(X509_new()), key_ptr(EVP_EC_gen("P-256"))};
  expect(made.certificate && made.key, "make a key");
  auto* certificate = made.certificate.get();
  const number_ptr serial(BN_new());
  expect(
    serial && BN_rand(serial.get(), serial_bits, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
      BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate)) != nullptr,
    "draw a serial number");
  expect(X509_set_version(certificate, version_3) == 1, "set the version");
  set_time(X509_getm_notBefore(certificate), when.from);
  set_time(X509_getm_notAfter(certificate), when.until);
  expect(X509_set_pubkey(certificate, made.key.get()) == 1, "set the key");
  auto* subject = X509_get_subject_name(certificate);
  const auto add_entry = [subject](const char* field, const std::string& value) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(value.data());
    expect(
      X509_NAME_add_entry_by_txt(subject, field, MBSTRING_UTF8, bytes, static_cast<int>(value.size()), -1, 0) == 1,
      "set the name");
  };
  add_entry("O", "levain");
  add_entry("CN", name);
  return made;
}

void sign(X509* certificate, EVP_PKEY* key) {
  expect(X509_sign(certificate, key, EVP_sha256()) > 0, "sign the certificate");
}

} // namespace

std::string signed_certificate::certificate_text() const {
  return text_of("write the certificate", [this](BIO* to) { return PEM_write_bio_X509(to, certificate.get()); });
}

std::string signed_certificate::key_text() const {
  return text_of("write the key", [this](BIO* to) {
    return PEM_write_bio_PKCS8PrivateKey(to, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
}

signed_certificate make_ca(const validity& when) {
  auto made = unsigned_certificate("levain try-out CA", when);
  auto* certificate = made.certificate.get();
  expect(X509_set_issuer_name(certificate, X509_get_subject_name(certificate)) == 1, "set the issuer");
  add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(certificate, certificate, NID_subject_key_identifier, "hash");
  sign(certificate, made.key.get());
  return made;
}

signed_certificate
make_signed(const std::string& name, certificate_use use, const validity& when, const signed_certificate& ca) {
  auto made = unsigned_certificate(name, when);
  auto* certificate = made.certificate.get();
  auto* issuer = ca.certificate.get();
  expect(X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1, "set the issuer");
  add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(certificate, issuer, NID_key_usage, "critical,digitalSignature");
  add_extension(
    certificate, issuer, NID_ext_key_usage, use == certificate_use::node ? "serverAuth,clientAuth" : "clientAuth");
  add_extension(certificate, issuer, NID_subject_alt_name, "DNS:" + name + ",DNS:localhost,IP:127.0.0.1,IP:::1");
  add_extension(certificate, issuer, NID_subject_key_identifier, "hash");
  add_extension(certificate, issuer, NID_authority_key_identifier, "keyid:always");
  sign(certificate, ca.key.get());
  return made;
}

} // namespace levain
