#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "persistence/timestamp.hpp"
#include "persistence/uuid.hpp"

namespace levain {

/// One column of many rows as a single statement parameter: the text form of a PostgreSQL array. This is how a batch of
/// any size stays one prepared statement.
class array_literal {
public:
  void null() {
    separate();
    text_ += "NULL";
  }

  /// A value that needs no quotes: a number, an enumeration's name, an id.
  void plain(std::string_view value) {
    separate();
    text_ += value;
  }

  void number(int64_t value) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    plain({digits, static_cast<size_t>(end - digits)});
  }

  void boolean(bool value) { plain(value ? "t" : "f"); }
  void id(const uuid& value) { plain(to_string(value)); }
  void time(timestamp value) { plain(to_rfc3339(value)); }

  /// Any text.
  void quoted(std::string_view value);

  /// The finished literal; the object is empty afterwards and can be used again.
  std::string take() {
    text_ += text_.empty() ? "{}" : "}";
    std::string taken;
    taken.swap(text_);
    return taken;
  }

private:
  void separate() { text_ += text_.empty() ? '{' : ','; }

  std::string text_;
};

} // namespace levain
