#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "persistence/journal.hpp"

namespace levain {

/// How rows are added: by `copy`, or by one `insert` of all of them.
enum class bare_method : uint8_t { copy, insert };

std::string_view to_string(bare_method method);

/// The rows of one transaction as text that only has to be sent. They are what `batch_writing` would write; there is no
/// part in it for keys of starts.
class bare_batch {
public:
  bare_batch(const std::vector<run_append>& appends, bare_method method);

  size_t runs() const { return runs_; }
  /// Rows of the journal.
  size_t events() const { return event_count_; }

private:
  friend class bare_writer;

  /// Rows of one table: lines for `copy` or the parameters of the statement; empty when there are none.
  struct table_text {
    std::string lines;
    std::vector<std::string> parameters;
    bool empty() const { return lines.empty() && parameters.empty(); }
  };

  size_t runs_ = 0;
  size_t event_count_ = 0;
  std::string shards_;
  std::array<epoch_number, shard_count> epochs_{};
  table_text events_;
  table_text inserts_;
  table_text updates_;
};

/// Writes such batches one after another with libpq and prepared statements, and does nothing else: nothing is checked
/// beforehand, no bad row is looked for, no deadline watched. The measure of what an engine could reach at best, not a
/// way to write. One connection, one thread.
class bare_writer {
public:
  /// Connects and prepares. Throws `journal_unavailable`.
  explicit bare_writer(const std::string& url);
  ~bare_writer();
  bare_writer(bare_writer&&) noexcept;

  /// The epochs that the shards have now.
  std::array<epoch_number, shard_count> epochs();

  /// One transaction: locks the epochs of the shards against a takeover, writes the rows, commits. Throws
  /// `std::runtime_error` with the database's words, or when a shard has another epoch; nothing was written then,
  /// unless it was the commit that failed. The object is of no use afterwards.
  void write(const bare_batch& batch);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace levain
