#include "tests/support/seed.hpp"

#include <charconv>
#include <cstdlib>
#include <iostream>
#include <random>
#include <stdexcept>
#include <string_view>

namespace levain::test {

namespace {

uint64_t chosen_seed() {
  const char* given = std::getenv("LEVAIN_SEED");
  if (given == nullptr)
    return std::random_device{}();
  const std::string_view text(given);
  uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (error != std::errc{} || end != text.data() + text.size())
    throw std::runtime_error("LEVAIN_SEED must be a whole number from 0 to 2^64-1, not '" + std::string(text) + "'");
  return seed;
}

} // namespace

uint64_t announced_seed() {
  const auto seed = chosen_seed();
  std::cout << "LEVAIN_SEED=" << seed << std::endl;
  return seed;
}

} // namespace levain::test
