#include "apps/bakery/notifications.hpp"

#include <fmt/core.h>

namespace levain::bakery {

namespace {

std::string counted(size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : noun.ends_with('h') ? "es" : "s");
}

std::string schedule_text(const production_schedule& schedule) {
  if (schedule.batches.empty())
    return "Nothing to bake.\n";
  std::string text;
  for (const auto& batch : schedule.batches)
    text += fmt::format(
      "{}-{} {}: {} {} on {} at {} C{}\n", format_clock(batch.starts), format_clock(batch.ready), batch.oven,
      batch.units, batch.product, counted(size_t(batch.trays), "tray"), batch.oven_celsius,
      batch.on_time() ? "" : fmt::format(" (late: wanted at {})", format_clock(batch.ready_by)));
  return text;
}

std::string shop_text(const production_schedule& schedule) {
  std::string text;
  for (const auto& [product, line] : schedule.lines) {
    text += fmt::format("{}: {} baked, {} expected to sell", product, line.planned, line.demand);
    text += line.shortage > 0 ? fmt::format(", {} short", line.shortage) : "";
    text += line.late > 0 ? fmt::format(", {} late\n", line.late) : "\n";
  }
  return text;
}

std::string purchasing_text(const procurement_plan& plan) {
  std::string text;
  for (const auto& order : plan.orders)
    text += fmt::format(
      "{}: {}, {}, expected on {}\n", order.supplier_name, counted(order.lines.size(), "line"),
      format_money(order.cost_cents), format_day(order.expected_on));
  for (const auto& [ingredient, need] : plan.needs)
    if (need.missing > 0)
      text += fmt::format("MISSING {}: {:.1f} kg more than in stock\n", ingredient, double(need.missing) / 1000);
  return text.empty() ? "Nothing to order.\n" : text;
}

std::string order_text(const bakery_site& site, const purchase_order& order) {
  auto text = fmt::format("{} orders for {}:\n", site.name, format_day(order.expected_on));
  for (const auto& line : order.lines)
    text += fmt::format(
      "{} x {:.1f} kg {} at {}\n", line.packs, double(line.pack_grams) / 1000, line.ingredient,
      format_money(line.pack_price_cents));
  return text + fmt::format("Sum: {}\n", format_money(order.cost_cents));
}

} // namespace

std::vector<message> write_messages(
  const bakery_site& site, sys_days day, const production_schedule& schedule, const procurement_plan& plan) {
  std::vector<message> messages;
  auto date = fmt::format("{} {}", weekday_name(day), format_day(day));
  for (const auto& person : site.stakeholders) {
    message letter{.role = person.role, .name = person.name, .address = person.address};
    if (person.role == "head_baker") {
      letter.subject = fmt::format("{} for {}", counted(schedule.batches.size(), "batch"), date);
      letter.text = schedule_text(schedule);
    } else if (person.role == "purchasing") {
      letter.subject =
        fmt::format("{}, {}, {}", counted(plan.orders.size(), "purchase order"), format_money(plan.cost_cents), date);
      letter.text = purchasing_text(plan);
    } else {
      letter.subject = fmt::format(
        "{}: {}% of demand met, {}% on time", date, schedule.fulfillment_rate, schedule.on_time_delivery_rate);
      letter.text = shop_text(schedule);
    }
    messages.push_back(std::move(letter));
  }
  for (const auto& order : plan.orders)
    messages.push_back({
      .role = "supplier",
      .name = order.supplier_name,
      .address = order.address,
      .subject = fmt::format("Order of {} for {}", site.name, format_day(order.expected_on)),
      .text = order_text(site, order),
    });
  return messages;
}

} // namespace levain::bakery
