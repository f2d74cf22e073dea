#include "tests/support/writings.hpp"

#include <pqxx/pqxx>
#include <stdexcept>

namespace levain::test {

namespace {

// The last byte of a run's id folds into its shard.
constexpr const char* watch = R"(
create table writings (
  run_id uuid not null,
  seq integer not null,
  writer text not null,
  owner text,
  owner_id uuid,
  at timestamptz not null default clock_timestamp()
);

create function note_writing() returns trigger language plpgsql as $body$
begin
  insert into writings (run_id, seq, writer, owner, owner_id)
  select new.run_id, new.seq, session_user, nodes.name, shards.node
  from shards
  left join nodes on nodes.id = shards.node
  where shards.shard = get_byte(uuid_send(new.run_id), 15) & 63;
  return null;
end
$body$;

create trigger note_writing after insert on run_events for each row execute function note_writing();
)";

constexpr const char* owner_in_url = "levain@";

} // namespace

struct writings::impl {
  explicit impl(const std::string& given)
    : url(given) {
    pqxx::connection connection(url);
    pqxx::work work(connection);
    work.exec(watch);
    work.commit();
  }

  template <class... Values>
  pqxx::result ask(const char* statement, const Values&... values) {
    pqxx::connection connection(url);
    pqxx::nontransaction work(connection);
    return work.exec_params(statement, values...);
  }

  template <class... Values>
  std::vector<std::string> list(const char* statement, const Values&... values) {
    std::vector<std::string> all;
    for (const auto& row : ask(statement, values...))
      all.emplace_back(row[0].c_str());
    return all;
  }

  std::string url;
};

writings::writings(const std::string& database_url)
  : impl_(std::make_unique<impl>(database_url)) {}

writings::~writings() = default;

std::string writings::url_for(const std::string& role) {
  pqxx::connection connection(impl_->url);
  pqxx::nontransaction work(connection);
  work.exec("create role " + work.quote_name(role) + " superuser login");
  auto url = impl_->url;
  const auto place = url.find(owner_in_url);
  if (place == std::string::npos)
    throw std::runtime_error("no user '" + std::string(owner_in_url) + "' to replace in " + url);
  return url.replace(place, std::string(owner_in_url).size(), role + "@");
}

std::vector<std::string> writings::nodes_named(const std::string& name) {
  return impl_->list("select id from nodes where name = $1 order by started_at", name);
}

size_t writings::shards_of(const std::string& name) {
  return impl_
    ->ask("select count(*) from shards join nodes on nodes.id = shards.node where nodes.name = $1", name)[0][0]
    .as<size_t>();
}

std::string writings::now() {
  return impl_->ask("select clock_timestamp()")[0][0].c_str();
}

size_t writings::written_by(const std::string& role) {
  return impl_->ask("select count(*) from writings where writer = $1", role)[0][0].as<size_t>();
}

size_t writings::written_under(const std::string& node, const std::string& moment) {
  return impl_
    ->ask("select count(*) from writings where owner_id = $1::uuid and at > $2::timestamptz", node, moment)[0][0]
    .as<size_t>();
}

std::vector<std::string> writings::trespasses() {
  return impl_->list(R"(
    select
      'event ' || seq || ' of run ' || run_id || ' was written at ' || at || ' by ' || writer || ', the owner was '
      || coalesce(owner, 'nobody')
    from writings
    where writer is distinct from owner
    limit 100)");
}

} // namespace levain::test
