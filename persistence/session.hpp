#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include <pqxx/pqxx>

#include "persistence/answer_deadline.hpp"
#include "persistence/connection.hpp"
#include "persistence/sql_errors.hpp"

namespace levain {

/// A statement that a session prepares when it opens.
struct named_statement {
  const char* name;
  const char* sql;
};

/// A connection that opens when it is needed, with its prepared statements, and again after it was lost. One thread.
class session {
public:
  /// `settings` are `set` statements for the whole session.
  session(connection_options options, std::vector<named_statement> statements, std::vector<std::string> settings = {});

  /// Opens when necessary. Throws what pqxx throws.
  pqxx::connection& open();

  /// Closes; the next `open` makes a new one.
  void drop() { connection_.reset(); }

  /// While what this answers lives, the server has `answer_timeout` to answer each statement; then the connection is
  /// lost. Requires an open one.
  [[nodiscard]] answer_time await_answers() { return {deadline_, connection_->sock(), answer_timeout(options_)}; }

  /// `reason`, and that the server did not answer, if that was why the connection was lost.
  std::string explain(std::string reason) const;

  /// Runs `work` in a transaction and commits it. Throws `journal_unavailable` when the database cannot be asked, when
  /// it refuses, when a value that it holds cannot be read, and when there is too little memory for what it answers.
  template <class Work>
  auto ask(Work&& work) {
    try {
      return transact(std::forward<Work>(work));
    } catch (...) {
      translate(refusals::are_unavailable);
    }
  }

  /// As `ask`, for work that writes values of a caller: throws `std::invalid_argument` with the database's words when
  /// it refuses them, whatever the state that it says so with.
  template <class Work>
  auto put(Work&& work) {
    try {
      return transact(std::forward<Work>(work));
    } catch (...) {
      translate(refusals::blame_values);
    }
  }

private:
  enum class refusals : uint8_t { are_unavailable, blame_values };

  template <class Work>
  auto transact(Work&& work) {
    open();
    const auto waiting = await_answers();
    pqxx::work transaction(*connection_);
    if constexpr (std::is_void_v<decltype(work(transaction))>) {
      work(transaction);
      answer_deadline::restart(transaction);
      transaction.commit();
    } else {
      auto result = work(transaction);
      answer_deadline::restart(transaction);
      transaction.commit();
      return result;
    }
  }

  /// Rethrows the exception being handled as one of ours, unless it is a fault of the program.
  [[noreturn]] void translate(refusals refused);

  connection_options options_;
  std::vector<named_statement> statements_;
  std::vector<std::string> settings_;
  std::unique_ptr<pqxx::connection> connection_;
  answer_deadline deadline_;
};

/// A statement's parameters as pqxx takes them from a container.
inline auto parameters_of(const std::vector<std::string>& values) {
  return pqxx::prepare::make_dynamic_params(values);
}

} // namespace levain
