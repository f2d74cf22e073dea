#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "apps/client/api_client.hpp"
#include "apps/load/load_target.hpp"

namespace levain::load {

/// A start that a daemon acknowledged.
struct start_granted {
  run_id run;
  bool repeated = false;
};

using start_answer = std::variant<start_granted, start_setback>;

/// What a daemon's reply to a list of `count` starts says of each of them. Whatever cannot be understood may have been
/// started. Pure.
std::vector<start_answer> read_start_answers(const api_reply& reply, size_t count);

/// A page of endings as a daemon tells it.
struct told_endings {
  std::vector<run_ending> endings;
  std::string next;
  bool missed = false;
};

/// Nothing when the reply is no such page. Pure.
std::optional<told_endings> read_endings(const api_reply& reply);

/// The ending that a row of a list of runs tells of. Throws what nlohmann::json throws when it is no such row.
run_ending ending_of_row(const tenant_id& tenant, const nlohmann::ordered_json& row);

} // namespace levain::load
