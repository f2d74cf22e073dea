#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/gateway/api_router.hpp"
#include "persistence/ids.hpp"
#include "persistence/timestamp.hpp"

namespace levain {

/// Characters of a run number; the width of its column.
inline constexpr size_t run_number_characters_max = 50;

/// Reads the query of a request. Every member throws `request_refused` (400, with the parameter as `field`) for a value
/// that is not right.
class query_reader {
public:
  /// Refuses parameters that are not in `known`, naming the nearest that is.
  query_reader(const http_request& request, std::vector<std::string_view> known);

  /// The value of a parameter that comes at most once and is not empty.
  std::optional<std::string> text(std::string_view name) const;
  /// A date alone is its first moment, in UTC.
  std::optional<timestamp> time(std::string_view name) const;
  /// A whole number from `least` to `most`.
  size_t number(std::string_view name, size_t otherwise, size_t least, size_t most) const;
  /// `limit`: 1 to `rows_per_answer_max`.
  size_t limit(size_t otherwise) const;
  /// The values of a parameter that may come more than once, each also a list with commas.
  std::vector<std::string> many(std::string_view name) const;

private:
  const http_request& request_;
};

/// 400 that names a parameter or a segment of the path.
[[noreturn]] void refuse_parameter(std::string_view name, std::string message);

/// The tenant that the path names. Throws `request_refused`.
tenant_id tenant_of(const api_call& call);

/// What `{run}` in a path can be: an id, or a run number.
using run_reference = std::variant<run_id, std::string>;

/// The run that the path names. Throws `request_refused` where no run can be named so.
run_reference run_of(const api_call& call);

/// 404 for a run that is not there, or is another tenant's: both sound the same, so that nobody learns which.
api_problem no_such_run(const run_reference& run);

/// Refuses a body that is not declared to be JSON with 415. A request without a body needs no type.
void require_json(const http_request& request);

} // namespace levain
