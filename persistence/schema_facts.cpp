#include "persistence/schema_facts.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <unistd.h>
#include <utility>

#include "persistence/migrator.hpp"

namespace levain {

namespace {

// Each answers object, table, is, harmless. $1 is the schema's name. `in_schema` below leaves out the partitions of
// weeks and the table of the migrator itself.
constexpr const char* read_tables = R"(
  select
    case c.relkind when 'm' then 'materialized view ' when 'v' then 'view ' when 'S' then 'sequence ' else 'table ' end
      || c.relname,
    c.relname,
    case c.relkind
      when 'p' then 'partitioned by ' || pg_get_partkeydef(c.oid)
      when 'm' then regexp_replace(pg_get_viewdef(c.oid, true), '\s+', ' ', 'g')
      when 'v' then regexp_replace(pg_get_viewdef(c.oid, true), '\s+', ' ', 'g')
      else case when c.relispartition then 'default partition' else 'plain' end
    end,
    true
  from pg_class c
  where c.relnamespace = $1::regnamespace
    and c.relkind in ('r', 'p', 'm', 'v', 'S')
    and (not c.relispartition or pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT')
    and c.relname <> 'levain_migrations'
  order by c.relname)";

constexpr const char* read_types = R"(
  select
    'type ' || t.typname,
    '',
    'enum (' || string_agg(e.enumlabel, ', ' order by e.enumsortorder) || ')',
    true
  from pg_type t
  join pg_enum e on e.enumtypid = t.oid
  where t.typnamespace = $1::regnamespace
  group by t.typname
  order by t.typname)";

constexpr const char* read_columns = R"(
  select
    'column ' || c.relname || '.' || a.attname,
    c.relname,
    format_type(a.atttypid, a.atttypmod)
      || case when a.attnotnull then ' not null' else '' end
      || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), ''),
    not a.attnotnull or d.adbin is not null
  from pg_class c
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
  where c.relnamespace = $1::regnamespace
    and c.relkind in ('r', 'p', 'm')
    and not c.relispartition
    and c.relname <> 'levain_migrations'
  order by c.relname, a.attnum)";

// A primary key is known by its table: its name is a matter of taste.
constexpr const char* read_constraints = R"(
  select
    case k.contype when 'p' then 'primary key of ' || c.relname else 'constraint ' || c.relname || '.' || k.conname end,
    c.relname,
    pg_get_constraintdef(k.oid, true),
    k.contype = 'u' and pg_get_constraintdef(k.oid, true) = 'UNIQUE (run_number)'
  from pg_constraint k
  join pg_class c on c.oid = k.conrelid
  where c.relnamespace = $1::regnamespace
    and k.contype in ('p', 'u', 'c', 'f', 'x')
    and not c.relispartition
    and c.relname <> 'levain_migrations'
  order by c.relname, k.conname)";

// Pretty printing leaves out the schema of what the search_path finds.
constexpr const char* read_indexes = R"(
  select
    'index ' || i.relname,
    c.relname,
    pg_get_indexdef(i.oid, 0, true) || case when x.indisvalid then '' else ' (invalid)' end,
    not x.indisunique or pg_get_indexdef(i.oid, 0, true) like '% USING btree (run_number)'
  from pg_index x
  join pg_class i on i.oid = x.indexrelid
  join pg_class c on c.oid = x.indrelid
  where c.relnamespace = $1::regnamespace
    and not c.relispartition
    and c.relkind in ('r', 'p', 'm')
    and c.relname <> 'levain_migrations'
    and not exists (select from pg_constraint k where k.conindid = i.oid)
  order by c.relname, i.relname)";

constexpr const char* read_triggers = R"(
  select
    'trigger ' || c.relname || '.' || t.tgname,
    c.relname,
    pg_get_triggerdef(t.oid, true) || case when t.tgenabled in ('O', 'A') then '' else ' (disabled)' end,
    false
  from pg_trigger t
  join pg_class c on c.oid = t.tgrelid
  where c.relnamespace = $1::regnamespace
    and not c.relispartition
    and not t.tgisinternal
  order by c.relname, t.tgname)";

