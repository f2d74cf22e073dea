#include "apps/load/load_mix.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <stdexcept>

#include <fmt/format.h>

#include "actors/random_draw.hpp"

namespace levain::load {

namespace {

std::vector<double> running_totals(const auto& weights) {
  std::vector<double> totals;
  double total = 0;
  for (const double each : weights)
    totals.push_back(total += each);
  return totals;
}

/// The place into whose weight `chance` (0 to less than 1) falls.
size_t choose(const std::vector<double>& totals, double chance) {
  const auto found = std::upper_bound(totals.begin(), totals.end(), chance * totals.back());
  return std::min<size_t>(found - totals.begin(), totals.size() - 1);
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find(at, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

template <class Number>
std::optional<Number> number_in(std::string_view text) {
  Number number{};
  const auto [stopped, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || stopped != text.data() + text.size())
    return std::nullopt;
  return number;
}

std::optional<double> weight_in(std::string_view text) {
  const auto weight = number_in<double>(text);
  return weight && std::isfinite(*weight) && *weight >= 0 ? weight : std::nullopt;
}

[[noreturn]] void refuse_tenants(std::string_view text) {
  throw std::invalid_argument(fmt::format(
    "must be a number of tenants (1 to {}), or weights above 0 such as 8,1,1 or 2x10,98x1, not '{}'", tenants_max,
    text));
}

} // namespace

load_mix::load_mix(const mix_options& options)
  : tenants_(running_totals(options.tenants))
  , priorities_(running_totals(options.priorities))
  , repeat_rate_(options.repeat_rate)
  , seed_(options.seed) {}

mix_draw load_mix::draw(uint64_t number) const {
  // Three numbers of a sequence of its own for each start. The factor (from MurmurHash3's finalizer) keeps the
  // sequences of neighbours apart.
  random_draw chance(seed_ + (number + 1) * 0xff51afd7ed558ccdULL);
  mix_draw drawn;
  drawn.tenant = static_cast<uint16_t>(choose(tenants_, chance.next()));
  drawn.priority = static_cast<uint8_t>(choose(priorities_, chance.next()));
  drawn.repeated = chance.next() < repeat_rate_;
  return drawn;
}

std::vector<double> parse_tenant_weights(std::string_view text) {
  if (const auto count = number_in<size_t>(text); count && *count >= 1 && *count <= tenants_max)
    return std::vector<double>(*count, 1.0);
  const auto parts = split(text, ',');
  std::vector<double> weights;
  for (const auto& part : parts) {
    const auto times = part.find('x');
    const auto count = times == std::string_view::npos ? 1 : number_in<size_t>(part.substr(0, times));
    const auto weight = weight_in(times == std::string_view::npos ? part : part.substr(times + 1));
    // A number alone is a number of tenants.
    const bool alone = parts.size() == 1 && times == std::string_view::npos;
    if (alone || !count || *count < 1 || !weight || *weight <= 0 || *count > tenants_max - weights.size())
      refuse_tenants(text);
    weights.insert(weights.end(), *count, *weight);
  }
  return weights;
}

priority_weights parse_priority_weights(std::string_view text) {
  priority_weights weights{};
  for (const auto& part : split(text, ',')) {
    const auto equals = std::min(part.find('='), part.size());
    const auto* name = std::find(priority_names.begin(), priority_names.end(), part.substr(0, equals));
    const auto weight = equals < part.size() ? weight_in(part.substr(equals + 1)) : std::nullopt;
    if (name == priority_names.end() || !weight)
      throw std::invalid_argument(
        fmt::format("must be weights by name such as normal=8,high=1,critical=1, not '{}'", text));
    weights[name - priority_names.begin()] = *weight;
  }
  if (weights == priority_weights{})
    throw std::invalid_argument(fmt::format("must give one of normal, high and critical a weight, not '{}'", text));
  return weights;
}

} // namespace levain::load
