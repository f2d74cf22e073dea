#include "apps/load/latency_histogram.hpp"

#include <algorithm>
#include <bit>
#include <stdexcept>
#include <string>

namespace levain::load {

namespace {

constexpr unsigned sub_bucket_bits = 11;
constexpr uint64_t sub_buckets = uint64_t{1} << sub_bucket_bits;
constexpr uint64_t half = sub_buckets / 2;

/// How many times values around `us` have doubled beyond what is counted by the microsecond.
constexpr unsigned doublings_of(uint64_t us) {
  const auto bits = static_cast<unsigned>(std::bit_width(us));
  return bits > sub_bucket_bits ? bits - sub_bucket_bits : 0;
}

constexpr size_t place_of(uint64_t us) {
  const unsigned doublings = doublings_of(us);
  return doublings * half + (us >> doublings);
}

/// The largest value that is counted at this place.
constexpr uint64_t upper_of(size_t place) {
  if (place < sub_buckets)
    return place;
  const unsigned doublings = static_cast<unsigned>(place / half) - 1;
  const uint64_t sub_bucket = place - doublings * half;
  return ((sub_bucket + 1) << doublings) - 1;
}

constexpr uint64_t highest_us = latency_histogram::latency_max.count();
constexpr size_t places = place_of(highest_us) + 1;

static_assert(place_of(sub_buckets - 1) + 1 == place_of(sub_buckets), "counts follow each other without a gap");
static_assert(upper_of(place_of(sub_buckets)) == sub_buckets + 1, "the first doubling counts two by two");

constexpr unsigned rows_per_doubling_bits = 4;

/// The largest value in the row of a plot that holds `us`.
uint64_t row_upper_of(uint64_t us) {
  const auto bits = static_cast<unsigned>(std::bit_width(us));
  const unsigned shift = bits > rows_per_doubling_bits + 1 ? bits - rows_per_doubling_bits - 1 : 0;
  return (((us >> shift) + 1) << shift) - 1;
}

double milliseconds(uint64_t us) {
  return static_cast<double>(us) / 1000;
}

} // namespace

latency_histogram::latency_histogram()
  : counts_(places) {}

void latency_histogram::record(std::chrono::nanoseconds latency, uint64_t times) {
  if (times == 0)
    return;
  const auto rounded = std::chrono::round<std::chrono::microseconds>(std::max(latency, std::chrono::nanoseconds(0)));
  const auto us = static_cast<uint64_t>(rounded.count());
  counts_[place_of(std::min(us, highest_us))] += times;
  count_ += times;
  total_us_ += us * times;
  max_us_ = std::max(max_us_, us);
}

void latency_histogram::add(const latency_histogram& other) {
  for (size_t i = 0; i < counts_.size(); ++i)
    counts_[i] += other.counts_[i];
  count_ += other.count_;
  total_us_ += other.total_us_;
  max_us_ = std::max(max_us_, other.max_us_);
}

void latency_histogram::clear() {
  std::ranges::fill(counts_, 0);
  count_ = 0;
  total_us_ = 0;
  max_us_ = 0;
}

std::chrono::microseconds latency_histogram::quantile(unsigned in_thousand) const {
  if (in_thousand > 1000)
    throw std::invalid_argument(
      "a quantile is asked for in thousandths, 0 to 1000, not " + std::to_string(in_thousand));
  // In two parts, because the product of a large count may not fit.
  const uint64_t exact = count_ / 1000 * in_thousand + (count_ % 1000 * in_thousand + 999) / 1000;
  const uint64_t rank = std::max<uint64_t>(exact, 1);
  uint64_t below = 0;
  for (size_t place = 0; place < counts_.size(); ++place) {
    below += counts_[place];
    if (below >= rank)
      return std::chrono::microseconds(std::min(upper_of(place), max_us_));
  }
  return std::chrono::microseconds(0);
}

std::vector<latency_bucket> latency_histogram::rows() const {
  std::vector<latency_bucket> rows;
  if (count_ == 0)
    return rows;
  uint64_t upper = 0;
  uint64_t in_row = 0;
  uint64_t before = 0;
  uint64_t left = count_;
  const auto end_row = [&] {
    if (in_row > 0 && rows.empty() && upper > 0)
      rows.push_back({milliseconds(before), 0});
    if (in_row > 0 || !rows.empty())
      rows.push_back({milliseconds(upper), in_row});
    before = upper;
    left -= in_row;
    in_row = 0;
  };
  for (size_t place = 0; place < counts_.size() && left > in_row; ++place) {
    const auto row = row_upper_of(upper_of(place));
    if (row != upper) {
      end_row();
      upper = row;
    }
    in_row += counts_[place];
  }
  end_row();
  return rows;
}

latency_figures latency_histogram::figures() const {
  const auto in_ms = [this](unsigned in_thousand) {
    return milliseconds(static_cast<uint64_t>(quantile(in_thousand).count()));
  };
  return {
    .p50 = in_ms(500),
    .p90 = in_ms(900),
    .p99 = in_ms(990),
    .p999 = in_ms(999),
    .max = milliseconds(max_us_),
    .mean = count_ == 0 ? 0 : milliseconds(total_us_) / static_cast<double>(count_),
    .count = count_,
    .histogram = rows()};
}

} // namespace levain::load
