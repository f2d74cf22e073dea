#pragma once

#include "actors/node.hpp"
#include "apps/program/option_maker.hpp"

// The settings of a node on a command line, in groups: for every program that has one.

namespace levain {

/// What is admitted, and what waits.
void add_admission(option_maker& add, node_options& node);
/// Writers, batches, leases and recovery.
void add_journal(option_maker& add, node_options& node);
void add_watchdog(option_maker& add, node_options& node);
/// Calls over HTTP.
void add_calls(option_maker& add, node_options& node);

} // namespace levain
