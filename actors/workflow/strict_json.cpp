#include "actors/workflow/strict_json.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "persistence/exact_json.hpp"
#include "persistence/plain_line.hpp"
#include "persistence/utf8.hpp"

namespace levain {

namespace {

using nlohmann::json;

constexpr size_t quoted_bytes_max = 60;

/// What is wrong with the text's bytes before anybody reads them as JSON.
std::optional<std::string> byte_fault(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    if (text[at] == '\0')
      return "must not hold a NUL, there is one at byte " + std::to_string(at + 1);
    const size_t length = utf8_length(text.substr(at));
    if (length == 0)
      return "must be UTF-8, which byte " + std::to_string(at + 1) + " is not";
    at += length;
  }
  return std::nullopt;
}

/// Of what the library says.
constexpr size_t reason_bytes_max = 300;

/// What the library found wrong, out of "[json.exception...] parse error at line 1, column 5: syntax error while
/// parsing value - what is wrong; last read: '...'; expected ...". The place is said in bytes, and what was read may be
/// long.
std::string library_reason(std::string_view what) {
  const auto drop_through = [&](std::string_view mark) {
    if (const auto at = what.find(mark); at != std::string_view::npos)
      what.remove_prefix(at + mark.size());
  };
  drop_through("] ");
  if (what.starts_with("parse error"))
    drop_through(": ");
  if (what.starts_with("number overflow"))
    return "the number is out of range";
  drop_through("syntax error ");
  std::string reason(what);
  if (const auto read = reason.find("; last read: "); read != std::string::npos) {
    const auto expected = reason.rfind("'; expected ");
    reason.erase(read, expected == std::string::npos || expected < read ? std::string::npos : expected + 1 - read);
  }
  // What was read can look like what was expected.
  return plain_line(reason, reason_bytes_max);
}

/// Walks the text and says aloud how far the reader has come.
class counted_iterator {
public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  counted_iterator(const char* at, const char** reached)
    : at_(at)
    , reached_(reached) {}

  reference operator*() const { return *at_; }
  counted_iterator& operator++() {
    *reached_ = ++at_;
    return *this;
  }
  counted_iterator operator++(int) {
    auto before = *this;
    ++*this;
    return before;
  }
  bool operator==(const counted_iterator& other) const { return at_ == other.at_; }
  bool operator!=(const counted_iterator& other) const { return at_ != other.at_; }

private:
  const char* at_;
  const char** reached_;
};

/// Builds the value from the reader's calls; remembers the first fault and then stops the reader.
class strict_builder {
public:
  strict_builder(std::string_view text, const char** reached, size_t depth_max)
    : text_(text)
    , reached_(reached)
    , depth_max_(depth_max) {}

