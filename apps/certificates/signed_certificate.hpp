#pragma once

#include <string>

#include "actors/cluster/openssl_handles.hpp"
#include "persistence/timestamp.hpp"

namespace levain {

/// A certificate and its key.
struct signed_certificate {
  certificate_ptr certificate;
  key_ptr key;

  /// In PEM.
  std::string certificate_text() const;
  /// In PEM (PKCS #8), without a passphrase.
  std::string key_text() const;
};

/// From when to when.
struct validity {
  timestamp from{};
  timestamp until{};
};

/// A CA that has signed itself, with a new key. All of these throw `std::runtime_error` with OpenSSL's words when it
/// cannot do its work.
signed_certificate make_ca(const validity& when);

/// What a certificate is for.
enum class certificate_use { node, worker };

/// A certificate of `name` with a new key, signed by `ca`. A node serves and asks, a worker only asks.
signed_certificate
make_signed(const std::string& name, certificate_use use, const validity& when, const signed_certificate& ca);

} // namespace levain
