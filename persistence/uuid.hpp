#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "persistence/timestamp.hpp"

namespace levain {

/// A 128-bit identifier (RFC 9562), ordered byte by byte as PostgreSQL orders its `uuid`.
struct uuid {
  std::array<uint8_t, 16> bytes{};

  auto operator<=>(const uuid&) const = default;

  /// Reads the canonical form `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` in either case; nothing else.
  static std::optional<uuid> parse(std::string_view text);
};

/// The canonical form in lower case, 36 characters.
std::string to_string(const uuid& id);

/// Random bytes a UUIDv7 is made from; whoever mints decides where they come from.
struct uuid_entropy {
  uint64_t high = 0;
  uint64_t low = 0;
};

/// A version 7 UUID (RFC 9562 section 5.7) of the given millisecond.
uuid make_uuid_v7(timestamp at, uuid_entropy entropy);

} // namespace levain

template <>
struct std::hash<levain::uuid> {
  size_t operator()(const levain::uuid& id) const noexcept;
};
