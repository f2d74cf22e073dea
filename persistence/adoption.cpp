#include "persistence/adoption.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "persistence/adoption_notice.hpp"
#include "persistence/migrator.hpp"
#include "persistence/schema_facts.hpp"
#include "persistence/schema_session.hpp"

namespace levain {

namespace {

constexpr const char* audit_table = "orchestration_runs";
constexpr std::string_view second_fragment = "column orchestration_runs.ai_insights_";
constexpr std::string_view any_column = "column orchestration_runs.";

// The second fragment, to the letter of 001. Defaults that are constants rewrite no row.
constexpr const char* add_second_fragment = R"(
  alter table orchestration_runs
    add column ai_insights_started_at timestamp,
    add column ai_insights_completed_at timestamp,
    add column ai_insights_status varchar(20),
    add column ai_insights_error text,
    add column ai_insights_generated integer not null default 0,
    add column ai_insights_posted integer not null default 0)";

constexpr const char* find_audit_tables = R"(
  select path.name
  from unnest(current_schemas(false)) with ordinality as path (name, place)
  join pg_namespace as schema on schema.nspname = path.name
  join pg_class as found on found.relnamespace = schema.oid
  where found.relname = 'orchestration_runs'
    and found.relkind in ('r', 'p', 'v', 'f')
  order by path.place)";

bool is_of_second_fragment(const schema_fact& fact) {
  return fact.object.starts_with(second_fragment);
}

/// `uuid not null default gen_random_uuid()`, taken apart.
struct column_form {
  std::string type;
  bool not_null = false;
  std::string default_value;
};

column_form form_of(std::string is) {
  constexpr std::string_view before_default = " default ";
  constexpr std::string_view not_null = " not null";
  column_form form;
  if (const auto at = is.find(before_default); at != std::string::npos) {
    form.default_value = is.substr(at + before_default.size());
    is.resize(at);
  }
  if (is.ends_with(not_null)) {
    form.not_null = true;
    is.resize(is.size() - not_null.size());
  }
  form.type = std::move(is);
  return form;
}

/// The SQL that makes of what is there (nothing: it is missing) what `expected` says; empty where a person has to
/// decide.
std::vector<std::string> remedies(const schema_fact& expected, const schema_fact* there) {
  if (!expected.object.starts_with(any_column)) {
    if (there == nullptr && expected.object.starts_with("index "))
      return {expected.is};
    return {};
  }
  const auto name = expected.object.substr(any_column.size());
  const std::string alter = std::string("alter table ") + audit_table;
  if (there == nullptr)
    return {alter + " add column " + name + ' ' + expected.is};
  const auto right = form_of(expected.is);
  const auto now = form_of(there->is);
  std::vector<std::string> found;
  if (right.type != now.type)
    found.push_back(alter + " alter column " + name + " type " + right.type);
  if (right.default_value != now.default_value)
    found.push_back(
      alter + " alter column " + name +
      (right.default_value.empty() ? " drop default" : " set default " + right.default_value));
  if (right.not_null != now.not_null)
    found.push_back(alter + " alter column " + name + (right.not_null ? " set not null" : " drop not null"));
  return found;
}

/// Whether nothing but a default is missing: adding it changes no row.
bool lacks_only_default(const schema_fact& expected, const schema_fact& there) {
  const auto right = form_of(expected.is);
  const auto now = form_of(there.is);
  return !right.default_value.empty() && now.default_value.empty() && now.not_null == right.not_null &&
         schema_differences(
           {{expected.object, expected.table, right.type}}, {{expected.object, expected.table, now.type}})
           .empty();
}

std::string
remedies_text(const std::vector<schema_fact>& expected, const std::map<std::string, const schema_fact*>& there) {
  std::string text;
  for (const auto& fact : expected) {
    const auto found = there.find(fact.object);
    const auto* now = found == there.end() ? nullptr : found->second;
    if (now != nullptr && schema_differences({fact}, {*now}).empty())
      continue;
    for (const auto& each : remedies(fact, now))
      text += "\n  " + each + ';';
  }
  return text.empty() ? text : "\nSQL that mends them, to be read before it is run:" + text;
}

