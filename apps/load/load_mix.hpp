#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace levain::load {

/// Tenants of one load, at most: their numbers travel in 16 bits.
inline constexpr size_t tenants_max = 10'000;

/// The priorities of starts, in the order in which `priority_weights` gives their weights.
inline constexpr std::array<std::string_view, 3> priority_names{"normal", "high", "critical"};
using priority_weights = std::array<double, 3>;

/// Who starts how many of the runs, and how.
struct mix_options {
  /// One for each tenant, more than 0: how often it starts a run beside the others.
  std::vector<double> tenants{1};
  priority_weights priorities{1, 0, 0};
  /// The part of the starts that is asked for twice at the same time, with the same idempotency key: 0 to 1.
  double repeat_rate = 0;
  uint64_t seed = 1;
};

/// What chance says of one start.
struct mix_draw {
  uint16_t tenant = 0;
  uint8_t priority = 0;
  bool repeated = false;
  bool operator==(const mix_draw&) const = default;
};

/// Draws tenant, priority and repetition of each start from the seed and the start's number, and from nothing else.
class load_mix {
public:
  explicit load_mix(const mix_options& options);
  mix_draw draw(uint64_t number) const;

private:
  /// Running totals of the weights.
  std::vector<double> tenants_;
  std::vector<double> priorities_;
  double repeat_rate_;
  uint64_t seed_;
};

/// Reads `100` (so many equal ones), or weights with commas, each also as `COUNTxWEIGHT`: `8,1,1`, `2x10,98x1`. Throws
/// std::invalid_argument with a sentence on what would have been right.
std::vector<double> parse_tenant_weights(std::string_view text);

/// Reads `normal=8,high=1,critical=1`; what is not named has none. Throws as above.
priority_weights parse_priority_weights(std::string_view text);

} // namespace levain::load
