#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "persistence/timestamp.hpp"

namespace levain {

/// What `make_certificates` is to make.
struct certificates_wanted {
  /// Made when it is not there.
  std::string directory;
  /// A certificate and a key each: `NAME.pem`, `NAME.key`.
  std::vector<std::string> nodes{"node"};
  /// Valid from `at` on for so long, 1 to 3650 days; and a little before, since clocks differ.
  std::chrono::days valid{30};
  timestamp at = now_utc();
};

/// Makes a CA and certificates for trying out mutual TLS: `ca.pem`, `ca.key`, two files for each node, `worker.pem` and
/// `worker.key`. Keys are EC P-256 in PEM without a passphrase, readable by their owner alone. Answers the paths of the
/// files. Throws `command_failed`: `wrong_command_line` for values that are not right, `failed` when a file is there
/// already or cannot be written; then nothing new is left behind.
std::vector<std::string> make_certificates(const certificates_wanted& wanted);

} // namespace levain