/// Refuses a table that the unqualified name would not mean once ours are made.
void expect_one_place(pqxx::transaction_base& transaction, const std::string& schema) {
  std::vector<std::string> places;
  for (const auto& row : transaction.exec(find_audit_tables))
    places.emplace_back(row[0].c_str());
  if (places.empty() || (places.size() == 1 && places.front() == schema))
    return;
  std::string names;
  for (const auto& each : places)
    names += (names.empty() ? "" : " and ") + each + '.' + audit_table;
  throw migration_error(
    "this database has " + names + ", and the connection's search_path makes new tables in schema " + schema +
    "; nothing was changed. Connect with a search_path that names the schema of the one to adopt first and no other "
    "that has one, such as options=-csearch_path%3D" +
    places.back() + " in the URL");
}

adoption_plan
assess(pqxx::connection& connection, const embedded_migration& initial, const std::vector<schema_fact>& actual) {
  adoption_plan plan;
  const auto is_audit_table = [](const schema_fact& fact) { return fact.table == audit_table; };
  plan.found = std::any_of(actual.begin(), actual.end(), is_audit_table);
  if (!plan.found)
    return plan;
  auto expected = expected_schema_facts(connection, {initial});
  std::map<std::string, const schema_fact*> there;
  for (const auto& fact : actual)
    there[fact.object] = &fact;

  const bool first_fragment = std::none_of(actual.begin(), actual.end(), is_of_second_fragment);
  auto compared = expected;
  if (first_fragment) {
    std::erase_if(compared, is_of_second_fragment);
    plan.statements.emplace_back(add_second_fragment);
  }
  size_t defaults = 0;
  std::erase_if(compared, [&](const schema_fact& fact) {
    const auto now = there.find(fact.object);
    if (!fact.object.starts_with(any_column) || now == there.end() || !lacks_only_default(fact, *now->second))
      return false;
    ++defaults;
    const auto name = fact.object.substr(any_column.size());
    plan.statements.push_back(
      "alter table orchestration_runs alter column " + name + " set default " + form_of(fact.is).default_value);
    return true;
  });
  // A column whose default is added is no stranger, but it is not compared either.
  auto strangers = actual;
  std::erase_if(strangers, [&](const schema_fact& fact) {
    const auto known = [&](const schema_fact& each) { return each.object == fact.object; };
    return std::any_of(expected.begin(), expected.end(), known) &&
           std::none_of(compared.begin(), compared.end(), known);
  });
  const auto differences = schema_differences(compared, strangers);
  if (differences.empty()) {
    plan.state = first_fragment ? "without the ai_insights columns, which were added" : "complete";
    if (defaults > 0)
      plan.state += std::string(first_fragment ? ", and" : " but") + " without " + std::to_string(defaults) +
                    (defaults == 1 ? " default, which was added" : " defaults, which were added");
    return plan;
  }
  std::string reason = "this database has a table orchestration_runs that " + std::string(initial.name) +
                       " did not make and that differs from it; nothing was changed. Differences:";
  const auto all = schema_differences(expected, actual);
  for (const auto& difference : all)
    reason += "\n  " + difference;
  throw migration_error(reason + remedies_text(expected, there));
}

} // namespace

adoption_plan assess_adoption(pqxx::connection& connection, const embedded_migration& initial) {
  std::vector<schema_fact> actual;
  {
    pqxx::work transaction(connection, "assess_adoption");
    const auto schema = current_schema(transaction);
    expect_one_place(transaction, schema);
    actual = read_schema_facts(transaction, schema);
  }
  return assess(connection, initial, actual);
}

std::string describe_adoption(pqxx::connection& connection, const embedded_migration& initial) {
  try {
    const auto plan = assess_adoption(connection, initial);
    if (!plan.found)
      return {};
    return "there is an orchestration_runs of an older system (" + plan.state.substr(0, plan.state.find(',')) +
           "): levain migrate up adopts it";
  } catch (const migration_error& refused) {
    const std::string reason = refused.what();
    return "there is an orchestration_runs that cannot be adopted as it is: levain migrate up --dry-run says why: " +
           reason.substr(0, reason.find(';'));
  }
}

std::string adoption_notice(const std::string& url) {
  std::string notice;
  in_schema_session(url, schema_lock_timeout, [&](pqxx::connection& connection) {
    {
      pqxx::nontransaction session(connection, "adoption_notice");
      if (session.exec1("select to_regclass('levain_migrations') is not null")[0].as<bool>())
        return;
    }
    notice = describe_adoption(connection, embedded_migrations().front());
  });
  return notice;
}

} // namespace levain