  bool null() { return put(nullptr); }
  bool boolean(bool value) { return put(value); }
  bool number_integer(json::number_integer_t value) { return value == 0 ? put(0U) : put(value); }
  bool number_unsigned(json::number_unsigned_t value) { return put(value); }
  bool number_float(json::number_float_t value, const std::string& literal) {
    auto number = exact_number<json>(value, literal);
    if (number)
      return put(std::move(*number));
    return fail(
      "", "must have numbers that can be kept exactly, within the range of a double and of at most " +
            std::to_string(number_digits_max) + " digits, which " + quote_text(literal) + " is not");
  }
  bool string(std::string& value) { return check_nul(value) && put(std::move(value)); }
  bool binary(json::binary_t&) { return false; }
  bool start_object(size_t) { return open(json::object()); }
  bool start_array(size_t) { return open(json::array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool key(std::string& name) {
    if (!check_nul(name))
      return false;
    if (open_.back().value.contains(name))
      return fail(
        member_place(place(), name), "is there twice, the second time at byte " + std::to_string(token_position()));
    open_.back().key = std::move(name);
    return true;
  }

  bool parse_error(size_t position, const std::string&, const json::exception& error) {
    const auto what = library_reason(error.what());
    const bool ended = position > text_.size();
    return fail(
      "", "must be JSON, " +
            (ended ? std::string("and it ends too early") : "which it is not at byte " + std::to_string(position)) +
            ": " + what);
  }

  const std::optional<field_error>& fault() const { return fault_; }
  json take_root() { return std::move(root_); }

private:
  struct level {
    json value;
    std::string key;
  };

  bool put(json value) {
    if (open_.empty())
      root_ = std::move(value);
    else if (open_.back().value.is_array())
      open_.back().value.push_back(std::move(value));
    else
      open_.back().value[open_.back().key] = std::move(value);
    return true;
  }

  bool open(json empty) {
    if (open_.size() == depth_max_)
      return fail(
        "", "must not be nested deeper than " + std::to_string(depth_max_) + ", byte " +
              std::to_string(*reached_ - text_.data()) + " begins another level");
    open_.push_back({std::move(empty), {}});
    return true;
  }

  bool close() {
    auto done = std::move(open_.back().value);
    open_.pop_back();
    return put(std::move(done));
  }

  bool check_nul(const std::string& value) {
    if (value.find('\0') == std::string::npos)
      return true;
    return fail("", "must not hold a NUL, the text at byte " + std::to_string(token_position()) + " does (\\u0000)");
  }

  /// Where the string that was just read begins: its last byte is the one before `*reached_`, a quote.
  size_t token_position() const {
    auto at = static_cast<size_t>(*reached_ - text_.data()) - 1;
    const auto escaped = [&](size_t quote) {
      size_t slashes = 0;
      while (slashes < quote && text_[quote - 1 - slashes] == '\\')
        ++slashes;
      return slashes % 2 == 1;
    };
    do
      --at;
    while (at > 0 && (text_[at] != '"' || escaped(at)));
    return at + 1;
  }

  /// The place of the innermost object that is open.
  std::string place() const {
    std::string where;
    for (size_t i = 0; i + 1 < open_.size(); ++i)
      where = open_[i].value.is_array() ? where + "[" + std::to_string(open_[i].value.size()) + "]"
                                        : member_place(where, open_[i].key);
    return where;
  }

  bool fail(std::string where, std::string message) {
    fault_ = field_error{std::move(where), std::move(message)};
    return false;
  }

  std::string_view text_;
  const char** reached_;
  size_t depth_max_;
  std::vector<level> open_;
  json root_;
  std::optional<field_error> fault_;
};

} // namespace

std::variant<json, field_error> read_strict_json(std::string_view text, size_t depth_max) {
  if (auto fault = byte_fault(text))
    return field_error{"", std::move(*fault)};
  const char* reached = text.data();
  strict_builder builder(text, &reached, depth_max);
  const counted_iterator begin(text.data(), &reached);
  const counted_iterator end(text.data() + text.size(), &reached);
  json::sax_parse(begin, end, &builder);
  if (builder.fault())
    return *builder.fault();
  return builder.take_root();
}

std::string member_place(std::string_view place, std::string_view member) {
  const bool plain = !member.empty() && member.size() <= quoted_bytes_max && std::ranges::all_of(member, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  std::string where(place);
  if (!plain)
    return where + "[" + quote_text(member) + "]";
  if (!where.empty())
    where += '.';
  return where.append(member);
}

std::string quote_text(std::string_view text) {
  auto shown = text;
  if (shown.size() > quoted_bytes_max) {
    size_t end = quoted_bytes_max;
    // Not in the middle of a letter.
    while (end > 0 && (static_cast<uint8_t>(shown[end]) & 0xc0) == 0x80)
      --end;
    shown = shown.substr(0, end);
  }
  auto quoted = json(shown).dump(-1, ' ', false, json::error_handler_t::replace);
  // JSON leaves the one control character above the blank as it is.
  for (size_t at = 0; (at = quoted.find('\x7f', at)) != std::string::npos;)
    quoted.replace(at, 1, "\\u007f");
  if (shown.size() < text.size())
    quoted.insert(quoted.size() - 1, "...");
  return quoted;
}

std::string describe_value(const json& value) {
  if (value.is_object())
    return "an object";
  if (value.is_array())
    return "a list";
  if (value.is_string())
    return quote_text(value.get_ref<const std::string&>());
  return write_exact_json(value);
}

} // namespace levain
