#pragma once

#include "actors/messages.hpp"

// What is told of runs that end: the continuation of `messages.hpp`.

namespace levain {

/// A run's end. It is durable.
struct run_ending {
  run_id run;
  tenant_id tenant;
  run_status status = run_status::completed;
  timestamp ended_at{};
  /// Steps that succeeded and were not undone.
  uint32_t steps_succeeded = 0;
  bool operator==(const run_ending&) const = default;
};

/// A place in the endings of one life of a node.
struct endings_cursor {
  /// Which life.
  uuid boot;
  /// How many endings lie before it.
  uint64_t number = 0;
  bool operator==(const endings_cursor&) const = default;
};

/// The cursor as text that fits into a URL.
std::string to_string(const endings_cursor& cursor);

/// The reverse of `to_string`; nothing for any other text.
std::optional<endings_cursor> parse_endings_cursor(std::string_view text);

/// Endings in their order, and where the next ones will be.
struct endings_page {
  std::vector<run_ending> endings;
  endings_cursor next;
  /// Endings that lay between the cursor and these are not kept any more, or the node has begun anew since.
  bool missed = false;
};

/// Why endings were not told.
struct endings_refused {
  enum class reason_type : uint8_t {
    /// Too many wait already.
    busy,
    /// The cursor lies beyond what there is.
    no_such_cursor,
  };
  reason_type reason = reason_type::busy;
  /// A sentence.
  std::string message;
};

using endings_outcome = std::variant<endings_page, endings_refused>;

/// What ended after `after`? The outcome comes as soon as there is one such ending, else after `wait`.
struct endings_asked {
  enum class from_type : uint8_t { oldest_kept, newest, cursor };
  from_type from = from_type::oldest_kept;
  /// With `from_type::cursor`.
  endings_cursor after;
  /// At least 1.
  size_t limit = 1;
  duration wait{};
  receiver<endings_outcome> outcome;
  /// True once nobody waits for the outcome any more, from any thread; it then gives its place to others. May be
  /// absent.
  std::function<bool()> abandoned = {};
};

/// Tell this of every run that ends from now on; in the place of who was told before. Nothing ends that.
struct listen_to_endings {
  std::function<void(const run_ending&)> listener;
};

} // namespace levain

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::run_ending)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::endings_asked)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::listen_to_endings)
