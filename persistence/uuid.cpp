#include "persistence/uuid.hpp"

#include <cstring>

namespace levain {

namespace {

constexpr char hex_digits[] = "0123456789abcdef";

/// The value of a hexadecimal digit, or -1.
constexpr int hex_value(char digit) {
  if (digit >= '0' && digit <= '9')
    return digit - '0';
  if (digit >= 'a' && digit <= 'f')
    return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F')
    return digit - 'A' + 10;
  return -1;
}

/// True for the places of the canonical form that hold a dash.
constexpr bool is_dash_place(size_t place) {
  return place == 8 || place == 13 || place == 18 || place == 23;
}

constexpr size_t canonical_length = 36;

} // namespace

std::optional<uuid> uuid::parse(std::string_view text) {
  if (text.size() != canonical_length)
    return std::nullopt;
  uuid result;
  size_t byte = 0;
  for (size_t place = 0; place < canonical_length;) {
    if (is_dash_place(place)) {
      if (text[place++] != '-')
        return std::nullopt;
      continue;
    }
    const int high = hex_value(text[place]);
    const int low = hex_value(text[place + 1]);
    if (high < 0 || low < 0)
      return std::nullopt;
    result.bytes[byte++] = static_cast<uint8_t>(high << 4 | low);
    place += 2;
  }
  return result;
}

std::string to_string(const uuid& id) {
  std::string text(canonical_length, '-');
  size_t place = 0;
  for (const uint8_t byte : id.bytes) {
    if (is_dash_place(place))
      ++place;
    text[place++] = hex_digits[byte >> 4];
    text[place++] = hex_digits[byte & 15];
  }
  return text;
}

uuid make_uuid_v7(timestamp at, uuid_entropy entropy) {
  const auto since_epoch = std::chrono::floor<std::chrono::milliseconds>(at).time_since_epoch().count();
  const auto milliseconds = static_cast<uint64_t>(since_epoch);
  uuid id;
  for (int i = 0; i < 6; ++i)
    id.bytes[i] = static_cast<uint8_t>(milliseconds >> (8 * (5 - i)));
  id.bytes[6] = static_cast<uint8_t>(0x70 | (entropy.high >> 8 & 0x0f));
  id.bytes[7] = static_cast<uint8_t>(entropy.high);
  for (int i = 0; i < 8; ++i)
    id.bytes[8 + i] = static_cast<uint8_t>(entropy.low >> (8 * (7 - i)));
  id.bytes[8] = static_cast<uint8_t>(0x80 | (id.bytes[8] & 0x3f));
  return id;
}

} // namespace levain

size_t std::hash<levain::uuid>::operator()(const levain::uuid& id) const noexcept {
  uint64_t high = 0;
  uint64_t low = 0;
  std::memcpy(&high, id.bytes.data(), sizeof high);
  std::memcpy(&low, id.bytes.data() + sizeof high, sizeof low);
  // Ids of one millisecond differ in few places only: mix before folding (constant of splitmix64).
  uint64_t mixed = high ^ (low * 0x9e3779b97f4a7c15U);
  mixed ^= mixed >> 32;
  return static_cast<size_t>(mixed * 0xbf58476d1ce4e5b9U ^ mixed >> 29);
}
