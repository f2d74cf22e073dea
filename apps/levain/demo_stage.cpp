#include "apps/levain/demo_stage.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <future>
#include <thread>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actors/worker/ending_signals.hpp"
#include "actors/workflow/parse_definition.hpp"
#include "actors/workflow_cache.hpp"
#include "apps/client/exit_status.hpp"
#include "persistence/log_quoted.hpp"
#include "persistence/migrator.hpp"
#include "persistence/postgres_definition_store.hpp"

namespace levain {

namespace {

/// For the node to answer anything at all.
constexpr std::chrono::seconds answer_wait_max{30};
/// Between two starts that the node was not ready for.
constexpr std::chrono::milliseconds start_pause{20};

/// Waits for what a receiver gets.
template <class Outcome, class Ask>
Outcome answer_of(const char* what, Ask&& ask) {
  auto promise = std::make_shared<std::promise<Outcome>>();
  auto answer = promise->get_future();
  ask([promise](Outcome outcome) { promise->set_value(std::move(outcome)); });
  if (answer.wait_for(answer_wait_max) != std::future_status::ready)
    throw command_failed(
      exit_status::failed, fmt::format("{} got no answer within {} s", what, answer_wait_max.count()));
  return answer.get();
}

} // namespace

demo_directory::demo_directory(std::filesystem::path given, bool keep)
  : path_(std::move(given)) {
  if (!path_.empty()) {
    path_ = std::filesystem::absolute(path_);
    std::error_code error;
    std::filesystem::create_directories(path_, error);
    if (error)
      throw command_failed(exit_status::failed, fmt::format("cannot make {}: {}", path_.string(), error.message()));
    return;
  }
  auto pattern = (std::filesystem::temp_directory_path() / "levain-demo-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr)
    throw command_failed(exit_status::failed, fmt::format("cannot make {}: {}", pattern, std::strerror(errno)));
  path_ = pattern;
  temporary_ = !keep;
  // Whoever the server runs as has to come through to its own directory inside.
  std::filesystem::permissions(
    path_, std::filesystem::perms::group_exec | std::filesystem::perms::others_exec,
    std::filesystem::perm_options::add);
}

demo_directory::~demo_directory() {
  if (!temporary_)
    return;
  std::error_code error;
  std::filesystem::remove_all(path_, error);
  if (error)
    spdlog::warn("directory_stays path={} reason={}", log_quoted(path_.string()), log_quoted(error.message()));
}

demo_stage::demo_stage(const std::filesystem::path& directory)
  : database_(embedded_postgres::start({.directory = directory / "postgres"})) {
  const auto url = database_->url();
  migrate_up(url);
  bakery_ = std::make_unique<bakery_service>(bakery_options{.state_dir = directory / "bakery"});
  node_options options;
  options.name = "demo";
  // The directory belongs to this program alone, so nobody else can be on its database.
  options.sole = true;
  options.variables = bakery_variables(bakery_->url());
  node_ = std::make_unique<node>(std::move(options), postgres_ports(url));
  reads_ = {.url = url, .application_name = "levain demo"};
  remembered_ = std::make_unique<queries>(reads_);
  workflows_ = std::make_unique<workflow_cache>(
    std::make_unique<postgres_definition_store>(postgres_definition_store_options{.url = url}));
}

workflow_ptr demo_stage::register_workflow() {
  const auto parsed = parse_definition(daily_bakery_definition());
  if (!parsed.workflow)
    throw command_failed(exit_status::failed, "daily_bakery: " + to_string(parsed.errors.front()));
  const auto put = answer_of<register_outcome>(
    "the registration", [&](auto receiver) { node_->put_workflow(parsed.workflow, std::move(receiver)); });
  if (const auto* reason = std::get_if<std::string>(&put))
    throw command_failed(exit_status::failed, "daily_bakery was not registered: " + *reason);
  if (const auto* refused = std::get_if<definition_refused>(&put))
    throw command_failed(exit_status::failed, "daily_bakery was not registered: " + refused->reason);
  if (std::get<definition_store::put_result>(put) == definition_store::put_result::conflict)
    throw command_failed(
      exit_status::failed, "this directory has another daily_bakery of the same version; take a fresh directory");
  return parsed.workflow;
}

start_acknowledged demo_stage::start(const start_request& request) {
  const auto deadline = std::chrono::steady_clock::now() + answer_wait_max;
  while (true) {
    const auto outcome =
      answer_of<start_outcome>("the start", [&](auto receiver) { node_->start(request, std::move(receiver)); });
    if (const auto* acknowledged = std::get_if<start_acknowledged>(&outcome))
      return *acknowledged;
    const auto& refused = std::get<start_refused>(outcome);
    const bool later = refused.reason == start_refused::reason_type::not_ready;
    if (!later || std::chrono::steady_clock::now() > deadline)
      throw command_failed(exit_status::failed, "a start was refused: " + refused.message);
    std::this_thread::sleep_for(start_pause);
  }
}

held_signals::held_signals() {
  held_ = ending_signals();
  pthread_sigmask(SIG_BLOCK, &held_, &before_);
}

held_signals::~held_signals() {
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void held_signals::pause(std::chrono::milliseconds span) {
  const timespec time{.tv_sec = span.count() / 1000, .tv_nsec = static_cast<long>(span.count() % 1000 * 1'000'000)};
  const auto signal = sigtimedwait(&held_, nullptr, &time);
  if (signal > 0)
    throw command_failed(exit_status::failed, fmt::format("interrupted by {}", strsignal(signal)));
}

} // namespace levain
