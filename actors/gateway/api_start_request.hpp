#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/gateway/api_problem.hpp"
#include "actors/messages.hpp"

namespace levain {

/// Objects and lists inside each other in a body. Bounds the recursion of whoever walks it.
inline constexpr size_t request_depth_max = 64;
/// Starts in one request.
inline constexpr size_t start_list_max = 1000;
/// Characters of `triggered_by`; the width of its column.
inline constexpr size_t triggered_by_characters_max = 100;
/// Characters of `by` in a wish.
inline constexpr size_t wish_by_characters_max = 100;
/// Who asks where a wish does not say.
inline constexpr std::string_view wish_by_default = "anonymous";
/// Characters of `reason` in a wish.
inline constexpr size_t wish_reason_characters_max = 1000;

/// A start as it was asked for: everything is checked but whether its workflow is there.
struct wanted_start {
  std::string workflow;
  /// The newest when absent.
  std::optional<int32_t> version;
  /// `request.workflow` is still to be found.
  start_request request;
};

/// One start of a request: what is wanted, or everything that is wrong with it.
using parsed_start = std::variant<wanted_start, std::vector<field_error>>;

/// The starts of a request's body, in their order.
struct parsed_starts {
  /// The body was a list, or held one, so does the answer.
  bool is_list = false;
  /// All of them are to be started, or none.
  bool all = false;
  /// Where in the body the list is: nothing, or a member's name.
  std::string place;
  std::vector<parsed_start> starts;
};

/// Reads the body of `POST .../runs`: an object, a list of 1 to `start_list_max` of them, or such a list as `starts` in
/// an object that may have `all` beside it. `header_key` is the
/// request's `Idempotency-Key`: for an object alone, and not together with another `idempotency_key` inside. Never
/// throws for bad input.
std::variant<parsed_starts, api_problem>
parse_starts(std::string_view body, const tenant_id& tenant, const std::optional<std::string>& header_key);

/// Reads the body of `POST .../runs/{run}/cancel`, `terminate`, `pause`, `resume`, `retry` and `resolve`: `{"by":
/// ...}`, with `reason` for the first two and `note`, which is required, for the last. An empty body is an empty
/// object, and `by` is `wish_by_default` where it is absent. `asked` is the last segment of the path and one of the
/// six.
std::variant<wish, api_problem> parse_wish(std::string_view asked, std::string_view body);

} // namespace levain
