#include "actors/start_fingerprint.hpp"

#include <memory>

#include <nlohmann/json.hpp>

#include "persistence/sha256.hpp"

namespace levain {

namespace {

/// An array keeps the parts apart, whatever they contain.
std::string hash(const nlohmann::json& parts) {
  return sha256_hex(parts.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

} // namespace

start_key start_key_of(const start_request& request) {
  const auto metadata = request.metadata.value_or("");
  start_key key;
  key.tenant = request.tenant;
  key.key = request.idempotency_key.value_or("");
  key.fingerprint = hash({request.workflow->name, request.run_type, request.priority, request.input, metadata});
  if (request.version_named)
    key.version = request.workflow->version;
  // Starts of daemons that kept the version and the trigger inside the fingerprint are recognised by what their runs
  // have of both.
  const auto parts = std::make_shared<const nlohmann::json>(nlohmann::json::array(
    {request.workflow->name, 0, request.run_type, request.priority, "", request.input, metadata}));
  key.older_fingerprint = [parts](int32_t version, const std::string& triggered_by) {
    auto older = *parts;
    older[1] = version;
    older[4] = triggered_by;
    return hash(older);
  };
  return key;
}

} // namespace levain
