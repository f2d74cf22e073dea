// The model journal and PostgreSQL are driven with the same random batches, faults and takeovers, and must answer and
// remember the same: so that what is simulated on the model is true.
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <iostream>

#include "tests/persistence/journal_twins.hpp"
#include "tests/support/seed.hpp"

using namespace levain;
using namespace levain::test;

namespace {

constexpr size_t rounds = 5;
constexpr size_t moves_per_round = 400;
constexpr size_t batch_max = 24;
/// A sequence that shows a difference is tried so often in a shorter form.
constexpr int shrink_tries_max = 300;

/// One thing that happens, made from its seed in the world as it is then: without those before it, it is still a move.
struct move {
  uint64_t seed = 0;
  size_t batch_size = batch_max;
  /// Appends that are left out of its batch: a bit for each of the first 64.
  uint64_t left_out = 0;

  std::vector<run_append> thinned(std::vector<run_append> batch) const {
    std::vector<run_append> kept;
    for (size_t i = 0; i < batch.size(); ++i)
      if (i >= 64 || (left_out >> i & 1) == 0)
        kept.push_back(std::move(batch[i]));
    return kept;
  }
};

std::string text_of(const std::vector<run_append>& batch) {
  std::ostringstream text;
  for (const auto& append : batch) {
    text << "    run " << to_string(append.run) << " epoch " << append.epoch;
    for (const auto& event : append.events)
      text << ", event " << event.seq << " " << to_string(event.kind) << " " << event.body.substr(0, 40);
    if (append.insert)
      text << ", insert " << append.insert->run_number;
    if (append.update)
      text << ", update " << append.update->run_number;
    if (append.key)
      text << ", key " << append.key->key.substr(0, 20) << " " << append.key->fingerprint.front();
    text << '\n';
  }
  return text.str();
}

class player {
public:
  explicit player(std::ostream* told = nullptr)
    : told_(told) {}

  void play(const move& move) {
    append_maker make(move.seed, twins_.world());
    const auto size = 1 + make.below(move.batch_size);
    switch (make.below(40)) {
    case 0:
      return doubt(move.thinned(make.batch(size)), journal_twins::fault::commit_lost, make);
    case 1:
      return doubt(move.thinned(make.batch(size)), journal_twins::fault::answer_lost, make);
    case 2:
    case 3:
      return take_over(make);
    case 4:
      return read(make);
    case 5:
      return twins_.page(make.shards(), make.chance(0.7) ? make.some_run() : std::nullopt, 1 + make.below(20));
    case 6:
      return write_stops(make);
    case 7:
      return append({});
    case 8:
    case 9:
      tell("another writer appends");
      return twins_.append_elsewhere(told(move.thinned(make.batch(size))));
    case 10:
      return append(move.thinned(make.rush(4 * size)));
    default:
      return append(move.thinned(make.batch(size)));
    }
  }

  journal_twins& twins() { return twins_; }

private:
  void append(const std::vector<run_append>& batch) {
    tell("append");
    twins_.append(told(batch));
  }

  /// The answer is lost; the shard may be taken meanwhile, and its new owner may write; then it is resolved.
  void doubt(const std::vector<run_append>& batch, journal_twins::fault lost, append_maker& make) {
    tell(lost == journal_twins::fault::commit_lost ? "append, the commit is lost" : "append, the answer is lost");
    if (!twins_.append_in_doubt(told(batch), lost))
      return;
    if (make.chance(0.4)) {
      take_over(make);
      if (make.chance(0.5)) {
        tell("another writer appends");
        append_maker again(make.below(1'000'000), twins_.world());
        twins_.append_elsewhere(told(again.batch(batch.size())));
      }
    }
    tell("resolve");
    twins_.resolve(batch);
    if (make.chance(0.5))
      append(batch);
  }

  void take_over(append_maker& make) {
    const auto shard = static_cast<shard_number>(make.below(append_maker::shards_used));
    tell("take over shard " + std::to_string(shard));
    twins_.take_over(shard);
  }

  void read(append_maker& make) {
    const auto run = make.any_run();
    tell("read run " + to_string(run));
    twins_.read(run);
    twins_.find_row(run);
  }

