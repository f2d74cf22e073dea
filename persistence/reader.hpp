#pragma once

#include <functional>
#include <memory>

#include "persistence/queries.hpp"

namespace levain {

struct reader_options {
  queries_options queries;
  /// Connections, each with a thread of its own; 1 to 64.
  size_t connections = 4;
  /// Reads that may wait for a connection; at least 1.
  size_t reads_waiting_max = 1000;
};

/// Asks `queries` beside the actors: a few connections, each on its own thread, and a bounded room where reads wait.
class reader {
public:
  /// Throws `std::invalid_argument` for options out of range. Connects when the first read comes.
  explicit reader(reader_options options);

  /// Refuses new reads, ends those that wait with `journal_unavailable`, waits for those that are being asked.
  ~reader();
  reader(const reader&) = delete;
  reader& operator=(const reader&) = delete;

  /// Runs `work` once on a thread of the reader. Throws `journal_unavailable` when too many reads wait already or the
  /// reader is ending; `work` is then not run. `work` handles what `queries` throws: what leaves it is logged. Any
  /// thread.
  void async(std::function<void(queries&)> work);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace levain
