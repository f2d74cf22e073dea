#pragma once

#include <string>
#include <vector>

#include "apps/bakery/procurement.hpp"
#include "apps/bakery/production.hpp"

namespace levain::bakery {

/// One message to one person or supplier.
struct message {
  /// `head_baker`, `shop_manager`, `purchasing` or `supplier`.
  std::string role;
  std::string name;
  std::string address;
  std::string subject;
  std::string text;
  bool operator==(const message&) const = default;
};

/// Who has to know what of a night's plan: the head baker the schedule, each supplier its order, purchasing the orders
/// and what is missing, the shop manager what the shop will have.
std::vector<message> write_messages(
  const bakery_site& site, sys_days day, const production_schedule& schedule, const procurement_plan& plan);

} // namespace levain::bakery
