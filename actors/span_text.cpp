#include "actors/span_text.hpp"

#include <fmt/format.h>

namespace levain {

std::string span_text(duration span) {
  using namespace std::chrono;
  const auto us = span.count();
  if (us < 1000)
    return fmt::format("{} us", us);
  // Rounded first, so that 999.7 ms is 1.0 s and not 1000 ms.
  if (us < 999'500)
    return fmt::format("{} ms", (us + 500) / 1000);
  if (us < 59'950'000)
    return fmt::format("{:.1f} s", double(us) / 1e6);
  const auto s = (us + 500'000) / 1'000'000;
  if (s < 3600)
    return fmt::format("{} min {} s", s / 60, s % 60);
  if (s < 86'400)
    return fmt::format("{} h {} min", s / 3600, s % 3600 / 60);
  return fmt::format("{} d {} h", s / 86'400, s % 86'400 / 3600);
}

} // namespace levain
