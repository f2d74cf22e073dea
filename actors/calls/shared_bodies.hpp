#pragma once

#include <memory>
#include <string>

#include "actors/calls/call_budget.hpp"
#include "actors/run_machine/prepare_call.hpp"

namespace levain {

/// Bodies below this size are left as they are.
inline constexpr size_t shared_body_bytes_min = 64 * 1024;

/// A text that calls share, and what it holds of the node's memory for calls; null where nobody counts.
struct shared_text {
  std::string text;
  call_bytes_ptr memory;
};

/// Lets calls that carry the same input and the same results hold one text for both: moves what follows the `run`
/// object of `request.body` into `request.body_rest`, which equal texts of the process share for as long as any call
/// holds them. Answers the text when no other call holds it: its bytes are the caller's to count. Safe from any thread.
std::shared_ptr<shared_text> share_body(call_request& request);

} // namespace levain
