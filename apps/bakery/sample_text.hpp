#pragma once

#include <string_view>

/// The files of `apps/bakery/sample` and the workflow definition, embedded at build time.
namespace levain::bakery {

std::string_view sales_csv();
std::string_view products_json();
std::string_view suppliers_json();
std::string_view bakeries_json();
std::string_view daily_bakery_json();

} // namespace levain::bakery
