#include "actors/gateway/api.hpp"

#include <spdlog/spdlog.h>

#include "actors/gateway/api_core.hpp"
#include "persistence/journal.hpp"
#include "persistence/log_quoted.hpp"

namespace levain {

namespace {

std::vector<api_route> all_routes(const api_core_ptr& core) {
  std::vector<api_route> all;
  for (auto make :
       {start_routes, run_routes, list_routes, ending_routes, node_routes, worker_routes, workflow_routes,
        health_routes})
    for (auto& each : make(core))
      all.push_back(std::move(each));
  return all;
}

api_problem shutting_down() {
  return unavailable("the node is shutting down");
}

/// What went wrong in `work`, as the client may know it.
template <class Work>
std::optional<api_problem> problem_in(const Work& work) {
  try {
    work();
    return std::nullopt;
  } catch (const request_refused& refused) {
    return refused.problem;
  } catch (const journal_unavailable& failure) {
    return unavailable(std::string("the database cannot be asked: ") + failure.what());
  } catch (const row_unreadable& damage) {
    return api_problem{409, damage.what()};
  } catch (const std::exception& failure) {
    spdlog::error("request_failed reason={}", log_quoted(failure.what()));
    return api_problem{500, "the request could not be answered; the daemon's log says why"};
  }
}

} // namespace

// ---- api_core ---------------------------------------------------------------

api_core::api_core(node& engine, std::unique_ptr<reader> reads, api_options given)
  : options(std::move(given))
  , started_at(now_utc())
  , node_(&engine)
  , reader_(std::move(reads)) {}

/// Somebody inside the gate.
class api_core::visit {
public:
  explicit visit(api_core& core)
    : core_(core) {
    const std::lock_guard guard(core_.mutex_);
    admitted_ = !core_.closed_;
    if (admitted_)
      ++core_.visitors_;
  }
  ~visit() {
    if (!admitted_)
      return;
    const std::lock_guard guard(core_.mutex_);
    if (--core_.visitors_ == 0)
      core_.left_.notify_all();
  }
  visit(const visit&) = delete;
  visit& operator=(const visit&) = delete;

  bool admitted() const { return admitted_; }

private:
  api_core& core_;
  bool admitted_ = false;
};

void api_core::ask_node(const api_respond& respond, const std::function<void(node&)>& use) {
  if (const visit inside(*this); inside.admitted())
    return use(*node_);
  respond(to_response(shutting_down()));
}

void api_core::read(api_respond respond, std::function<void(queries&, const api_respond&)> work) {
  read_or(
    [respond, work = std::move(work)](queries& database) { work(database, respond); },
    [respond](const api_problem& problem) { respond(to_response(problem)); });
}

void api_core::read_or(std::function<void(queries&)> work, std::function<void(api_problem)> failed) {
  std::optional<api_problem> problem = shutting_down();
  if (const visit inside(*this); inside.admitted()) {
    problem = problem_in([&] {
      reader_->async([work = std::move(work), failed](queries& database) {
        if (auto inner = problem_in([&] { work(database); }))
          failed(std::move(*inner));
      });
    });
  }
  if (problem)
    failed(std::move(*problem));
}

void api_core::close() {
  std::unique_ptr<reader> ending;
  {
    std::unique_lock lock(mutex_);
    closed_ = true;
    left_.wait(lock, [this] { return visitors_ == 0; });
    node_ = nullptr;
    ending = std::move(reader_);
  }
  // Waits for the reads that are under way; they find the gate closed.
  ending.reset();
}

// ---- api --------------------------------------------------------------------

api::api(node& engine, std::unique_ptr<reader> reads, api_options options)
  : core_(std::make_shared<api_core>(engine, std::move(reads), std::move(options)))
  , handler_([router = std::make_shared<const api_router>(all_routes(core_))](
               http_request request, api_respond respond) { router->route(std::move(request), std::move(respond)); }) {}

api::~api() {
  stop();
}

http_handler api::handler() const {
  return handler_;
}

void api::stop() {
  core_->close();
}

} // namespace levain
