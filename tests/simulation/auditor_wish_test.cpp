#include "tests/simulation/auditor_history.hpp"

using namespace levain;
using namespace levain::simulation;
using namespace levain::simulation::test;

namespace {

const fact paused_by_ann{event_kind::run_paused, {}, 0, {{"by", "ann"}}};

} // namespace

BOOST_AUTO_TEST_SUITE(auditor_wish_test)

BOOST_AUTO_TEST_CASE(a_wish_is_granted_when_its_event_is_on_disk) {
  history kept;
  kept.begin();
  const auto wish = kept.wish(wish_kind::pause, "ann");
  kept.write({paused_by_ann});
  kept.grant(wish);
  BOOST_TEST(kept.broken() == "");

  history early;
  early.begin();
  early.grant(early.wish(wish_kind::pause, "ann"));
  BOOST_TEST(early.broken() == "wish_durable");
}

BOOST_AUTO_TEST_CASE(a_wish_that_was_refused_has_no_event) {
  history before;
  before.begin();
  const auto heard = before.wish(wish_kind::pause, "ann");
  before.write({paused_by_ann});
  before.deny(heard, "conflict");
  BOOST_TEST(before.broken() == "wish_refused_clean");

  history after;
  after.begin();
  after.wish(wish_kind::pause, "bob");
  const auto refused = after.wish(wish_kind::pause, "ann");
  after.write({{event_kind::run_paused, {}, 0, {{"by", "bob"}}}});
  after.deny(refused, "conflict");
  after.wish(wish_kind::resume, "bill");
  after.write({{event_kind::run_resumed, {}, 0, {{"by", "bill"}}}});
  after.write({paused_by_ann});
  BOOST_TEST(after.broken() == "wish_refused_clean");

  history nobody;
  nobody.begin();
  nobody.write({paused_by_ann});
  BOOST_TEST(nobody.broken() == "wish_refused_clean");

  history other_wish;
  other_wish.begin();
  other_wish.wish(wish_kind::cancel, "ann");
  other_wish.write({paused_by_ann});
  BOOST_TEST(other_wish.broken() == "wish_refused_clean");

  history in_doubt;
  in_doubt.begin();
  const auto wish = in_doubt.wish(wish_kind::pause, "ann");
  in_doubt.deny(wish, "unavailable");
  in_doubt.write({paused_by_ann});
  BOOST_TEST(in_doubt.broken() == "");
}

BOOST_AUTO_TEST_CASE(a_command_is_rejected_only_for_what_is_on_disk) {
  history early;
  early.begin();
  early.wish(wish_kind::pause, "ann");
  early.deny(early.wish(wish_kind::pause, "bob"), "conflict");
  BOOST_TEST(early.broken() == "rejection_durable");

  history kept;
  kept.begin();
  kept.wish(wish_kind::pause, "ann");
  const auto wish = kept.wish(wish_kind::pause, "bob");
  kept.write({paused_by_ann});
  kept.deny(wish, "conflict");
  BOOST_TEST(kept.broken() == "");

  history before;
  before.begin();
  before.wish(wish_kind::pause, "ann");
  before.write({paused_by_ann});
  before.deny(before.wish(wish_kind::pause, "bob"), "conflict");
  BOOST_TEST(before.broken() == "");
}

BOOST_AUTO_TEST_CASE(a_stranger_changes_nothing_and_learns_nothing) {
  const auto stranger = [](history& x) {
    x.begin();
    return x.wish(wish_kind::pause, "ann", [&](wish_asked& asked) { asked.tenant = x.stranger; });
  };
  history kept;
  kept.deny(stranger(kept), "not_found");
  BOOST_TEST(kept.broken() == "");

  history learns;
  learns.deny(stranger(learns), "conflict");
  BOOST_TEST(learns.broken() == "tenants_apart");

  history granted;
  granted.grant(stranger(granted));
  BOOST_TEST(granted.broken() == "tenants_apart");

  history changes;
  stranger(changes);
  changes.write({paused_by_ann});
  BOOST_TEST(changes.broken() == "tenants_apart");
}

BOOST_AUTO_TEST_CASE(whoever_wishes_is_told_once) {
  history never;
  never.wish(wish_kind::pause, "ann");
  never.finish();
  BOOST_TEST(never.broken() == "told_once");

  history twice;
  twice.begin();
  const auto wish = twice.wish(wish_kind::pause, "ann");
  twice.deny(wish, "unavailable");
  twice.deny(wish, "unavailable");
  BOOST_TEST(twice.broken() == "told_once");
}

BOOST_AUTO_TEST_SUITE_END()
