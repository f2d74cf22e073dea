#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "actors/gateway/api.hpp"
#include "actors/gateway/api_query.hpp"
#include "actors/gateway/api_router.hpp"

// INTERNAL to the gateway: what the routes of `api` share.

namespace levain {

/// The node and the reader behind a gate, so that answers that come late find it closed instead of a node that is gone.
class api_core : public std::enable_shared_from_this<api_core> {
public:
  api_core(node& engine, std::unique_ptr<reader> reads, api_options options);

  /// Calls `use` with the node. Answers 503 instead once the gate is closed; closing waits for `use` to return.
  void ask_node(const api_respond& respond, const std::function<void(node&)>& use);

  /// Reads on a thread of the reader; `work` answers by `respond`, then or later. An exception answers 503 when the
  /// database cannot be asked, otherwise 500.
  void read(api_respond respond, std::function<void(queries&, const api_respond&)> work);

  /// Reads; whoever asked is told by `failed` when the database cannot be asked.
  void read_or(std::function<void(queries&)> work, std::function<void(api_problem)> failed);

  /// Closes the gate and waits until nobody uses the node and no read is under way.
  void close();

  const api_options options;
  const timestamp started_at;

private:
  class visit;

  std::mutex mutex_;
  std::condition_variable left_;
  /// Who are inside the gate: they use what is behind it without holding the lock.
  size_t visitors_ = 0;
  bool closed_ = false;
  node* node_;
  std::unique_ptr<reader> reader_;
};

using api_core_ptr = std::shared_ptr<api_core>;

/// `/v1/workflows` and `/v1/workflow-schema`.
std::vector<api_route> workflow_routes(const api_core_ptr& core);
/// `POST /v1/tenants/{tenant}/runs`.
std::vector<api_route> start_routes(const api_core_ptr& core);
/// `/v1/tenants/{tenant}/runs/{run}` and `/v1/operator/runs/{run}`, and what lies below.
std::vector<api_route> run_routes(const api_core_ptr& core);
/// Lists of runs, the documented queries, and what is the operator's.
std::vector<api_route> list_routes(const api_core_ptr& core);
/// `/v1/operator/endings`.
std::vector<api_route> ending_routes(const api_core_ptr& core);
/// `/v1/operator/workers`.
std::vector<api_route> worker_routes(const api_core_ptr& core);
/// `/v1/operator/nodes` and what lies below.
std::vector<api_route> node_routes(const api_core_ptr& core);
/// `/health/` and `/v1/status`.
std::vector<api_route> health_routes(const api_core_ptr& core);

/// Finds the run that the path names, among this tenant's, and goes on with its id on some thread. Answers 404 or 503
/// otherwise. Where the row is not there or cannot be read, a run named by its id is asked for all the same: whoever
/// goes on checks its tenant. A run of another tenant takes as long as one that nobody has.
void with_run_id(const api_core_ptr& core, api_call call, std::function<void(run_id, api_call)> go_on);

} // namespace levain
