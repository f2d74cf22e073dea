#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace levain::bakery {

/// What a service cannot work with, answered as a problem document.
struct bad_input : std::runtime_error {
  bad_input(int http_status, std::string where, const std::string& message)
    : std::runtime_error(message)
    , status(http_status)
    , field(std::move(where)) {}

  /// An HTTP status from 400 to 499.
  int status;
  /// `results.production.batches[2].units`, or a header's name.
  std::string field;
};

/// A value in a request together with where it stands. Every accessor throws `bad_input` (422) naming the place and
/// what would have been right. Refers to the JSON it was made from.
class json_place {
public:
  explicit json_place(const nlohmann::json& value, std::string path = {})
    : value_(&value)
    , path_(std::move(path)) {}

  json_place member(std::string_view name) const;
  /// Nothing when it is missing or null.
  std::optional<json_place> find(std::string_view name) const;
  std::vector<json_place> items() const;
  std::vector<std::pair<std::string, json_place>> members() const;

  /// `min` and `max` included.
  int64_t integer(int64_t min, int64_t max) const;
  double number(double min, double max) const;
  const std::string& text() const;

  const nlohmann::json& value() const { return *value_; }
  const std::string& path() const { return path_; }
  [[noreturn]] void refuse(const std::string& message) const;

private:
  const nlohmann::json* value_;
  std::string path_;
};

} // namespace levain::bakery
