#include "actors/calls/answer_header.hpp"

#include <strings.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "actors/run_machine/state.hpp"
#include "persistence/plain_line.hpp"

namespace levain {

namespace {

/// Of each field that is kept.
constexpr size_t field_bytes_max = 300;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos)
    return {};
  return text.substr(begin, text.find_last_not_of(blanks) + 1 - begin);
}

bool is_same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// A time of the calendar as an HTTP date has it.
struct calendar_time {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  int hours = 0;
  int minutes = 0;
  int seconds = 0;
};

/// 1 to 12; 0 for what is no month.
unsigned month_number(std::string_view name) {
  constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto found = std::find(months.begin(), months.end(), name);
  return found == months.end() ? 0 : static_cast<unsigned>(found - months.begin()) + 1;
}

/// RFC 9110, section 5.6.7: a year of two digits that seems to be more than 50 years ahead is one of the past.
int full_year(int two_digits, std::chrono::system_clock::time_point now) {
  const std::chrono::year_month_day today(std::chrono::floor<std::chrono::days>(now));
  const auto this_year = static_cast<int>(today.year());
  const auto year = this_year / 100 * 100 + two_digits;
  return year > this_year + 50 ? year - 100 : year;
}

std::optional<calendar_time> read_date(const std::string& text, std::chrono::system_clock::time_point now) {
  calendar_time at;
  char month[4] = {};
  int end = 0;
  const auto is_whole = [&] { return end > 0 && static_cast<size_t>(end) == text.size(); };
  // Sun, 06 Nov 1994 08:49:37 GMT
  if (
    std::sscanf(
      text.c_str(), "%*3[A-Za-z], %2u %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", &at.day, month, &at.year, &at.hours,
      &at.minutes, &at.seconds, &end) == 6 &&
    is_whole()) {
    at.month = month_number(month);
    return at;
  }
  // Sunday, 06-Nov-94 08:49:37 GMT
  end = 0;
  if (
    std::sscanf(
      text.c_str(), "%*9[A-Za-z], %2u-%3[A-Za-z]-%2d %2d:%2d:%2d GMT%n", &at.day, month, &at.year, &at.hours,
      &at.minutes, &at.seconds, &end) == 6 &&
    is_whole()) {
    at.month = month_number(month);
    at.year = full_year(at.year, now);
    return at;
  }
  // Sun Nov  6 08:49:37 1994
  end = 0;
  if (
    std::sscanf(
      text.c_str(), "%*3[A-Za-z] %3[A-Za-z] %2u %2d:%2d:%2d %4d%n", month, &at.day, &at.hours, &at.minutes, &at.seconds,
      &at.year, &end) == 6 &&
    is_whole()) {
    at.month = month_number(month);
    return at;
  }
  return std::nullopt;
}

std::optional<std::chrono::sys_seconds> moment_of(const calendar_time& at) {
  const auto date = std::chrono::year(at.year) / std::chrono::month(at.month) / std::chrono::day(at.day);
  const auto within = [](int value, int max) { return value >= 0 && value <= max; };
  // A leap second is counted as the one after it.
  if (at.year < 0 || !date.ok() || !within(at.hours, 23) || !within(at.minutes, 59) || !within(at.seconds, 60))
    return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(at.hours) + std::chrono::minutes(at.minutes) +
         std::chrono::seconds(at.seconds);
}

} // namespace

void answer_header::take_line(std::string_view line) {
  if (ended_)
    return; // A trailer field.
  begun_ = true;
  line = trimmed(line);
  if (line.empty()) {
    ended_ = !interim_;
    return;
  }
  if (line.starts_with("HTTP/")) {
    // "HTTP/1.1 503 Service Unavailable"
    const auto status = std::min(line.find(' '), line.size());
    const auto rest = trimmed(line.substr(status));
    interim_ = rest.starts_with('1') && !rest.starts_with("101");
    reason_ = plain_line(rest.substr(std::min(rest.find(' '), rest.size())), 100);
    return;
  }
  const auto colon = line.find(':');
  if (interim_ || colon == std::string_view::npos)
    return;
  const auto name = line.substr(0, colon);
  const auto value = trimmed(line.substr(colon + 1)).substr(0, field_bytes_max);
  if (is_same(name, "Content-Length")) {
    is_contradictory_ = is_contradictory_ || (!content_length_.empty() && content_length_ != value);
    content_length_ = value;
  } else if (is_same(name, "Content-Type"))
    content_type_ = value;
  else if (is_same(name, "Content-Encoding"))
    content_encoding_ = (content_encoding_.empty() ? std::string(value) : content_encoding_ + ", " + std::string(value))
                          .substr(0, field_bytes_max);
  else if (is_same(name, "Retry-After") && retry_after_.empty())
    retry_after_ = value;
}

std::optional<duration> read_retry_after(std::string_view value, std::chrono::system_clock::time_point now) {
  value = trimmed(value);
  if (value.empty())
    return std::nullopt;
  std::chrono::seconds wait{0};
  constexpr auto wait_max = std::chrono::ceil<std::chrono::seconds>(retry_after_max);
  if (std::all_of(value.begin(), value.end(), is_digit)) {
    for (const char digit : value)
      wait = std::min(wait_max, wait * 10 + std::chrono::seconds(digit - '0'));
  } else {
    const auto date = read_date(std::string(value), now);
    const auto moment = date ? moment_of(*date) : std::nullopt;
    if (!moment)
      return std::nullopt;
    // Seconds, because the finer clock does not reach as far as a date can.
    wait = *moment - std::chrono::floor<std::chrono::seconds>(now);
  }
  if (wait.count() <= 0)
    return std::nullopt;
  return std::min<std::chrono::seconds>(wait, wait_max);
}

} // namespace levain
