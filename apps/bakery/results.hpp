#pragma once

#include <map>
#include <string>

#include <nlohmann/json.hpp>

#include "apps/bakery/forecasting.hpp"
#include "apps/bakery/json_place.hpp"
#include "apps/bakery/procurement.hpp"
#include "apps/bakery/production.hpp"

/// How results travel from one service to the next: what a service answers, a later one reads from `results`.
namespace levain::bakery {

nlohmann::json to_json(const demand_forecast& forecast);
nlohmann::json to_json(const production_schedule& schedule);
nlohmann::json to_json(const procurement_plan& plan);

/// `from` is the whole answer of the service. Throws `bad_input` naming what is missing or wrong.
demand_forecast read_forecast(const sample& known, const json_place& from);
production_schedule read_schedule(const sample& known, const json_place& from);
procurement_plan read_plan(const json_place& from);

/// What production needs of a forecast.
std::map<std::string, expected_demand> demand_of(const demand_forecast& forecast);
/// What procurement needs of a schedule.
std::map<std::string, int32_t> planned_units(const production_schedule& schedule);

} // namespace levain::bakery
