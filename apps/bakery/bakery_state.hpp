#pragma once

#include <filesystem>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <nlohmann/json.hpp>

#include "apps/bakery/json_lines.hpp"
#include "apps/bakery/services.hpp"
#include "persistence/timestamp.hpp"

namespace levain {

/// A call that one of the bakery's services received, and what came of it.
struct bakery_call {
  timestamp at{};
  std::string method;
  std::string path;
  std::string service;
  /// As sent; empty when there was none.
  std::string key;
  uint32_t attempt = 0;
  std::string tenant;
  std::string run;
  /// The HTTP status answered.
  int status = 0;
  /// Answered from memory: the work had been done for an earlier call with this key.
  bool repeated = false;
  /// A fault decided the status.
  bool fault = false;
  bool operator==(const bakery_call&) const = default;
};

nlohmann::json to_json(const bakery_call& call);

} // namespace levain

namespace levain::bakery {

/// Work that was done, by its key.
struct kept_answer {
  std::string method;
  std::string path;
  uuid tenant;
  /// The answer, JSON text.
  std::string body;
};

/// A forecast, a schedule or a procurement plan.
struct document {
  std::string service;
  uuid tenant;
  std::string body;
  bool undone = false;
};

/// Keeps a folder for this process until it is destroyed, also when the process is killed.
class folder_lock {
public:
  /// Makes the folder if need be. Throws `std::runtime_error` with a sentence when another process has it.
  explicit folder_lock(const std::filesystem::path& folder);
  ~folder_lock();
  folder_lock(const folder_lock&) = delete;
  folder_lock& operator=(const folder_lock&) = delete;

private:
  int file_ = -1;
};

/// What the bakery remembers, in a folder: `done.jsonl` (work and its answers), `outbox.jsonl` (messages),
/// `board.jsonl` (posted insights) and the ledger. For one thread at a time.
class bakery_state {
public:
  /// Takes the folder for itself, makes it if need be, and reads what is there. Throws `std::runtime_error` with a
  /// sentence when another process has it or a file is damaged.
  bakery_state(const std::filesystem::path& folder, const std::filesystem::path& ledger);
  bakery_state(const bakery_state&) = delete;
  bakery_state& operator=(const bakery_state&) = delete;

  const kept_answer* find_answer(const std::string& key) const;
  const document* find_document(const std::string& id) const;
  size_t answers_kept() const { return answers_.size(); }
  const std::vector<bakery_call>& ledger() const { return ledger_; }

  /// Remembers work and what it made. Messages and insights whose id is already written are not written again.
  void keep_work(
    const std::string& key, kept_answer answer, const service_answer& made, const std::string& service, timestamp at);
  /// Remembers that a document was undone; `id` need not exist.
  void keep_undo(const std::string& key, kept_answer answer, const std::string& id, timestamp at);
  void enter(const bakery_call& call);

  /// Everything kept so far is on disk on return: what others can see first, then the work that claims it, then the
  /// ledger. Throws `std::system_error`.
  void save();

private:
  void write_letters(json_lines& into, const std::vector<nlohmann::json>& letters, timestamp at);
  void remember(const nlohmann::json& line);

  folder_lock lock_;
  std::unordered_map<std::string, kept_answer> answers_;
  std::unordered_map<std::string, document> documents_;
  std::unordered_set<std::string> letter_ids_;
  std::vector<bakery_call> ledger_;
  json_lines done_;
  json_lines outbox_;
  json_lines board_;
  json_lines ledger_file_;
};

} // namespace levain::bakery
