#include <algorithm>

#include "tests/simulation/port_call.hpp"
#include "tests/simulation/ports.hpp"

namespace levain::simulation {

namespace {

constexpr auto lost = "the database cannot be reached";

} // namespace

simulated_leases::simulated_leases(ground& under, life_ptr of)
  : under_(under)
  , of_(std::move(of))
  , inner_(under.database) {}

/// Tells who owns more or less than before. A shard that another living process owned until now is one it was fenced
/// from.
void simulated_leases::tell_changes(const uuid& node, const std::vector<shard_lease>& had) {
  const auto has = inner_.owned(node);
  std::vector<life_ptr> fenced;
  for (const auto& each : has) {
    if (std::find(had.begin(), had.end(), each) != had.end())
      continue;
    auto& owner = under_.owners[each.shard];
    if (owner && owner != of_)
      under_.seen.saw(sight::takeovers);
    if (owner && owner != of_ && owner->alive && std::find(fenced.begin(), fenced.end(), owner) == fenced.end())
      fenced.push_back(owner);
    owner = of_;
  }
  for (const auto& victim : fenced) {
    under_.seen.saw(sight::lease_losses);
    under_.audience.saw(process_changed{under_.now, victim->who, process_change::fenced});
  }
  for (const auto& each : has)
    if (std::find(had.begin(), had.end(), each) == had.end())
      under_.audience.saw(shard_owned{under_.now, of_->who, each.shard, each.epoch, node});
  for (const auto& each : had) {
    const auto still = [&](const shard_lease& x) { return x.shard == each.shard; };
    if (std::any_of(has.begin(), has.end(), still))
      continue;
    under_.owners[each.shard] = nullptr;
    under_.audience.saw(shard_freed{under_.now, of_->who, each.shard});
  }
}

template <class Ask>
auto simulated_leases::ask(const uuid& node, Ask what) {
  port_call here(under_, *of_, connection_kind::leases);
  if (!here.goes() || !here.survives(kill_point::before_lease))
    throw journal_unavailable(lost);
  if (under_.faults.is_out(of_->who.node, connection_kind::leases, false, under_.now)) {
    under_.seen.saw(sight::outages);
    throw journal_unavailable(lost);
  }
  const auto had = inner_.owned(node);
  auto answer = what();
  tell_changes(node, had);
  if (!here.survives(kill_point::after_lease))
    throw journal_unavailable(lost);
  if (under_.faults.loses_lease_answers(of_->who.node, under_.now)) {
    under_.seen.saw(sight::outages);
    throw journal_unavailable("the connection was lost before the answer came");
  }
  if (!here.comes_back())
    throw journal_unavailable(lost);
  return answer;
}

void simulated_leases::join(
  const node_record& node, std::chrono::milliseconds lease, const std::optional<uuid>& follows) {
  ask(node.id, [&] {
    const auto left = follows ? inner_.owned(*follows) : std::vector<shard_lease>();
    inner_.join(node, lease, follows);
    // Their owner is forgotten: they are anybody's.
    for (const auto& each : left) {
      under_.owners[each.shard] = nullptr;
      under_.audience.saw(shard_freed{under_.now, of_->who, each.shard});
    }
    lease_ = lease;
    of_->node = node.id;
    under_.known_as[node.id] = of_;
    under_.audience.saw(lease_renewed{under_.now, of_->who, lease, node.id});
    if (inner_.share(node.id).draining)
      under_.audience.saw(node_marked{under_.now, node.id, true});
    return true;
  });
}

bool simulated_leases::heartbeat(const uuid& node, const node_figures& figures) {
  return ask(node, [&] {
    const bool known = inner_.heartbeat(node, figures);
    if (known)
      under_.audience.saw(lease_renewed{under_.now, of_->who, lease_, node});
    return known;
  });
}

shard_share simulated_leases::share(const uuid& node) {
  return ask(node, [&] { return inner_.share(node); });
}

cluster_view simulated_leases::view() {
  return ask(uuid{}, [&] { return inner_.view(); });
}

bool simulated_leases::set_draining(const uuid& node, bool draining) {
  return ask(uuid{}, [&] {
    const bool known = inner_.set_draining(node, draining);
    if (known)
      under_.audience.saw(node_marked{under_.now, node, draining});
    return known;
  });
}

std::vector<shard_lease> simulated_leases::take(const uuid& node, size_t shards_max, bool sole) {
  return ask(node, [&] { return inner_.take(node, shards_max, sole); });
}

std::vector<shard_lease> simulated_leases::owned(const uuid& node) {
  return ask(node, [&] { return inner_.owned(node); });
}

size_t simulated_leases::release(const uuid& node, const std::vector<shard_lease>& shards) {
  return ask(node, [&] { return inner_.release(node, shards); });
}

size_t simulated_leases::forget_expired(std::chrono::milliseconds age) {
  return ask(uuid{}, [&] { return inner_.forget_expired(age); });
}

void simulated_leases::leave(const uuid& node) {
  ask(node, [&] {
    inner_.leave(node);
    return true;
  });
}

int64_t simulated_leases::reserve_run_numbers(int64_t count) {
  return ask(uuid{}, [&] { return inner_.reserve_run_numbers(count); });
}

bool simulated_leases::give_back_run_numbers(int64_t first, int64_t end) {
  return ask(uuid{}, [&] { return inner_.give_back_run_numbers(first, end); });
}

std::vector<workflow_version> simulated_leases::unfinished_workflows() {
  return ask(uuid{}, [&] { return inner_.unfinished_workflows(); });
}

} // namespace levain::simulation
