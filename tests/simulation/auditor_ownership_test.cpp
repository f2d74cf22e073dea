#include "tests/simulation/auditor_history.hpp"

using namespace levain;
using namespace levain::simulation;
using namespace levain::simulation::test;

BOOST_AUTO_TEST_SUITE(auditor_ownership_test)

BOOST_AUTO_TEST_CASE(every_write_is_by_the_owner_under_its_epoch) {
  const fact paused{event_kind::run_paused};
  history fenced;
  fenced.begin();
  fenced.boot(fenced.there);
  fenced.pass(6s);
  fenced.own(fenced.there, 2);
  fenced.write({paused}, [&](run_written& x) {
    x.by = fenced.here;
    x.epoch = 1;
  });
  BOOST_TEST(fenced.broken() == "owner_writes");

  history guesses;
  guesses.begin();
  guesses.write({paused}, [](run_written& x) { x.epoch = 2; });
  BOOST_TEST(guesses.broken() == "owner_writes");

  history never_owned;
  never_owned.begin();
  never_owned.write({paused}, [&](run_written& x) { x.by = never_owned.there; });
  BOOST_TEST(never_owned.broken() == "owner_writes");
}

BOOST_AUTO_TEST_CASE(a_new_owner_has_a_higher_epoch) {
  history same;
  same.boot(same.there);
  same.pass(6s);
  same.own(same.there, 1);
  BOOST_TEST(same.broken() == "epoch_rises");
}

BOOST_AUTO_TEST_CASE(no_shard_is_taken_before_its_lease_has_run_out) {
  const auto taken_after = [](duration span) {
    history x;
    x.boot(x.there);
    x.pass(span);
    x.own(x.there, 2);
    return x.broken();
  };
  BOOST_TEST(taken_after(5s) == "");
  BOOST_TEST(taken_after(4999ms) == "lease_kept");

  history given_back;
  given_back.boot(given_back.there);
  given_back.judge.saw(shard_freed{given_back.now, given_back.here, shard_of(given_back.run)});
  given_back.own(given_back.there, 2);
  BOOST_TEST(given_back.broken() == "");
}

BOOST_AUTO_TEST_SUITE_END()
