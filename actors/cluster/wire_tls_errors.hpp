#pragma once

namespace levain {

/// Keeps the failure of one TLS connection from being taken for that of another. OpenSSL notes errors in a queue of the
/// thread, and CAF 0.17.6 asks `SSL_get_error` without emptying it first (the manual of that function demands it), so a
/// stranger whose handshake is refused would bring down whatever connection the same thread serves next. From the first
/// call on, the queue is emptied before every read and write of a socket that OpenSSL makes in this process. Any
/// thread.
void keep_tls_errors_apart();

} // namespace levain
