#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "actors/run_machine/prepare_call.hpp"
#include "persistence/definition_store.hpp"

namespace levain {

/// The calls that a node cannot make because it lacks something: a variable's value, or a gate for workers. Their runs
/// wait. Any thread.
class wanting_calls {
public:
  /// `node`: what people call it.
  explicit wanting_calls(std::string node)
    : node_(std::move(node)) {}

  const std::string& node() const { return node_; }
  void add(const std::string& what);
  void remove(const std::string& what);
  /// How many calls wait for what, by its name: `variable shop_url`, `gate for workers`.
  std::map<std::string, size_t> counts() const;

private:
  const std::string node_;
  mutable std::mutex mutex_;
  std::map<std::string, size_t> counts_;
};

/// What a node lacks for the calls of a workflow, each once: the names of variables, a gate for workers.
std::vector<std::string>
wanting_for(const workflow_definition& workflow, const call_variables& variables, bool has_gate);

/// The same of a stored definition; nothing of one that cannot be read.
std::vector<std::string>
wanting_for(const definition_record& definition, const call_variables& variables, bool has_gate);

} // namespace levain
