#pragma once

#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/node.hpp"
#include "actors/workflow_cache.hpp"
#include "apps/bakery/bakery_service.hpp"
#include "persistence/embedded_postgres.hpp"
#include "persistence/queries.hpp"

namespace levain {

/// A directory for the demonstration, readable for the server's user. One that it made itself is removed at the end,
/// unless it is to be kept.
class demo_directory {
public:
  /// Makes a temporary one when `given` is empty. Throws `command_failed`.
  demo_directory(std::filesystem::path given, bool keep);
  ~demo_directory();
  demo_directory(const demo_directory&) = delete;
  demo_directory& operator=(const demo_directory&) = delete;

  const std::filesystem::path& path() const { return path_; }
  bool temporary() const { return temporary_; }

private:
  std::filesystem::path path_;
  bool temporary_ = false;
};

/// Everything that takes part, in this process: a private PostgreSQL, the bakery's services and a node. Destruction
/// ends it in the right order.
class demo_stage {
public:
  /// Throws `embedded_postgres_error`, `migration_error`, `journal_unavailable` and `std::runtime_error`.
  explicit demo_stage(const std::filesystem::path& directory);

  bakery_service& bakery() { return *bakery_; }
  queries& remembered() { return *remembered_; }
  const queries_options& reads() const { return reads_; }
  workflow_cache& workflows() { return *workflows_; }

  /// Registers `daily_bakery`. Throws `command_failed`, here and below.
  workflow_ptr register_workflow();
  /// Starts a run; waits until the node is ready for it.
  start_acknowledged start(const start_request& request);

private:
  std::unique_ptr<embedded_postgres> database_;
  std::unique_ptr<bakery_service> bakery_;
  std::unique_ptr<node> node_;
  queries_options reads_;
  std::unique_ptr<queries> remembered_;
  std::unique_ptr<workflow_cache> workflows_;
};

/// Holds the signals that ask a program to end back for as long as it lives, so that whatever was begun can be ended in
/// order. To be made before any thread.
class held_signals {
public:
  held_signals();
  ~held_signals();
  held_signals(const held_signals&) = delete;
  held_signals& operator=(const held_signals&) = delete;

  /// Waits so long, or until a signal comes. Throws `command_failed` when one came, then or before.
  void pause(std::chrono::milliseconds span);

private:
  sigset_t held_{};
  sigset_t before_{};
};

} // namespace levain
