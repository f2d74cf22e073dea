#include "actors/liveness_log.hpp"

#include "persistence/log_quoted.hpp"

#include <numeric>

#include <spdlog/spdlog.h>

namespace levain {

namespace {

constexpr std::array<std::string_view, liveness_kind_count> kind_names = {"orphaned", "stuck",    "overdue",
                                                                          "silent",   "misowned", "unserved"};

} // namespace

std::string_view to_string(liveness_kind kind) {
  return kind_names.at(static_cast<size_t>(kind));
}

uint64_t liveness_figures::violations_in_all() const {
  return std::accumulate(violations.begin(), violations.end(), uint64_t{0});
}

void liveness_log::looked(timestamp at) {
  const std::lock_guard guard(mutex_);
  ++figures_.looks;
  figures_.looked_at = at;
}

void liveness_log::note(liveness_violation violation) {
  spdlog::error(
    "liveness_violation run={} kind={} detail={}", to_string(violation.run), to_string(violation.kind),
    log_quoted(violation.detail));
  const std::lock_guard guard(mutex_);
  ++figures_.violations.at(static_cast<size_t>(violation.kind));
  figures_.last.push_back(std::move(violation));
  if (figures_.last.size() > liveness_violations_kept)
    figures_.last.pop_front();
}

void liveness_log::note_given_up() {
  const std::lock_guard guard(mutex_);
  ++figures_.given_up;
}

liveness_figures liveness_log::figures() const {
  const std::lock_guard guard(mutex_);
  return figures_;
}

} // namespace levain
