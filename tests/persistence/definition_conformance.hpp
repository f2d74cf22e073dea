#pragma once

#include <boost/test/unit_test.hpp>

#include "persistence/definition_store.hpp"
#include "persistence/journal.hpp"

namespace levain::test {

/// What an implementation of the definition store brings to be tested.
class definition_bench {
public:
  virtual ~definition_bench() = default;
  virtual definition_store& subject() = 0;
  virtual void goes_away() = 0;
  virtual void comes_back() = 0;
};

namespace conformance {

using put_result = definition_store::put_result;

inline definition_record bench_definition(const std::string& name, int32_t version, char hash = 'a') {
  return {
    name, version, std::string(64, hash), "{ \"b\": 1,  \"a\": \"\\u00e4 '\" }",
    timestamp(std::chrono::microseconds(1'795'413'600'123'456))};
}

inline bool same(const std::optional<definition_record>& a, const definition_record& b) {
  return a && a->name == b.name && a->version == b.version && a->content_hash == b.content_hash && a->body == b.body &&
         a->registered_at == b.registered_at;
}

inline void a_registered_definition_is_kept_to_the_letter(definition_bench& bench) {
  const auto definition = bench_definition("daily_bakery", 1);
  BOOST_TEST((bench.subject().put(definition) == put_result::registered));
  BOOST_TEST(same(bench.subject().find("daily_bakery", 1), definition));
}

inline void the_same_content_again_changes_nothing(definition_bench& bench) {
  bench.subject().put(bench_definition("daily_bakery", 1));
  auto again = bench_definition("daily_bakery", 1);
  again.registered_at += std::chrono::hours(1);
  BOOST_TEST((bench.subject().put(again) == put_result::unchanged));
  BOOST_TEST(same(bench.subject().find("daily_bakery", 1), bench_definition("daily_bakery", 1)));
}

inline void another_content_under_the_same_version_is_a_conflict(definition_bench& bench) {
  bench.subject().put(bench_definition("daily_bakery", 1));
  BOOST_TEST((bench.subject().put(bench_definition("daily_bakery", 1, 'b')) == put_result::conflict));
  BOOST_TEST(same(bench.subject().find("daily_bakery", 1), bench_definition("daily_bakery", 1)));
}

inline void an_unknown_definition_is_not_found(definition_bench& bench) {
  bench.subject().put(bench_definition("daily_bakery", 1));
  BOOST_TEST(!bench.subject().find("daily_bakery", 2));
  BOOST_TEST(!bench.subject().find("daily", 1));
  BOOST_TEST(!bench.subject().find_newest("daily"));
  BOOST_TEST(!bench.subject().find_newest("zzz"));
}

inline void the_newest_has_the_highest_version(definition_bench& bench) {
  for (const int32_t version : {2, 10, 9})
    bench.subject().put(bench_definition("daily_bakery", version));
  bench.subject().put(bench_definition("daily_bakery_b", 99));
  BOOST_TEST(same(bench.subject().find_newest("daily_bakery"), bench_definition("daily_bakery", 10)));
}

inline void the_list_is_ordered_by_name_and_version(definition_bench& bench) {
  bench.subject().put(bench_definition("b", 2));
  bench.subject().put(bench_definition("b", 10));
  bench.subject().put(bench_definition("a_z", 1));
  bench.subject().put(bench_definition("aB", 1));
  std::string names;
  for (const auto& definition : bench.subject().list())
    names += definition.name + std::to_string(definition.version) + " ";
  BOOST_TEST(names == "aB1 a_z1 b2 b10 ");
}

inline void an_unreachable_database_says_so(definition_bench& bench) {
  bench.subject().put(bench_definition("b", 2));
  bench.goes_away();
  BOOST_CHECK_THROW(bench.subject().put(bench_definition("b", 3)), journal_unavailable);
  BOOST_CHECK_THROW(bench.subject().find("b", 2), journal_unavailable);
  BOOST_CHECK_THROW(bench.subject().find_newest("b"), journal_unavailable);
  BOOST_CHECK_THROW(bench.subject().list(), journal_unavailable);
  bench.comes_back();
  BOOST_TEST(bench.subject().list().size() == 1u);
}

} // namespace conformance

/// Every rule above, for whoever registers them.
#define LEVAIN_DEFINITION_RULES(rule)                                                                                  \
  rule(a_registered_definition_is_kept_to_the_letter) rule(the_same_content_again_changes_nothing)                     \
    rule(another_content_under_the_same_version_is_a_conflict) rule(an_unknown_definition_is_not_found)                \
      rule(the_newest_has_the_highest_version) rule(the_list_is_ordered_by_name_and_version)                           \
        rule(an_unreachable_database_says_so)

} // namespace levain::test
