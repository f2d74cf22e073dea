#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "actors/workflow/near_names.hpp"
#include "actors/workflow/parse_definition.hpp"

// What is said about the names and texts in requests.

namespace levain {

/// Errors reported for one request; what is beyond is counted in one more.
inline constexpr size_t request_errors_max = 100;

/// What is wrong with one part of a request. The parts share the room for `request_errors_max` errors; the first error
/// of each part is always kept.
class request_errors {
public:
  /// `room` is what the request has left; it outlives this.
  explicit request_errors(size_t& room)
    : room_(room) {}

  /// False when a further error would only be counted, so that nobody needs to make its sentence.
  bool has_room() const { return room_ > 0 || kept_.empty(); }
  void add(std::string field, std::string message);
  /// An error beyond what is kept.
  void count() { ++beyond_; }

  bool empty() const { return kept_.empty(); }
  /// What was kept, and `and 7 more errors` where more were counted.
  std::vector<field_error> take();

private:
  size_t& room_;
  std::vector<field_error> kept_;
  size_t beyond_ = 0;
};

/// Adds an error for each member of `object`, which stands at `place`, that is not in `known`.
void check_members(
  const nlohmann::json& object, const std::vector<std::string_view>& known, std::string_view place,
  request_errors& errors);

} // namespace levain
