#pragma once

#include <memory>
#include <optional>
#include <string>

#include <pqxx/pqxx>

#include "persistence/postgres_journal.hpp"
#include "tests/persistence/journal_bench.hpp"
#include "tests/persistence/row_from_json.hpp"
#include "tests/support/database.hpp"
#include "tests/support/database_gate.hpp"

namespace levain::test {

/// PostgreSQL: a fresh database behind a gate that loses what it is told to lose.
class postgres_bench : public journal_bench {
public:
  /// `statement_timeout` is short, for the tests that wait for it.
  explicit postgres_bench(std::chrono::milliseconds statement_timeout = std::chrono::seconds(2))
    : statement_timeout_(statement_timeout) {
    const std::string epoch = std::to_string(bench_epoch);
    admin("update shards set epoch = " + epoch);
  }

  journal& subject() override { return journal_; }
  std::unique_ptr<journal> another() override { return std::make_unique<postgres_journal>(options(database_.url())); }
  void set_epoch(shard_number shard, epoch_number epoch) override {
    admin("update shards set epoch = " + std::to_string(epoch) + " where shard = " + std::to_string(shard));
  }
  std::optional<audit_row> row(const run_id& run) override {
    pqxx::work transaction(admin_);
    const auto rows =
      transaction.exec_params("select to_jsonb(run) from orchestration_runs as run where id = $1", to_string(run));
    if (rows.empty())
      return std::nullopt;
    return row_from_json(nlohmann::json::parse(rows[0][0].c_str()));
  }
  void lose_next_commit() override { gate_.lose_next_commit(); }
  void lose_next_answer() override { gate_.lose_next_answer(); }
  void goes_away() override { gate_.shut(); }
  void comes_back() override { gate_.reopen(); }
  void lock_row(const run_id& run) override {
    if (!holder_)
      holder_ = std::make_unique<pqxx::work>(locker_);
    holder_->exec_params("select from orchestration_runs where id = $1 for update", to_string(run));
  }
  void unlock_rows() override { holder_.reset(); }

  pqxx::result admin(const std::string& sql) {
    pqxx::work transaction(admin_);
    auto result = transaction.exec(sql);
    transaction.commit();
    return result;
  }

  postgres_journal_options options(const std::string& url) const {
    postgres_journal_options options;
    options.url = url;
    options.statement_timeout = statement_timeout_;
    options.lock_timeout = std::chrono::milliseconds(100);
    options.key_wait_max = std::chrono::milliseconds(10);
    options.resolve_lock_timeout = std::chrono::milliseconds(100);
    return options;
  }

  std::chrono::milliseconds statement_timeout_;
  fresh_database database_;
  pqxx::connection admin_{database_.url()};
  pqxx::connection locker_{database_.url()};
  std::unique_ptr<pqxx::work> holder_;
  database_gate gate_{database_.url()};
  postgres_journal journal_{options(gate_.url())};
};

} // namespace levain::test
