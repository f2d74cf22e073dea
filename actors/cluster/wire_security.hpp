#pragma once

#include <stdexcept>
#include <string>

namespace levain {

/// Who may talk to whom: with all three, both sides show a certificate of the same CA; with none, nothing is checked.
struct wire_security {
  /// PEM files: this program's certificate, its key, and the CA's certificate.
  std::string certificate;
  std::string key;
  std::string ca;
  bool is_on() const { return !certificate.empty(); }
};

/// The files of a `wire_security` do not belong together or cannot be read; the text names file and reason.
class bad_certificates : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// Throws `bad_certificates` unless all three files are there, the key is the certificate's, the CA has signed it, and
/// it is valid now; or none of them is named.
void check_security(const wire_security& security);
/// Throws `bad_certificates` when others would not take the certificate for that of a node's gate, to which they
/// connect; as those are that `levain certs` makes for workers.
void check_serves(const wire_security& security);

} // namespace levain