  void write_stops(append_maker& make) {
    std::map<run_id, stop_change> changes;
    for (auto count = 1 + make.below(5); count > 0; --count) {
      const auto run = make.any_run();
      stop_change change{run, twins_.world().epochs[shard_of(run)] + (make.chance(0.2) ? 1 : 0), {}};
      if (make.chance(0.7))
        change.stop = run_stop{static_cast<stop_kind>(make.below(3)), make.chance(0.5) ? "one" : "an \"other\"", {}};
      changes[run] = change;
    }
    std::vector<stop_change> list;
    for (const auto& [run, change] : changes)
      list.push_back(change);
    tell("write stops");
    twins_.write_stops(list);
  }

  void tell(const std::string& sentence) {
    if (told_)
      *told_ << "  " << sentence << '\n';
  }
  const std::vector<run_append>& told(const std::vector<run_append>& batch) {
    if (told_)
      *told_ << text_of(batch);
    return batch;
  }

  journal_twins twins_;
  std::ostream* told_;
};

/// Where a sequence of moves first shows a difference.
struct finding {
  size_t moves = 0;
  std::string what;
};

std::optional<finding> play_all(const std::vector<move>& moves, player& one) {
  size_t played = 0;
  try {
    for (const auto& each : moves) {
      ++played;
      one.play(each);
    }
    one.twins().compare_all();
  } catch (const journal_twins::difference& found) {
    return finding{played, found.what()};
  }
  return std::nullopt;
}

std::optional<finding> play_anew(const std::vector<move>& moves, std::ostream* told = nullptr) {
  player fresh(told);
  return play_all(moves, fresh);
}

/// Leaves out whatever is not needed to show a difference.
std::vector<move> shrunk(std::vector<move> moves) {
  int tries = 0;
  const auto shows = [&](const std::vector<move>& fewer) { return ++tries <= shrink_tries_max && play_anew(fewer); };
  for (size_t chunk = moves.size() / 2; chunk > 0; chunk /= 2)
    for (size_t at = 0; at + chunk <= moves.size();) {
      auto fewer = moves;
      fewer.erase(
        fewer.begin() + static_cast<std::ptrdiff_t>(at), fewer.begin() + static_cast<std::ptrdiff_t>(at + chunk));
      if (shows(fewer))
        moves = std::move(fewer);
      else
        at += chunk;
    }
  for (auto& each : moves)
    for (const size_t size : {1, 2, 4, 8}) {
      const auto before = std::exchange(each.batch_size, size);
      if (shows(moves))
        break;
      each.batch_size = before;
    }
  for (auto& each : moves)
    for (uint64_t bit = 1; bit != 0; bit <<= 1) {
      each.left_out |= bit;
      if (!shows(moves))
        each.left_out ^= bit;
    }
  return moves;
}

} // namespace

BOOST_AUTO_TEST_SUITE(journal_differential_dbtest)

BOOST_AUTO_TEST_CASE(the_model_answers_and_remembers_as_postgresql_does) {
  const auto seed = announced_seed();
  std::mt19937_64 draw(seed);
  const auto began = std::chrono::steady_clock::now();
  size_t batches = 0;
  size_t appends = 0;
  for (size_t round = 0; round < rounds; ++round) {
    std::vector<move> moves(moves_per_round);
    for (auto& each : moves)
      each.seed = draw();
    player one;
    if (auto found = play_all(moves, one)) {
      moves.resize(found->moves);
      std::ostringstream told;
      const auto shortest = play_anew(shrunk(std::move(moves)), &told);
      BOOST_TEST_ERROR(
        "seed " << seed << ", round " << round << ", move " << found->moves << ": " << found->what
                << "\nthe shortest way to a difference:\n"
                << told.str() << (shortest ? shortest->what : "(it did not show again)"));
      return;
    }
    batches += one.twins().batches();
    appends += one.twins().appends();
  }
  const auto span = std::chrono::duration<double>(std::chrono::steady_clock::now() - began);
  std::cout << batches << " batches, " << appends << " appends in " << span.count() << " s" << std::endl;
  BOOST_TEST(batches > rounds * moves_per_round / 2);
}

BOOST_AUTO_TEST_SUITE_END()
