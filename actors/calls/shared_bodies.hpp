#pragma once

#include "actors/run_machine/prepare_call.hpp"

namespace levain {

/// Bodies below this size are left as they are.
inline constexpr size_t shared_body_bytes_min = 64 * 1024;

/// Lets calls that carry the same input and the same results hold one text for both: moves what follows the `run`
/// object of `request.body` into `request.body_rest`, which equal texts of the process share for as long as any call
/// holds them. Safe from any thread.
void share_body(call_request& request);

} // namespace levain
