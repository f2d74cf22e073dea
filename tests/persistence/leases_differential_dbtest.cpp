// The model's leases and PostgreSQL's are asked the same, in a random order, while time passes for both, and must
// answer the same.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <iostream>
#include <random>

#include <pqxx/pqxx>

#include "persistence/model_leases.hpp"
#include "persistence/postgres_leases.hpp"
#include "tests/support/database.hpp"
#include "tests/support/seed.hpp"

using namespace levain;
using namespace levain::test;

namespace {

constexpr int moves = 3000;
constexpr size_t node_count = 6;

/// Time passes in whole minutes and leases are none of them, so that what goes on in between decides nothing.
const std::vector<std::chrono::milliseconds> lease_durations = {
  std::chrono::minutes(10) + std::chrono::seconds(30), std::chrono::minutes(60) + std::chrono::seconds(30)};

class twins {
public:
  explicit twins(uint64_t seed)
    : draw_(seed) {
    for (size_t i = 0; i < node_count; ++i)
      nodes_.push_back(uuid{{static_cast<uint8_t>(draw_()), static_cast<uint8_t>(i)}});
  }

  /// Makes one move on both; answers what was done, and adds to `differences_` what was answered differently.
  std::string play() {
    const auto node = nodes_[below(nodes_.size())];
    now_ += std::chrono::microseconds(1);
    switch (below(15)) {
    case 0:
      return join(node);
    case 1:
    case 2:
      return heartbeat(node);
    case 3:
      return share(node);
    case 4:
    case 5:
      return take(node, below(8) == 0);
    case 6:
      compare(model_.owned(node), postgres_.owned(node));
      return "owned";
    case 7:
      return release(node);
    case 8:
      if (below(3) == 0) {
        model_.leave(node);
        postgres_.leave(node);
      }
      return "leave";
    case 9:
      return forget();
    case 10:
      return reserve();
    case 11:
      return view();
    case 12:
    case 13:
      return drain(node);
    default:
      return pass();
    }
  }

  /// All shards with their owners and epochs.
  void compare_shards() {
    for (const auto& node : nodes_)
      compare(model_.owned(node), postgres_.owned(node));
    view();
    pqxx::work transaction(admin_);
    for (const auto& row : transaction.exec("select shard, epoch from shards"))
      compare(database_->epoch(static_cast<shard_number>(row[0].as<int>())), row[1].as<epoch_number>());
  }

  bool differ() const { return differ_; }

private:
  template <class Answer>
  void compare(const Answer& expected, const Answer& found) {
    differ_ = differ_ || !(expected == found);
  }

  uint64_t below(uint64_t bound) { return draw_() % bound; }

  std::string join(const uuid& node) {
    node_record record{node, "n" + std::to_string(below(3)), "here", "1"};
    if (below(2) == 0) {
      record.cluster_address = "there:" + std::to_string(below(9));
      record.protocol_min = static_cast<uint32_t>(1 + below(3));
      record.protocol_max = record.protocol_min + static_cast<uint32_t>(below(3));
    }
    record.schema_version = static_cast<int32_t>(below(20));
    record.draining = below(3) == 0;
    const auto lease = lease_durations[below(lease_durations.size())];
    const auto refusal = [&](leases& either) -> std::string {
      try {
        either.join(record, lease);
      } catch (const join_refused& refused) {
        return refused.what();
      }
      return {};
    };
    const auto expected = refusal(model_);
    compare(expected, refusal(postgres_));
    return expected.empty() ? "join" : "refused";
  }

  std::string heartbeat(const uuid& node) {
    const node_figures figures{below(9), below(9), below(9), static_cast<double>(below(99)) / 8, below(9), below(9)};
    compare(model_.heartbeat(node, figures), postgres_.heartbeat(node, figures));
    return "heartbeat";
  }

  std::string view() {
    auto expected = model_.view();
    auto found = postgres_.view();
    for (size_t i = 0; i < std::min(expected.nodes.size(), found.nodes.size()); ++i) {
      forgive_delay(expected.nodes[i].silent, found.nodes[i].silent);
      forgive_delay(expected.nodes[i].age, found.nodes[i].age);
    }
    compare(expected, found);
    return "view";
  }

  /// Real time passes only for the one of them.
  static void forgive_delay(std::chrono::milliseconds expected, std::chrono::milliseconds& found) {
    if (found >= expected && found - expected < std::chrono::minutes(10))
      found = expected;
  }

  std::string drain(const uuid& node) {
    const bool draining = below(2) == 0;
    compare(model_.set_draining(node, draining), postgres_.set_draining(node, draining));
    return "drain";
  }

  std::string share(const uuid& node) {
    const auto expected = model_.share(node);
    compare(expected, postgres_.share(node));
    return "share";
  }

  std::string take(const uuid& node, bool sole) {
    const size_t shards_max = below(shard_count + 1);
    auto expected = model_.take(node, shards_max, sole);
    auto found = postgres_.take(node, shards_max, sole);
    for (auto* taken : {&expected, &found})
      std::ranges::sort(*taken, {}, &shard_lease::shard);
    compare(expected, found);
    return "take";
  }

  std::string release(const uuid& node) {
    std::vector<shard_lease> some;
    for (auto lease : model_.owned(nodes_[below(4) == 0 ? below(nodes_.size()) : index_of(node)])) {
      if (below(10) == 0)
        ++lease.epoch;
      if (below(2) == 0)
        some.push_back(lease);
    }
    compare(model_.release(node, some), postgres_.release(node, some));
    return "release";
  }

  std::string forget() {
    const auto age = std::chrono::minutes(below(90));
    compare(model_.forget_expired(age), postgres_.forget_expired(age));
    return "forget";
  }

  std::string reserve() {
    const auto count = static_cast<int64_t>(1 + below(1000));
    const auto expected = model_.reserve_run_numbers(count);
    const auto found = postgres_.reserve_run_numbers(count);
    compare(expected, found);
    return "reserve";
  }

  /// What passes in the database is that everything there is older.
  std::string pass() {
    const auto span = std::chrono::minutes(1 + below(15));
    now_ += span;
    pqxx::work transaction(admin_);
    transaction.exec_params(
      "update nodes set heartbeat_at = heartbeat_at - $1 * interval '1 minute', "
      "started_at = started_at - $1 * interval '1 minute'",
      static_cast<int>(span.count()));
    transaction.commit();
    return "pass";
  }

  size_t index_of(const uuid& node) const {
    return static_cast<size_t>(std::ranges::find(nodes_, node) - nodes_.begin());
  }

  std::mt19937_64 draw_;
  std::vector<uuid> nodes_;
  timestamp now_ = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);
  std::shared_ptr<model_database> database_ = std::make_shared<model_database>([this] { return now_; });
  model_leases model_{database_};
  fresh_database fresh_;
  pqxx::connection admin_{fresh_.url()};
  postgres_leases postgres_{{.url = fresh_.url()}};
  bool differ_ = false;
};

} // namespace

BOOST_AUTO_TEST_SUITE(leases_differential_dbtest)

BOOST_AUTO_TEST_CASE(the_model_takes_and_gives_shards_as_postgresql_does) {
  twins both(announced_seed());
  std::string told;
  for (int i = 0; i < moves; ++i) {
    told += both.play() + " ";
    BOOST_TEST_REQUIRE(!both.differ(), "move " << i << " of: " << told);
  }
  both.compare_shards();
  BOOST_TEST(!both.differ());
}

BOOST_AUTO_TEST_SUITE_END()
