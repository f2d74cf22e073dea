#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "apps/client/api_client.hpp"
#include "apps/load/endings_feed.hpp"
#include "apps/load/load_target.hpp"

namespace levain::load {

/// The daemons under load, and how they are asked.
struct daemon_options_of_load {
  /// At least one: `http://127.0.0.1:7400`.
  std::vector<std::string> urls;
  /// Starts in one request; 1 to `start_list_max`.
  size_t list_max = 500;
  /// Requests with starts at a time, for each daemon.
  size_t connections = 4;
};

/// One or several running daemons, over HTTP: threads of each ask it for starts, and a feed hears what ends at them and
/// at the other nodes that share their database.
class http_target final : public load_target {
public:
  explicit http_target(daemon_options_of_load options);
  ~http_target() override;

  void begin(const load_work& work, load_listener& listener) override;
  void start(const std::vector<start_ask>& asks) override;
  void look_up() override { endings_.look_up(); }
  engine_figures figures() override;
  void stop() override;
  std::string name() const override;

private:
  using start_list = std::vector<start_ask>;

  void prepare(const load_work& work);
  void wait_until_ready(const std::string& url);
  void send_lists(const std::string& url);
  bool next_list(start_list& list);
  std::string body_of(const start_list& list) const;
  void tell_answers(const start_list& list, const api_reply& reply);
  /// Answers false at once when the target stops.
  bool pause(std::chrono::milliseconds span);

  const daemon_options_of_load options_;
  load_work work_;
  load_listener* listener_ = nullptr;
  /// Of a start, by priority, up to its key.
  std::vector<std::string> heads_;
  endings_feed endings_;
  /// When each daemon began, and what they said of themselves last.
  std::map<std::string, std::string> lives_;
  engine_figures figures_;

  std::mutex mutex_;
  std::condition_variable changed_;
  /// What waits to be sent, by tenant, and whose turn is next: each tenant that has something once.
  std::map<uint16_t, std::deque<start_ask>> lines_;
  std::deque<uint16_t> turns_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

} // namespace levain::load
