#pragma once

#include "actors/cluster/peer_links.hpp"
#include "actors/cluster/wire_messages.hpp"
#include "actors/messages.hpp"

// What crosses the wire, in the engine's own words and back. What comes back from the wire has been checked before.

namespace levain {

wire_change to_wire(const run_id& run, const tenant_id& tenant, const wish& asked);
wish wish_of(const wire_change& x);

wire_changed to_wire(const wish_outcome& outcome);
wish_outcome outcome_of(const wire_changed& x);

wire_explained to_wire(const explain_outcome& outcome);
explain_outcome outcome_of(const wire_explained& x);

/// For a node that speaks this protocol at most.
wire_start to_wire(const start_request& request, uint32_t protocol_max);
/// `request.workflow` is still to be found.
start_request request_of(const wire_start& x);

wire_started to_wire(const start_outcome& outcome);
start_outcome outcome_of(const wire_started& x);

} // namespace levain
