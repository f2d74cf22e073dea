#include "actors/cluster/peer_words.hpp"

#include "actors/cluster/wire_limits.hpp"
#include "actors/overloaded.hpp"
#include "persistence/plain_line.hpp"

namespace levain {

namespace {

wish_refused refused_of(uint8_t reason, const std::string& message) {
  return {static_cast<wish_refused::reason_type>(reason), message};
}

/// Whoever sends what is no sentence is cut off, and the words may be a stranger's.
std::string sentence(const std::string& text) {
  return plain_line(text, wire_sentence_bytes_max);
}

int64_t micros_of(const std::optional<timestamp>& at) {
  return at ? at->time_since_epoch().count() : 0;
}

std::optional<timestamp> time_of(int64_t micros) {
  return micros == 0 ? std::nullopt : std::optional(timestamp(duration(micros)));
}

std::optional<std::string> text_of(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

} // namespace

// ---- wishes -----------------------------------------------------------------

wire_change to_wire(const run_id& run, const tenant_id& tenant, const wish& asked) {
  wire_change x{run.value, tenant.value, wire_wish::cancel, {}, {}};
  std::visit(
    overloaded{
      [&](const cancel_asked& what) {
        x.by = what.by;
        x.reason = what.reason;
      },
      [&](const pause_asked& what) {
        x.asked = wire_wish::pause;
        x.by = what.by;
      },
      [&](const resume_asked& what) {
        x.asked = wire_wish::resume;
        x.by = what.by;
      },
      [&](const retry_asked& what) {
        x.asked = wire_wish::retry;
        x.by = what.by;
      },
      [&](const terminate_asked& what) {
        x.asked = wire_wish::terminate;
        x.by = what.by;
        x.reason = what.reason;
      },
      [&](const resolve_asked& what) {
        x.asked = wire_wish::resolve;
        x.by = what.by;
        x.reason = what.note;
      },
    },
    asked);
  return x;
}

wish wish_of(const wire_change& x) {
  switch (x.asked) {
  case wire_wish::pause:
    return pause_asked{x.by};
  case wire_wish::resume:
    return resume_asked{x.by};
  case wire_wish::retry:
    return retry_asked{x.by};
  case wire_wish::terminate:
    return terminate_asked{x.by, x.reason};
  case wire_wish::resolve:
    return resolve_asked{x.by, x.reason};
  case wire_wish::cancel:
    break;
  }
  return cancel_asked{x.by, x.reason};
}

wire_changed to_wire(const wish_outcome& outcome) {
  if (const auto* refused = std::get_if<wish_refused>(&outcome))
    return {false, static_cast<uint8_t>(refused->reason), sentence(refused->message)};
  return {true, 0, {}};
}

wish_outcome outcome_of(const wire_changed& x) {
  return x.granted ? wish_outcome(wish_granted{}) : wish_outcome(refused_of(x.refusal, x.message));
}

// ---- explanations -----------------------------------------------------------

wire_explained to_wire(const explain_outcome& outcome) {
  if (const auto* refused = std::get_if<wish_refused>(&outcome))
    return {false, static_cast<uint8_t>(refused->reason), sentence(refused->message), {}};
  const auto& told = std::get<explanation>(outcome);
  wire_explained x{true, 0, sentence(told.summary), {}};
  for (const auto& each : told.waits)
    x.waits.push_back(
      {each.kind, each.step, sentence(each.text), micros_of(each.since), micros_of(each.until), sentence(each.place),
       each.progress});
  return x;
}

explain_outcome outcome_of(const wire_explained& x) {
  if (!x.found)
    return refused_of(x.refusal, x.message);
  explanation told{x.message, {}};
  for (const auto& each : x.waits)
    told.waits.push_back(
      {each.kind, each.step, each.text, time_of(each.since), time_of(each.until), each.place, each.progress});
  return told;
}

// ---- starts -----------------------------------------------------------------

wire_start to_wire(const start_request& request, uint32_t protocol_max) {
  // Which version a start means decides only whether it repeats an earlier one.
  const bool is_open = !request.version_named && request.idempotency_key && protocol_max >= wire_protocol_open_versions;
  return {
    request.tenant.value,
    request.workflow->name,
    is_open ? -request.workflow->version : request.workflow->version,
    request.run_type,
    request.priority,
    request.triggered_by.value_or(""),
    request.input,
    request.metadata.value_or(""),
    request.idempotency_key.value_or("")};
}

start_request request_of(const wire_start& x) {
  start_request request;
  request.tenant = {x.tenant};
  request.version_named = x.version > 0;
  request.run_type = x.run_type;
  request.priority = x.priority;
  request.triggered_by = text_of(x.triggered_by);
  request.input = x.input;
  request.metadata = text_of(x.metadata);
  request.idempotency_key = text_of(x.idempotency_key);
  return request;
}

wire_started to_wire(const start_outcome& outcome) {
  wire_started x;
  if (const auto* started = std::get_if<start_acknowledged>(&outcome)) {
    x.acknowledged = true;
    x.run = started->run.value;
    x.run_number = started->run_number;
    x.repeated = started->repeated;
    return x;
  }
  const auto& refused = std::get<start_refused>(outcome);
  x.refusal = static_cast<uint8_t>(refused.reason);
  x.message = sentence(refused.message);
  x.retry_after = refused.retry_after ? refused.retry_after->count() : 0;
  x.may_have_started = refused.may_have_started;
  return x;
}

start_outcome outcome_of(const wire_started& x) {
  if (x.acknowledged)
    return start_acknowledged{{x.run}, x.run_number, x.repeated};
  start_refused refused{
    static_cast<start_refused::reason_type>(x.refusal), x.message, std::nullopt, x.may_have_started};
  if (x.retry_after > 0)
    refused.retry_after = std::chrono::milliseconds(x.retry_after);
  return refused;
}

} // namespace levain
