#include "persistence/journal.hpp"

namespace levain {

bool is_repeated(const start_key& key, const kept_start& kept) {
  if (key.version && kept.version && *key.version != *kept.version)
    return false;
  if (key.fingerprint == kept.fingerprint)
    return true;
  return key.older_fingerprint && kept.version &&
         key.older_fingerprint(*kept.version, kept.triggered_by) == kept.fingerprint;
}

} // namespace levain
