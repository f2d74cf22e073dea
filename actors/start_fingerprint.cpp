#include "actors/start_fingerprint.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "persistence/sha256.hpp"

namespace levain {

std::string start_fingerprint(const start_request& request) {
  // An array keeps the parts apart, whatever they contain.
  const nlohmann::json content = {
    request.workflow->name,
    request.workflow->version,
    request.run_type,
    request.priority,
    request.triggered_by.value_or(""),
    request.input,
    request.metadata.value_or("")};
  return sha256_hex(content.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

} // namespace levain
