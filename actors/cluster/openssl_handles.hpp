#pragma once

#include <memory>

#include <openssl/evp.h>
#include <openssl/x509.h>

namespace levain {

/// Frees what C made.
template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* x) const {
    Free(x);
  }
};
using certificate_ptr = std::unique_ptr<X509, freed_by<X509_free>>;
using key_ptr = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;

} // namespace levain
