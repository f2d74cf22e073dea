#pragma once

#include "actors/cluster/wire_security.hpp"
#include "persistence/file_descriptor.hpp"

namespace levain {

/// What certificate, key and CA hold when a program begins. They are read several times, and may be replaced meanwhile:
/// whoever reads these copies, which lie in memory and never change, reads what was checked.
class wire_certificates {
public:
  /// Throws as `check_security` does; of the copies too, which may hold one old file and one new one.
  explicit wire_certificates(const wire_security& files);

  /// Names of the copies, good for as long as this object lives; empty where those of the files are.
  const wire_security& copies() const { return copies_; }

private:
  file_descriptor certificate_;
  file_descriptor key_;
  file_descriptor ca_;
  wire_security copies_;
};

} // namespace levain
