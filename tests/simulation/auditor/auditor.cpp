#include "tests/simulation/auditor/auditor.hpp"

namespace levain::simulation {

void auditor::saw(const workflow_known&) {}
void auditor::saw(const start_asked&) {}
void auditor::saw(const start_told&) {}
void auditor::saw(const wish_asked&) {}
void auditor::saw(const wish_told&) {}
void auditor::saw(const call_made&) {}
void auditor::saw(const call_told&) {}
void auditor::saw(const run_written&) {}
void auditor::saw(const run_refused&) {}
void auditor::saw(const shard_owned&) {}
void auditor::saw(const shard_freed&) {}
void auditor::saw(const lease_renewed&) {}
void auditor::saw(const process_changed&) {}

void auditor::saw_complaint(timestamp at, const place& who, const std::string& text) {
  blame(
    rule::no_complaint, at, std::nullopt,
    "node " + std::to_string(who.node) + " in its life " + std::to_string(who.life) + " complains: " + text);
}

void auditor::finish(timestamp, const std::vector<run_left_over>&) {}

void auditor::blame(rule broken, timestamp at, std::optional<run_id> run, std::string text) {
  violations_.push_back({broken, at, run, std::move(text)});
}

} // namespace levain::simulation
