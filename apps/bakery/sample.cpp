#include "apps/bakery/sample.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "apps/bakery/sample_text.hpp"

namespace levain::bakery {

namespace {

using json = nlohmann::json;

std::vector<std::string_view> cut(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  while (true) {
    auto end = text.find(separator);
    pieces.push_back(text.substr(0, end));
    if (end == text.npos)
      return pieces;
    text.remove_prefix(end + 1);
  }
}

std::optional<int> parse_number(std::string_view text) {
  int value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty() || text[0] == '-')
    return std::nullopt;
  return value;
}

product read_product(const json& from) {
  return {
    .name = from.at("name"),
    .price_cents = from.at("price_cents"),
    .units_per_tray = from.at("units_per_tray"),
    .bake_minutes = from.at("bake_minutes"),
    .oven_celsius = from.at("oven_celsius"),
    .ready_by = parse_clock(from.at("ready_by").get_ref<const std::string&>()),
    .grams_per_100_units = from.at("grams_per_100_units"),
  };
}

supplier read_supplier(const json& from) {
  supplier result{
    .id = from.at("id"),
    .name = from.at("name"),
    .address = from.at("address"),
    .lead_time_days = from.at("lead_time_days"),
    .order_every_days = from.at("order_every_days"),
  };
  for (const auto& each : from.at("offers"))
    result.offers.push_back({each.at("ingredient"), each.at("pack_grams"), each.at("pack_price_cents_by_week")});
  return result;
}

bakery_site read_bakery(const json& from) {
  bakery_site result{
    .id = from.at("id"),
    .name = from.at("name"),
    .tenant = uuid::parse(from.at("tenant").get_ref<const std::string&>()).value(),
    .shift_starts = parse_clock(from.at("shift_starts").get_ref<const std::string&>()),
    .shift_ends = parse_clock(from.at("shift_ends").get_ref<const std::string&>()),
    .heating_minutes = from.at("heating_minutes"),
    .ovens = from.at("ovens"),
    .trays_per_oven = from.at("trays_per_oven"),
    .stock_grams = from.at("stock_grams"),
    .on_order_grams = from.at("on_order_grams"),
  };
  for (const auto& each : from.at("stakeholders"))
    result.stakeholders.push_back({each.at("role"), each.at("name"), each.at("address")});
  return result;
}

void read_sales(sample& into, std::string_view text) {
  while (text.ends_with('\n'))
    text.remove_suffix(1);
  auto lines = cut(text, '\n');
  auto names = cut(lines.at(0), ',');
  for (size_t i = 1; i < lines.size(); ++i) {
    auto fields = cut(lines[i], ',');
    auto place = "sales.csv line " + std::to_string(i + 1) + ": ";
    if (fields.size() != names.size())
      throw std::runtime_error(place + "has another number of fields than the first line");
    auto day = parse_day(fields[1]);
    auto site = std::find_if(into.bakeries.begin(), into.bakeries.end(), [&](auto& x) { return x.id == fields[0]; });
    if (!day || site == into.bakeries.end())
      throw std::runtime_error(place + "must begin with a bakery's id and a day");
    if (i == 1)
      into.first_day = *day;
    into.last_day = *day;
    for (size_t column = 2; column < fields.size(); ++column) {
      auto units = parse_number(fields[column]);
      auto& series = site->sales[std::string(names[column])];
      if (!units || into.first_day + std::chrono::days(series.size()) != *day)
        throw std::runtime_error(place + "must hold the units sold on the day after the line before");
      series.push_back(*units);
    }
  }
}

sample read_sample() {
  sample result;
  for (const auto& each : json::parse(products_json()))
    result.products.push_back(read_product(each));
  for (const auto& each : json::parse(suppliers_json()))
    result.suppliers.push_back(read_supplier(each));
  for (const auto& each : json::parse(bakeries_json()))
    result.bakeries.push_back(read_bakery(each));
  read_sales(result, sales_csv());
  return result;
}

} // namespace

const product* sample::find_product(std::string_view name) const {
  for (const auto& each : products)
    if (each.name == name)
      return &each;
  return nullptr;
}

const bakery_site* sample::find_bakery(const uuid& tenant) const {
  for (const auto& each : bakeries)
    if (each.tenant == tenant)
      return &each;
  return nullptr;
}

const sample& embedded_sample() {
  static const sample only = read_sample();
  return only;
}

std::optional<sys_days> parse_day(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-')
    return std::nullopt;
  auto year = parse_number(text.substr(0, 4));
  auto month = parse_number(text.substr(5, 2));
  auto day = parse_number(text.substr(8, 2));
  if (!year || !month || !day)
    return std::nullopt;
  std::chrono::year_month_day date{
    std::chrono::year(*year), std::chrono::month(unsigned(*month)), std::chrono::day(unsigned(*day))};
  return date.ok() ? std::optional(sys_days(date)) : std::nullopt;
}

std::string format_day(sys_days day) {
  std::chrono::year_month_day date(day);
  std::array<char, 32> text{};
  std::snprintf(
    text.data(), text.size(), "%04d-%02u-%02u", int(date.year()), unsigned(date.month()), unsigned(date.day()));
  return text.data();
}

std::string weekday_name(sys_days day) {
  static constexpr std::array names{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
  return names[std::chrono::weekday(day).c_encoding()];
}

minute_of_day parse_clock(std::string_view text) {
  auto hours = text.size() == 5 && text[2] == ':' ? parse_number(text.substr(0, 2)) : std::nullopt;
  auto minutes = hours ? parse_number(text.substr(3)) : std::nullopt;
  if (!minutes || *hours > 23 || *minutes > 59)
    throw std::runtime_error("`" + std::string(text) + "` is not a time of day like 06:30");
  return *hours * 60 + *minutes;
}

std::string format_clock(minute_of_day at) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%02d:%02d", at / 60, at % 60);
  return text.data();
}

std::string format_money(int64_t cents) {
  std::array<char, 48> text{};
  std::snprintf(
    text.data(), text.size(), "%s%lld.%02lld EUR", cents < 0 ? "-" : "", (long long)(std::abs(cents) / 100),
    (long long)(std::abs(cents) % 100));
  return text.data();
}

} // namespace levain::bakery
