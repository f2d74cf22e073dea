#pragma once

#include <string>
#include <vector>

namespace levain {

/// A workflow definition that has to be refused.
struct bad_definition {
  /// What is wrong, for people.
  std::string title;
  /// Bytes as they would arrive; not always JSON.
  std::string json;
  /// The first error, as `to_string(field_error)` writes it.
  std::string error;
};

/// Every kind of wrong definition that there is an error for.
const std::vector<bad_definition>& bad_definitions();

} // namespace levain
