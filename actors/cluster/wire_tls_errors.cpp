#include "actors/cluster/wire_tls_errors.hpp"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

namespace levain {

namespace {

/// What is in the queue before OpenSSL touches the socket belongs to somebody else.
long before_socket(
  BIO* /*socket*/, int operation, const char* /*bytes*/, size_t /*size*/, int /*argument*/, long /*more*/, int result,
  size_t* /*processed*/) {
  if (operation == BIO_CB_READ || operation == BIO_CB_WRITE)
    ERR_clear_error();
  return result;
}

/// CAF hands out neither its `SSL` nor its `BIO`, so all that are made are asked what they are.
void bio_made(
  void* made, void* /*value*/, CRYPTO_EX_DATA* /*where*/, int /*index*/, long /*argument*/, void* /*pointer*/) {
  auto* bio = static_cast<BIO*>(made);
  if (BIO_method_type(bio) == BIO_TYPE_SOCKET)
    BIO_set_callback_ex(bio, before_socket);
}

} // namespace

void keep_tls_errors_apart() {
  static const int index = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_BIO, 0, nullptr, bio_made, nullptr, nullptr);
  static_cast<void>(index);
}

} // namespace levain
