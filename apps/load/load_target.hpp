#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "actors/ending_messages.hpp"
#include "apps/load/load_mix.hpp"

namespace levain::load {

/// One request to start a run.
struct start_ask {
  /// Names the start in what is told of it.
  uint32_t ticket = 0;
  /// Of the load, from 0; with `keyed`, the idempotency key is made of it.
  uint64_t number = 0;
  uint16_t tenant = 0;
  uint8_t priority = 0;
  bool keyed = false;
};

/// The idempotency key of a start. Tenants are a load's own, so numbers suffice.
std::string key_of(const start_ask& ask);

/// A start was not acknowledged.
struct start_setback {
  enum class next_type : uint8_t {
    /// Nothing was started: ask again after `wait`.
    again,
    /// Nobody knows whether it was started; only with a key may it be asked again.
    unknown,
    /// Nothing was started, and nothing will be.
    never,
  };
  next_type next = next_type::again;
  /// The engine said no; otherwise something went wrong.
  bool refused = true;
  /// A few words without numbers: what is counted together.
  std::string reason;
  duration wait{};
};

/// Who is told what becomes of starts and runs; on any thread, never after `load_target::stop`.
class load_listener {
public:
  virtual ~load_listener() = default;
  virtual void acknowledged(uint32_t ticket, const run_id& run, bool repeated) = 0;
  virtual void set_back(uint32_t ticket, const start_setback& setback) = 0;
  /// `late`: it was found by looking the run up, so nothing is known of the moment.
  virtual void ended(const run_ending& ending, bool late) = 0;
  /// A request that was no start failed.
  virtual void went_wrong(const std::string& what) = 0;
};

/// What every run of a load has.
struct load_work {
  /// The definition as JSON text.
  std::string definition;
  /// JSON text.
  std::string input = "{}";
  std::vector<tenant_id> tenants;
};

/// What the engine says of itself; counts since it began. Absent where it cannot be read.
struct engine_figures {
  uint64_t batches = 0;
  uint64_t events = 0;
  std::optional<double> cpu_ms;
  std::optional<uint64_t> peak_rss_bytes;
};

/// The engine under load, wherever it runs.
class load_target {
public:
  virtual ~load_target() = default;
  /// Registers the definition and waits until the engine takes starts. Throws `command_failed`.
  virtual void begin(const load_work& work, load_listener& listener) = 0;
  /// Asks; each ask is answered to the listener once. Does not wait.
  virtual void start(const std::vector<start_ask>& asks) = 0;
  /// Tells of ends that may have been missed, as late ones. May take long.
  virtual void look_up() = 0;
  virtual engine_figures figures() = 0;
  /// Tells no more. Idempotent.
  virtual void stop() = 0;
  /// For people: `in-process`, or the daemons' URLs.
  virtual std::string name() const = 0;
};

} // namespace levain::load