constexpr const char* read_functions = R"(
  select
    'function ' || p.proname,
    '',
    'returns ' || format_type(p.prorettype, null) || coalesce(' set ' || array_to_string(p.proconfig, ', '), '')
      || ' as ' || btrim(regexp_replace(p.prosrc, '\s+', ' ', 'g')),
    true
  from pg_proc p
  where p.pronamespace = $1::regnamespace
    and p.prokind = 'f'
    and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
  order by p.proname, p.oid)";

constexpr std::array<const char*, 7> reads = {read_types,   read_tables,   read_columns,  read_constraints,
                                              read_indexes, read_triggers, read_functions};

// Texts that say the same.
const std::array<std::pair<std::string, std::string>, 3> synonyms = {{
  {"timestamp with time zone", "timestamp without time zone"},
  {"CURRENT_TIMESTAMP", "now()"},
  {"uuid_generate_v4()", "gen_random_uuid()"},
}};

std::string in_plain_words(const schema_fact& fact) {
  std::string text = fact.is;
  if (fact.table != "orchestration_runs")
    return text;
  for (const auto& [other, plain] : synonyms)
    for (auto at = text.find(other); at != std::string::npos; at = text.find(other, at + plain.size()))
      text.replace(at, other.size(), plain);
  return text;
}

/// Rolls back by going out of scope.
void apply_in_schema_of_its_own(
  pqxx::work& transaction, const std::string& schema, const std::vector<embedded_migration>& migrations) {
  // Names cannot be parameters; this one is ours, and quoted all the same.
  try {
    transaction.exec("create schema " + transaction.quote_name(schema));
  } catch (const pqxx::insufficient_privilege&) {
    throw migration_error(
      "the role of this connection may not create schemas, which comparing the schema needs; connect as the database's "
      "owner or grant it CREATE on the database");
  }
  transaction.exec_params("select set_config('search_path', $1, true)", transaction.quote_name(schema));
  for (const auto& migration : migrations)
    transaction.exec(std::string(migration.sql));
}

} // namespace

std::vector<schema_fact> read_schema_facts(pqxx::transaction_base& transaction, const std::string& schema) {
  // Only inside this transaction: names of this schema are then printed without it.
  const auto path = transaction.exec1("select current_setting('search_path')")[0].as<std::string>();
  transaction.exec_params("select set_config('search_path', $1, true)", transaction.quote_name(schema));
  std::vector<schema_fact> facts;
  for (const char* read : reads)
    for (const auto& row : transaction.exec_params(read, transaction.quote_name(schema)))
      facts.push_back(
        {row[0].as<std::string>(), row[1].as<std::string>(), row[2].as<std::string>(), row[3].as<bool>()});
  transaction.exec_params("select set_config('search_path', $1, true)", path);
  return facts;
}

std::vector<schema_fact>
expected_schema_facts(pqxx::connection& connection, const std::vector<embedded_migration>& migrations) {
  pqxx::work transaction(connection, "expected_schema");
  const std::string schema = "levain_expected_" + std::to_string(::getpid());
  apply_in_schema_of_its_own(transaction, schema, migrations);
  return read_schema_facts(transaction, schema);
}

std::vector<std::string>
schema_differences(const std::vector<schema_fact>& expected, const std::vector<schema_fact>& actual) {
  std::map<std::string, const schema_fact*> there;
  for (const auto& fact : actual)
    there[fact.object] = &fact;
  std::set<std::string> asked_for;
  std::set<std::string> tables;
  std::vector<std::string> differences;
  for (const auto& fact : expected) {
    asked_for.insert(fact.object);
    tables.insert(fact.table);
    const auto found = there.find(fact.object);
    if (found == there.end())
      differences.push_back(fact.object + ": missing; it should be " + fact.is);
    else if (in_plain_words(*found->second) != in_plain_words(fact))
      differences.push_back(fact.object + ": is " + found->second->is + "; it should be " + fact.is);
  }
  for (const auto& fact : actual)
    if (!fact.harmless && tables.contains(fact.table) && !asked_for.contains(fact.object))
      differences.push_back(fact.object + ": unknown to this program (" + fact.is + "); it should not be there");
  return differences;
}

std::string to_text(const std::vector<schema_fact>& facts) {
  std::string text;
  for (const auto& fact : facts)
    text += fact.object + ": " + fact.is + "\n";
  return text;
}

} // namespace levain
