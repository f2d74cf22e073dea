#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include <pqxx/pqxx>

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

  /// Runs `work` in a transaction and commits it. Throws `journal_unavailable` when the database cannot be asked or
  /// refuses, `std::invalid_argument` when the values are at fault.
  template <class Work>
  auto ask(Work&& work) {
    try {
      pqxx::work transaction(open());
      if constexpr (std::is_void_v<decltype(work(transaction))>) {
        work(transaction);
        transaction.commit();
      } else {
        auto result = work(transaction);
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
};

/// A statement's parameters as pqxx takes them from a container.
inline auto parameters_of(const std::vector<std::string>& values) {
  return pqxx::prepare::make_dynamic_params(values);
}

} // namespace levain
