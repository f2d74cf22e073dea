#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "actors/cluster/wire_system.hpp"
#include "actors/worker/workbench.hpp"

namespace levain {

/// What no node of ours sends: a sentence that names what is wrong, its value and what would have been right.
struct nonsense {
  std::string reason;
};

/// Checks every member of a call that came over the wire but its body.
std::optional<std::string> fault_in_head(const call_given& call);

/// Checks every member of a call that came over the wire and reads its body.
std::variant<arrived_call, nonsense> check_call(call_given given);

/// Checks a list of gates that came over the wire.
std::variant<std::vector<wire_address>, nonsense> check_gates(const std::vector<std::string>& gates);

} // namespace levain
