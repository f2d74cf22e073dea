#include "apps/terminal/worker_text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/terminal/run_text.hpp"
#include "apps/terminal/table.hpp"

namespace levain::terminal {

std::string workers_text(const nlohmann::ordered_json& workers, const paint& look) {
  table rows({"NAME", "HOST", "SINCE", "CALLS", "KINDS (FREE OF AT ONCE)"});
  for (const auto& each : workers) {
    std::string kinds;
    for (const auto& offer : each.at("kinds"))
      kinds += fmt::format(
        "{}{} {}/{}", kinds.empty() ? "" : ", ", offer.value("kind", ""), value_text(offer.at("free")),
        value_text(offer.at("at_once")));
    if (each.value("leaving", false))
      kinds = "leaving";
    rows.add(
      {{each.value("name", "")},
       {each.value("host", "")},
       {moment_of(each.at("connected_since")), ink::quiet},
       {value_text(each.at("calls_out")), ink::plain, true},
       {kinds}});
  }
  return rows.text(look);
}

} // namespace levain::terminal
