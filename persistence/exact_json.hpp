#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

/// JSON whose numbers are kept digit by digit.
///
/// A number that `int64_t`, `uint64_t` or `double` holds exactly is one in the value. Any other is a leaf of the
/// library's type `binary` (which JSON text never makes) with the subtype `exact_number_subtype`, which holds its
/// decimal text.
namespace levain {

inline constexpr uint64_t exact_number_subtype = 0x6e756d;
/// Significant digits of a number. The database keeps more; a longer one is refused.
inline constexpr size_t number_digits_max = 1000;

/// The one form of a JSON number: no fraction of nothing, no `-0`, an exponent only above 21 digits before the point
/// and below 6 zeros behind it. Equal numbers have equal forms: `12.30` is `12.3`, `1e2` is `100`. Nothing when it has
/// more than `number_digits_max` digits. `literal` is a number as JSON writes it.
std::optional<std::string> canonical_number(std::string_view literal);

/// The shortest decimal that leads to this double, in the form of `canonical_number`.
std::string canonical_number(double value);

/// A number that a 64-bit integer or a double does not hold exactly.
template <class Json>
bool is_exact_number(const Json& value) {
  return value.is_binary() && value.get_binary().has_subtype() && value.get_binary().subtype() == exact_number_subtype;
}

/// The text of a number, however it is held.
template <class Json>
std::string number_text(const Json& value) {
  if (value.is_number_float())
    return canonical_number(value.template get<double>());
  if (!value.is_binary())
    return value.dump();
  const auto& bytes = value.get_binary();
  return std::string(bytes.begin(), bytes.end());
}

/// Makes the value for a number's literal; nothing when it has too many digits or is too small for a double.
template <class Json>
std::optional<Json> exact_number(double value, const std::string& literal) {
  const auto text = canonical_number(literal);
  if (!text || (value == 0 && *text != "0"))
    return std::nullopt;
  const auto* end = text->data() + text->size();
  int64_t whole = 0;
  uint64_t large = 0;
  if (const auto [at, fault] = std::from_chars(text->data(), end, whole); fault == std::errc() && at == end)
    return whole < 0 ? Json(whole) : Json(static_cast<uint64_t>(whole));
  if (const auto [at, fault] = std::from_chars(text->data(), end, large); fault == std::errc() && at == end)
    return Json(large);
  if (canonical_number(value) == *text)
    return Json(value);
  return Json::binary(typename Json::binary_t::container_type(text->begin(), text->end()), exact_number_subtype);
}

/// Reads one JSON text as the library does, but for the numbers.
template <class Json>
class exact_reader : public nlohmann::detail::json_sax_dom_parser<Json> {
public:
  using base = nlohmann::detail::json_sax_dom_parser<Json>;

  explicit exact_reader(Json& root)
    : base(root, false) {}

  bool number_integer(typename Json::number_integer_t value) {
    return value == 0 ? base::number_unsigned(0) : base::number_integer(value); // `-0` is 0
  }
  bool number_float(typename Json::number_float_t value, const std::string& literal) {
    auto number = exact_number<Json>(value, literal);
    if (!number) {
      fault_ = "the number " + literal.substr(0, 40) + (literal.size() > 40 ? "..." : "") +
               " cannot be kept exactly: it must be within the range of a double and have at most " +
               std::to_string(number_digits_max) + " digits";
      return false;
    }
    if (number->is_number_unsigned())
      return base::number_unsigned(number->template get<uint64_t>());
    if (number->is_number_integer())
      return base::number_integer(number->template get<int64_t>());
    if (number->is_number_float())
      return base::number_float(value, literal);
    return base::binary(number->get_binary());
  }
  /// What is wrong with a number; empty when nothing is.
  const std::string& fault() const { return fault_; }

private:
  std::string fault_;
};

/// The value, or a discarded one when the text is not JSON. `fault` gets a sentence when it is one of a number.
template <class Json = nlohmann::json>
Json read_exact_json(std::string_view text, std::string* fault = nullptr) {
  Json root;
  exact_reader<Json> reader(root);
  if (Json::sax_parse(text, &reader))
    return root;
  if (fault)
    *fault = reader.fault();
  return Json(Json::value_t::discarded);
}

namespace detail {

/// Whether the library would write a number of this value in another form, or cannot write it at all.
template <class Json>
bool holds_own_form(const Json& value) {
  if (value.is_structured())
    return std::any_of(value.begin(), value.end(), [](const Json& each) { return holds_own_form(each); });
  return value.is_number_float() || value.is_binary();
}

/// Writes values to one text, with one writer of the library for all its leaves.
template <class Json>
class exact_writer {
public:
  /// `indent`: blanks a level; below 0: everything on one line, without blanks.
  explicit exact_writer(std::string& to, int indent = -1)
    : to_(to)
    , indent_(indent)
    , leaves_(nlohmann::detail::output_adapter<char, std::string>(to), ' ', Json::error_handler_t::replace) {}

  void write(const Json& value) {
    if (holds_own_form(value))
      append(value, 0);
    else
      leaves_.dump(value, indent_ >= 0, false, static_cast<unsigned>(std::max(indent_, 0)));
  }

private:
  void append(const Json& value, size_t level) {
    switch (value.type()) {
    case Json::value_t::object: {
      const auto& members = value.template get_ref<const typename Json::object_t&>();
      bool first = true;
      to_ += '{';
      for (const auto& [name, member] : members) {
        begin_line(std::exchange(first, false), level + 1);
        append_leaf(Json(name));
        to_ += indent_ < 0 ? ":" : ": ";
        append(member, level + 1);
      }
      end_lines(members.empty(), level);
      to_ += '}';
      return;
    }
    case Json::value_t::array: {
      bool first = true;
      to_ += '[';
      for (const auto& element : value) {
        begin_line(std::exchange(first, false), level + 1);
        append(element, level + 1);
      }
      end_lines(value.empty(), level);
      to_ += ']';
      return;
    }
    case Json::value_t::number_float:
      to_ += number_text(value);
      return;
    case Json::value_t::binary:
      if (is_exact_number(value))
        to_ += number_text(value);
      else
        append_leaf(value);
      return;
    default:
      append_leaf(value);
    }
  }

  void append_leaf(const Json& value) { leaves_.dump(value, false, false, 0); }

  void begin_line(bool first, size_t level) {
    if (!first)
      to_ += ',';
    if (indent_ >= 0)
      to_.append(1, '\n').append(level * static_cast<size_t>(indent_), ' ');
  }

  void end_lines(bool none, size_t level) {
    if (!none && indent_ >= 0)
      to_.append(1, '\n').append(level * static_cast<size_t>(indent_), ' ');
  }

  std::string& to_;
  int indent_;
  nlohmann::detail::serializer<Json> leaves_;
};

} // namespace detail

/// Writes a value, its numbers in the form of `canonical_number`. Bytes that are not UTF-8 are replaced. `indent`:
/// blanks a level, each member on a line; below 0: everything on one line, without blanks.
template <class Json>
std::string write_exact_json(const Json& value, int indent = -1) {
  std::string text;
  detail::exact_writer<Json>(text, indent).write(value);
  return text;
}

} // namespace levain
