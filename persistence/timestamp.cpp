#include "persistence/timestamp.hpp"

namespace levain {

namespace {

/// Reads a text from left to right; every member leaves the place alone when it fails.
class text_reader {
public:
  explicit text_reader(std::string_view text)
    : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  bool at_digit() const { return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; }

  /// Takes one of the given characters.
  std::optional<char> one_of(std::string_view choices) {
    if (rest_.empty() || choices.find(rest_.front()) == std::string_view::npos)
      return std::nullopt;
    const char taken = rest_.front();
    rest_.remove_prefix(1);
    return taken;
  }

  /// Takes exactly `digits` digits that make a number of at most `highest`.
  std::optional<int> number(size_t digits, int highest) {
    if (rest_.size() < digits)
      return std::nullopt;
    int value = 0;
    for (size_t i = 0; i < digits; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9')
        return std::nullopt;
      value = value * 10 + (rest_[i] - '0');
    }
    if (value > highest)
      return std::nullopt;
    rest_.remove_prefix(digits);
    return value;
  }

  /// Takes one to nine digits of a fraction of a second; what is finer than a microsecond is cut off.
  std::optional<int> fraction() {
    constexpr int digits_max = 9;
    int value = 0;
    int digits = 0;
    while (at_digit()) {
      if (digits < 6)
        value = value * 10 + (rest_.front() - '0');
      if (++digits > digits_max)
        return std::nullopt;
      rest_.remove_prefix(1);
    }
    if (digits == 0)
      return std::nullopt;
    for (; digits < 6; ++digits)
      value *= 10;
    return value;
  }

private:
  std::string_view rest_;
};

std::optional<std::chrono::sys_days> read_date(text_reader& reader) {
  const auto year = reader.number(4, 9999);
  if (!year || !reader.one_of("-"))
    return std::nullopt;
  const auto month = reader.number(2, 12);
  if (!month || !reader.one_of("-"))
    return std::nullopt;
  const auto day = reader.number(2, 31);
  if (!day)
    return std::nullopt;
  const std::chrono::year_month_day date{
    std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
    std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok())
    return std::nullopt;
  return std::chrono::sys_days(date);
}

std::optional<duration> read_time_of_day(text_reader& reader) {
  const auto hour = reader.number(2, 23);
  if (!hour || !reader.one_of(":"))
    return std::nullopt;
  const auto minute = reader.number(2, 59);
  if (!minute || !reader.one_of(":"))
    return std::nullopt;
  const auto second = reader.number(2, 59);
  if (!second)
    return std::nullopt;
  int micros = 0;
  if (reader.one_of(".")) {
    const auto fraction = reader.fraction();
    if (!fraction)
      return std::nullopt;
    micros = *fraction;
  }
  return std::chrono::hours(*hour) + std::chrono::minutes(*minute) + std::chrono::seconds(*second) +
         std::chrono::microseconds(micros);
}

/// Reads `Z`, `+01`, `+01:30`, `+0130`, or nothing at all, which is UTC.
std::optional<duration> read_offset(text_reader& reader) {
  if (reader.at_end() || reader.one_of("Zz"))
    return duration::zero();
  const auto sign = reader.one_of("+-");
  if (!sign)
    return std::nullopt;
  const auto hours = reader.number(2, 23);
  if (!hours)
    return std::nullopt;
  int minutes = 0;
  if (reader.one_of(":") || reader.at_digit()) {
    const auto value = reader.number(2, 59);
    if (!value)
      return std::nullopt;
    minutes = *value;
  }
  const duration offset = std::chrono::hours(*hours) + std::chrono::minutes(minutes);
  return *sign == '-' ? -offset : offset;
}

/// Writes `value` at `place` with exactly `digits` digits.
void put_digits(std::string& text, size_t place, size_t digits, unsigned value) {
  for (size_t i = place + digits; i-- > place; value /= 10)
    text[i] = static_cast<char>('0' + value % 10);
}

} // namespace

std::string to_rfc3339(timestamp at) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(at - day);
  // Written digit by digit: a batch of the journal holds thousands of times, and printf is slow at them.
  std::string text = "0000-00-00T00:00:00.000000Z";
  const int year = static_cast<int>(date.year());
  if (year < 0 || year > 9999)
    text.replace(0, 4, std::to_string(year));
  else
    put_digits(text, 0, 4, static_cast<unsigned>(year));
  // Counted from the end, because a year outside of four digits moves what follows.
  const size_t end = text.size();
  put_digits(text, end - 22, 2, static_cast<unsigned>(date.month()));
  put_digits(text, end - 19, 2, static_cast<unsigned>(date.day()));
  put_digits(text, end - 16, 2, static_cast<unsigned>(time.hours().count()));
  put_digits(text, end - 13, 2, static_cast<unsigned>(time.minutes().count()));
  put_digits(text, end - 10, 2, static_cast<unsigned>(time.seconds().count()));
  put_digits(text, end - 7, 6, static_cast<unsigned>(time.subseconds().count()));
  return text;
}

std::optional<timestamp> parse_timestamp(std::string_view text) {
  text_reader reader(text);
  const auto date = read_date(reader);
  if (!date || !reader.one_of("Tt "))
    return std::nullopt;
  const auto time = read_time_of_day(reader);
  if (!time)
    return std::nullopt;
  const auto offset = read_offset(reader);
  if (!offset || !reader.at_end())
    return std::nullopt;
  const auto at = timestamp(*date) + *time - *offset;
  return is_in_calendar(at) ? std::optional(at) : std::nullopt;
}

timestamp now_utc() {
  return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

} // namespace levain
