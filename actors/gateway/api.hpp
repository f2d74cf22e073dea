#pragma once

#include <memory>

#include "actors/gateway/http_server.hpp"
#include "actors/node.hpp"
#include "persistence/reader.hpp"

namespace levain {

/// What the daemon's HTTP interface says about the program it runs in.
struct api_options {
  /// The program's version, for `/v1/status`.
  std::string version = "unknown";
};

/// The daemon's HTTP interface (see `docs/http-api.md`): routes requests to the node and to the reader of the database.
/// All members are safe from any thread.
class api {
public:
  /// `engine` outlives the api, or `stop` is called before `engine` ends.
  api(node& engine, std::unique_ptr<reader> reads, api_options options = {});
  /// Stops as `stop` does.
  ~api();
  api(const api&) = delete;
  api& operator=(const api&) = delete;

  /// What an `http_server` calls; may be called for longer than the api lives.
  http_handler handler() const;

  /// Lets go of the node and ends the reader: requests that are still on their way are answered 503. Idempotent.
  void stop();

private:
  std::shared_ptr<class api_core> core_;
  http_handler handler_;
};

} // namespace levain
