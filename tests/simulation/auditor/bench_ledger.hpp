#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/simulation/auditor/blame.hpp"
#include "tests/simulation/witness.hpp"

namespace levain::simulation {

/// What each worker is given, does and answers, and whether it is as workers are promised to be.
class bench_ledger {
public:
  explicit bench_ledger(blame accuse)
    : accuse_(std::move(accuse)) {}

  void changed(const worker_changed& x);
  void changed(const link_changed& x);
  void passed(const word_passed& x);
  void begun(const work_begun& x);
  void cancelled(const work_cancelled& x);
  void ended(const work_ended& x);
  /// Nothing happens before time passes.
  void rest();

private:
  struct caller {
    uint64_t connection = 0;
    uint64_t number = 0;
    int64_t epoch = 0;
    std::string key;
    uint32_t attempt = 0;
  };
  struct work {
    uint64_t number = 0;
    std::string kind;
    uint32_t attempt = 0;
    bool cancelled = false;
    /// Whoever waited has said that nobody does.
    bool dropped = false;
  };
  struct result {
    uint32_t attempt = 0;
    bool succeeded = false;
    std::string text;
    /// Whom it was sent to; 0 for nobody.
    uint64_t sent_on = 0;
    timestamp kept_until{};
  };
  struct bench {
    std::map<std::string, uint32_t> offers;
    std::map<std::string, work> works;
    /// What arrived and was not answered, by connection and number.
    std::map<std::pair<uint64_t, uint64_t>, caller> arrived;
    /// Who is to get the answer, by key.
    std::map<std::string, caller> waits;
    /// What may be asked for again, by key.
    std::map<std::string, result> results;
    /// Everything that functions ever returned, by key.
    std::map<std::string, std::vector<result>> returned;
    bool leaving = false;
    bool stands_still = false;
  };

  void heard(bench& at, const word_passed& x);
  void said(const place& who, bench& at, const word_passed& x);
  void join(bench& at, const caller& x);
  void answer(const place& who, bench& at, const word_passed& x);
  std::pair<const place, bench>* doing(uint64_t work_number, std::string& key);

  blame accuse_;
  std::map<place, bench> benches_;
  std::map<uint64_t, place> connections_;
};

} // namespace levain::simulation
