#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "apps/client/api_client.hpp"
#include "apps/load/load_target.hpp"

namespace levain::load {

/// Hears which runs ended, from the daemons that were named and from the others that share their database: a run may be
/// begun at another node than the one that was asked, and end at one that took it over. A thread for each of them, and
/// one that asks who is there.
class endings_feed {
public:
  /// At least one: `http://127.0.0.1:7400`.
  explicit endings_feed(std::vector<std::string> named);
  ~endings_feed();
  endings_feed(const endings_feed&) = delete;
  endings_feed& operator=(const endings_feed&) = delete;

  /// Tells `listener` of what ends from now on. Throws `command_failed` when a daemon that was named does not answer.
  void begin(const load_work& work, load_listener& listener);
  /// Tells of ends that may have been missed, as late ones. Any thread.
  void look_up();
  /// The daemons that were there when it began, those that were named first.
  const std::vector<std::string>& daemons() const { return daemons_; }
  /// Tells no more. Idempotent.
  void stop();

private:
  /// A node as `/v1/operator/nodes` tells of it.
  struct node_told {
    std::string id;
    std::string name;
    std::string address;
  };
  /// Whose endings are asked for.
  struct source {
    std::string url;
    /// The node's id; empty for a daemon that was named.
    std::string node;
    std::string cursor;
  };
  enum class from_when : uint8_t { now, its_start };

  void watch_nodes();
  /// The nodes that live; nothing when nobody can say.
  std::optional<std::vector<node_told>> living_nodes() const;
  void look_for_others(from_when since);
  void find(const node_told& node, from_when since);
  void follow(source from);
  void ask_for_endings(source& from);
  /// False when there is no use in asking again.
  bool could_not_ask(const source& from, const api_reply& reply);
  /// Answers false at once when the feed stops.
  bool pause(std::chrono::milliseconds span);

  const std::vector<std::string> named_;
  std::vector<std::string> daemons_;
  std::vector<tenant_id> tenants_;
  load_listener* listener_ = nullptr;
  /// When the load began, by this machine's clock: what began before needs no looking up.
  std::string looked_up_from_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  /// The lives of daemons that are followed: what their cursors begin with.
  std::set<std::string> lives_;
  /// Nodes that lived when somebody was asked last.
  std::set<std::string> living_;
  /// Nodes that are followed, under whatever name.
  std::set<std::string> followed_;
  /// Nodes that did not answer: said once.
  std::set<std::string> unheard_;
  std::thread watcher_;
  /// Only the watcher adds to it, once it is there.
  std::vector<std::thread> followers_;
};

} // namespace levain::load
