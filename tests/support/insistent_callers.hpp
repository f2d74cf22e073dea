#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace levain::test {

/// Callers, one for each tenant and each on a thread of its own, that start runs list after list and never give up:
/// each start has an idempotency key, and a list that was not acknowledged as a whole is asked for again with the same
/// keys. Any thread.
class insistent_callers {
public:
  struct pace {
    /// Starts in a list.
    size_t list = 3;
    /// From an acknowledgement to the next list: what makes the load steady.
    std::chrono::milliseconds pause{200};
    /// From a failure to the next try.
    std::chrono::milliseconds retry_pause{20};
  };
  /// A tenant and an idempotency key.
  using start = std::pair<std::string, std::string>;

  insistent_callers(std::vector<std::string> tenants, std::string workflow, pace how);
  ~insistent_callers();
  insistent_callers(const insistent_callers&) = delete;
  insistent_callers& operator=(const insistent_callers&) = delete;

  /// From now on they ask the daemon at `url`; the first time they begin.
  void turn_to(const std::string& url);
  /// They begin no new list. True once every list that was begun is acknowledged; false when that lasts longer than
  /// `limit`.
  bool finish(std::chrono::milliseconds limit);

  /// Lists acknowledged, and tries that were not.
  size_t taken() const;
  size_t refused() const;
  /// Acknowledgements that said `repeated`.
  size_t repeated() const;
  /// Every start that was acknowledged, with its run.
  std::map<start, std::string> acknowledged() const;
  /// Starts that were acknowledged as two different runs, each with a sentence.
  std::vector<std::string> contradictions() const;

private:
  void call(const std::string& tenant, size_t caller, const std::stop_token& stop);
  /// True when the whole list was acknowledged.
  bool ask_once(const std::string& url, const std::string& tenant, const std::vector<std::string>& keys);
  void note(const start& asked, const std::string& run, bool repeated);

  std::string workflow_;
  pace pace_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::string url_;
  bool finishing_ = false;
  size_t calling_ = 0;
  size_t taken_ = 0;
  size_t refused_ = 0;
  size_t repeated_ = 0;
  std::map<start, std::string> acknowledged_;
  std::vector<std::string> contradictions_;
  std::vector<std::jthread> threads_;
};

} // namespace levain::test
