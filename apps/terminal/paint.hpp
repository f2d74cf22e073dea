#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "persistence/span_text.hpp"
#include "persistence/timestamp.hpp"

namespace levain::terminal {

/// What a piece of text is, which decides its colour.
enum class ink : uint8_t { plain, good, warning, bad, quiet, strong };

/// How output looks: with colours on a terminal, without them everywhere else.
class paint {
public:
  /// `unicode` allows signs beyond ASCII.
  explicit paint(bool colour = false, bool unicode = true);

  /// For a stream: colour only where `descriptor` is a terminal, `TERM` is not `dumb` and `NO_COLOR` is not set; signs
  /// beyond ASCII unless the locale in the environment names another character set than UTF-8.
  static paint of(int descriptor);

  bool colour() const { return colour_; }
  bool unicode() const { return unicode_; }

  std::string operator()(ink kind, std::string_view text) const;
  /// One of two signs, the second where only ASCII is allowed.
  std::string_view sign(std::string_view unicode, std::string_view ascii) const { return unicode_ ? unicode : ascii; }

private:
  bool colour_;
  bool unicode_;
};

/// The ink for the status of a run.
ink ink_of_status(std::string_view status);

/// Columns that a UTF-8 text takes on a terminal, counted as one a character.
size_t width_of(std::string_view text);
/// The text with blanks after it (before it when `right`) up to `width`.
std::string padded(std::string_view text, size_t width, bool right = false);
/// The text cut to `width` columns, with a sign where it was cut.
std::string cut(std::string_view text, size_t width, const paint& look);
/// Text from elsewhere without what a terminal obeys (controls, which could move the cursor) and without marks that
/// make a line look like another (line separators, changes of direction); bytes that are not UTF-8 are replaced.
std::string harmless(std::string_view text);

using levain::span_text;
/// `1 run`, `2 runs`.
std::string counted(uint64_t count, std::string_view what);
/// `2026-11-23 04:00:00.123Z`: in UTC, and it says so.
std::string moment_text(timestamp at);

} // namespace levain::terminal
