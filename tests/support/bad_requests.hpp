#pragma once

#include <map>
#include <string>
#include <vector>

namespace levain::test {

/// A request to the daemon that has to be refused.
struct bad_request {
  /// What is wrong, for people.
  std::string title;
  std::string method;
  /// `TENANT` in it stands for some tenant, `KNOWN` for the id of the run that has ended.
  std::string path;
  std::string body = {};
  std::map<std::string, std::string> headers = {{"Content-Type", "application/json"}};
};

/// Wrong requests of every kind, for a daemon that knows the workflow of `known_workflow` and a run of it that was
/// started with the idempotency key `monday` and has ended.
const std::vector<bad_request>& bad_requests();

/// A definition, JSON: one step that is done at once.
std::string known_workflow();

} // namespace levain::test
