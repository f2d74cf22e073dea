#include "persistence/span_text.hpp"

namespace levain {

std::string span_text(duration span) {
  using std::to_string;
  const auto us = span.count();
  if (us < 1000)
    return to_string(us) + " us";
  // Rounded first, so that 999.7 ms is 1.0 s and not 1000 ms.
  if (us < 999'500)
    return to_string((us + 500) / 1000) + " ms";
  if (us < 59'950'000) {
    const auto tenths = (us + 50'000) / 100'000;
    return to_string(tenths / 10) + '.' + to_string(tenths % 10) + " s";
  }
  const auto s = (us + 500'000) / 1'000'000;
  if (s < 3600)
    return to_string(s / 60) + " min " + to_string(s % 60) + " s";
  if (s < 86'400)
    return to_string(s / 3600) + " h " + to_string(s % 3600 / 60) + " min";
  return to_string(s / 86'400) + " d " + to_string(s % 86'400 / 3600) + " h";
}

} // namespace levain
