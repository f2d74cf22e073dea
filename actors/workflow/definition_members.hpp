#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace levain {

/// The kinds of objects that a workflow definition is made of.
enum class definition_object : uint8_t {
  definition,
  run_retries,
  step,
  retry,
  call,
  compensation,
  http,
  worker,
  function,
  simulate,
};

/// Every kind, in the order of the enumeration.
std::span<const definition_object> definition_objects();

/// Its name in the schema's `$defs`: `run_retries`.
std::string_view to_string(definition_object kind);

/// Every member that such an object may have. The schema and the parser know the same ones.
std::span<const std::string_view> definition_members(definition_object kind);

} // namespace levain
