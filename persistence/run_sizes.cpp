#include "persistence/run_sizes.hpp"

namespace levain {

std::string run_sizes_statement(const std::string& measured) {
  return R"(
  with recursive walk (place, bytes, total) as (
    select 0, 0::bigint, 0::bigint
    union all
    select walk.place + 1, measured.bytes, walk.total + measured.bytes
    from walk
    cross join lateral ()" +
         measured + R"() as measured
    where walk.place < cardinality($1::uuid[])
      and walk.total < $2::bigint
  )
  select bytes
  from walk
  where place > 0
  order by place)";
}

std::string measured_events() {
  return std::string(R"(
      select coalesce(sum(100 + coalesce(octet_length(body::text), 0)), 0)::bigint as bytes
      from run_events
      where run_id = )") +
         measured_run;
}

} // namespace levain
