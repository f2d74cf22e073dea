#pragma once

#include <atomic>
#include <memory>
#include <shared_mutex>

#include "actors/node.hpp"
#include "apps/load/load_target.hpp"

namespace levain::load {

/// A node in this process.
class node_target final : public load_target {
public:
  /// `database_url` is migrated. Throws what `node` throws.
  node_target(node_options options, const std::string& database_url);
  ~node_target() override;

  void begin(const load_work& work, load_listener& listener) override;
  void start(const std::vector<start_ask>& asks) override;
  void look_up() override {}
  engine_figures figures() override;
  void stop() override;
  std::string name() const override { return "in this process"; }

private:
  /// Who listens, behind a gate: outcomes may come as long as the node lives.
  struct gate;

  workflow_ptr register_definition(const std::string& text);
  void wait_until_ready();
  start_request request_for(const start_ask& ask) const;

  std::shared_ptr<gate> gate_;
  node engine_;
  load_work work_;
  workflow_ptr workflow_;
};

} // namespace levain::load
