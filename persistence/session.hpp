#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include <pqxx/pqxx>

#include "persistence/answer_deadline.hpp"
#include "persistence/connection.hpp"

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

  /// Runs `work` in a transaction and commits it. Throws `journal_unavailable` when the database cannot be asked or
  /// refuses, `std::invalid_argument` when the values are at fault.
  template <class Work>
  auto ask(Work&& work) {
    try {
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
    } catch (const pqxx::pqxx_exception&) {
      translate();
    }
  }

private:
  /// Rethrows the exception being handled as one of ours.
  [[noreturn]] void translate();

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
