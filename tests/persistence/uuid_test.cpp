#include <boost/test/unit_test.hpp>

#include <unordered_set>

#include "persistence/ids.hpp"

using namespace levain;

BOOST_AUTO_TEST_SUITE(uuid_test)

BOOST_AUTO_TEST_CASE(the_canonical_form_is_read_and_written) {
  const auto id = uuid::parse("0190163D-8694-739b-aea5-966c26f8ad91");
  BOOST_REQUIRE(id);
  BOOST_TEST(to_string(*id) == "0190163d-8694-739b-aea5-966c26f8ad91");
}

BOOST_AUTO_TEST_CASE(every_other_form_is_refused) {
  for (const char* text :
       {"", "0190163d8694739baea5966c26f8ad91", "{0190163d-8694-739b-aea5-966c26f8ad91}",
        "0190163d-8694-739b-aea5-966c26f8ad9", "0190163d-8694-739b-aea5-966c26f8ad911",
        "0190163d-8694-739b-aea5-966c26f8ad9g", "0190163d-8694-739baaea5-966c26f8ad91",
        "-190163d-8694-739b-aea5-966c26f8ad91", "0190163d--694-739b-aea5-966c26f8ad91"})
    BOOST_TEST(!uuid::parse(text), text);
}

BOOST_AUTO_TEST_CASE(version_7_is_built_as_the_rfc_shows) {
  // RFC 9562 appendix A.6.
  const timestamp at(std::chrono::milliseconds(0x017F22E279B0));
  const auto id = make_uuid_v7(at, {0xCC3, 0x18C4DC0C0C07398F});
  BOOST_TEST(to_string(id) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}

BOOST_AUTO_TEST_CASE(later_ids_sort_after_earlier_ones) {
  const timestamp at(std::chrono::milliseconds(1'700'000'000'000));
  const auto early = make_run_id(at, {~0ULL, ~0ULL}, 63);
  const auto late = make_run_id(at + std::chrono::milliseconds(1), {0, 0}, 0);
  BOOST_TEST((early < late));
  BOOST_TEST(to_string(early) < to_string(late));
}

BOOST_AUTO_TEST_CASE(a_run_id_carries_its_shard_in_the_last_byte) {
  const timestamp at(std::chrono::milliseconds(1'700'000'000'000));
  for (shard_number shard = 0; shard < shard_count; ++shard) {
    const auto id = make_run_id(at, {7, 0x0123456789abcdef}, shard);
    BOOST_TEST(int(shard_of(id)) == int(shard));
    BOOST_TEST(int(id.value.bytes[15]) == int(shard));
  }
}

BOOST_AUTO_TEST_CASE(foreign_ids_are_folded_into_the_range_of_shards) {
  BOOST_TEST(int(shard_of(run_id{*uuid::parse("ffffffff-ffff-4fff-8fff-ffffffffffff")})) == 63);
  BOOST_TEST(int(shard_of(run_id{*uuid::parse("ffffffff-ffff-4fff-8fff-ffffffffff41")})) == 1);
}

BOOST_AUTO_TEST_CASE(ids_of_one_millisecond_hash_apart) {
  std::unordered_set<size_t> hashes;
  for (uint64_t i = 0; i < 10'000; ++i)
    hashes.insert(std::hash<uuid>{}(make_uuid_v7(timestamp{}, {i & 0xfff, i << 8})));
  BOOST_TEST(hashes.size() > 9'990u);
}

BOOST_AUTO_TEST_SUITE_END()
