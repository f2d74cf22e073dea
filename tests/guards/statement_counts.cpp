#include "tests/guards/statement_counts.hpp"

#include <pqxx/pqxx>
#include <utility>

namespace levain::test {

void prepare_statement_counts(const std::string& url) {
  pqxx::connection connection(url);
  pqxx::nontransaction session(connection);
  session.exec("alter system set shared_preload_libraries = 'pg_stat_statements'");
  session.exec("alter system set autovacuum = off");
}

statement_counts::statement_counts(std::string url)
  : url_(std::move(url)) {
  pqxx::connection connection(url_);
  pqxx::nontransaction session(connection);
  session.exec("create extension if not exists pg_stat_statements");
}

void statement_counts::begin() {
  pqxx::connection connection(url_);
  pqxx::nontransaction session(connection);
  session.exec("checkpoint");
  wal_begin_ = session.exec1("select pg_current_wal_insert_lsn()")[0].as<std::string>();
  session.exec("select pg_stat_statements_reset()");
}

std::vector<statement_count> statement_counts::statements() const {
  pqxx::connection connection(url_);
  pqxx::nontransaction session(connection);
  const auto found = session.exec(R"(
    select regexp_replace(btrim(query, E' \n'), '\s+', ' ', 'g'), calls, rows
    from pg_stat_statements
    where dbid = (select oid from pg_database where datname = current_database())
      and query not like '%pg_stat_statements%'
      and query not like '%pg_current_wal_insert_lsn%'
    order by calls desc, query)");
  std::vector<statement_count> counts;
  for (const auto& row : found)
    counts.push_back({row[0].as<std::string>(), row[1].as<int64_t>(), row[2].as<int64_t>()});
  return counts;
}

int64_t statement_counts::wal_bytes() const {
  pqxx::connection connection(url_);
  pqxx::nontransaction session(connection);
  const auto difference = session.exec_params1("select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), $1)", wal_begin_);
  return difference[0].as<int64_t>();
}

} // namespace levain::test
