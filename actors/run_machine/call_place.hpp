#pragma once

#include <string>

#include "actors/run_machine/prepare_call.hpp"

namespace levain {

// The words on workers that are not there. One place for them: `explain` tells waits by them.

/// What a worker call waits for, and fails with (retryably) when its time is over, while no worker offers the kind.
std::string no_worker_message(const std::string& kind);

/// What a worker call waits for while all who offer the kind have enough to do.
std::string busy_workers_message(const std::string& kind);

/// True for the failure of an attempt that found no worker: what a run whose next attempt is due waits for in truth.
bool is_without_worker(const call_spec& call, const call_failure& failure);

/// `scheme://host/path` of a URL or of the template of one: without user, query and fragment, which may be secrets.
std::string shown_url(std::string url);

/// Where a step's call (or the one that undoes it) goes, for people: `POST ${oven_url}/loaves`, `function bake`,
/// `worker kind mix`, `simulated call`. With the run's values put in, if all are there; a node's variables stay as the
/// definition names them, because their values may be secrets, and a URL's user, query and fragment are left out.
std::string call_place(const run_state& state, step_index step, bool undo, const call_variables& variables);

} // namespace levain
