#pragma once

#include <optional>
#include <vector>

#include <caf/type_erased_tuple.hpp>

#include "actors/cluster/wire_messages.hpp"
#include "tests/simulation/worker_witness.hpp"

namespace levain::simulation {

/// What an audience sees of a message between a node and a worker; nothing of one that is no word on calls.
std::optional<word_passed> read_word(const caf::type_erased_tuple& content);

std::vector<held_known> known_from(const std::vector<held_call>& held);
std::vector<offer_known> known_from(const std::vector<wire_offer>& offers);

} // namespace levain::simulation
