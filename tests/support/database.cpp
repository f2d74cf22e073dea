#include "tests/support/database.hpp"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <pqxx/pqxx>
#include <stdexcept>
#include <unistd.h>

#include "persistence/embedded_postgres.hpp"
#include "persistence/migrator.hpp"

namespace levain::test {

namespace fs = std::filesystem;

namespace {

constexpr const char* folder_prefix = "levain-test-";
/// A folder younger than this may belong to a test program that has not locked it yet.
constexpr auto leftover_age_min = std::chrono::minutes(10);

/// The same server, another database: in a URL by its path, in `name=value` form by the last `dbname`.
std::string with_database(const std::string& url, const std::string& name) {
  const auto scheme = url.find("://");
  if (scheme == std::string::npos)
    return url + " dbname=" + name;
  const auto query = std::min(url.find('?'), url.size());
  const auto slash = std::min(url.find('/', scheme + 3), query);
  return url.substr(0, slash) + "/" + name + url.substr(query);
}

bool in_use(const fs::path& folder) {
  try {
    embedded_postgres_url(folder);
    return true;
  } catch (const embedded_postgres_error&) {
    return false;
  }
}

/// Folders of test programs that were killed before they could remove them.
void remove_leftovers() {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(fs::temp_directory_path(), ignored)) {
    const auto age = fs::file_time_type::clock::now() - entry.last_write_time(ignored);
    if (entry.path().filename().string().starts_with(folder_prefix) && age > leftover_age_min && !in_use(entry.path()))
      fs::remove_all(entry.path(), ignored);
  }
}

/// The one server of this test program, started when the first test asks and removed at the end of the program.
class test_server {
public:
  static test_server& instance() {
    static test_server server;
    return server;
  }

  test_server(const test_server&) = delete;
  test_server& operator=(const test_server&) = delete;

  ~test_server() {
    try {
      if (!template_.empty())
        drop(template_);
    } catch (const std::exception& error) {
      std::cerr << "cannot drop " << template_ << ": " << error.what() << '\n';
    }
    own_server_.reset();
    std::error_code ignored;
    if (!folder_.empty())
      fs::remove_all(folder_, ignored);
  }

  std::string url(const std::string& database) const { return with_database(admin_url_, database); }

  std::string create(fresh_database::contents initial) {
    const std::lock_guard guard(mutex_);
    auto name = "levain_test_" + std::to_string(getpid()) + "_" + std::to_string(++created_);
    if (initial == fresh_database::contents::nothing) {
      create_from(name, "template0");
    } else {
      make_template();
      create_from(name, template_);
    }
    return name;
  }

  void drop(const std::string& database) {
    pqxx::connection connection(admin_url_);
    pqxx::nontransaction work(connection);
    work.exec0("drop database if exists " + work.quote_name(database) + " with (force)");
  }

private:
  test_server() {
    if (const char* given = std::getenv("LEVAIN_TEST_DATABASE"); given != nullptr && *given != '\0') {
      admin_url_ = given;
      return;
    }
    remove_leftovers();
    auto pattern = (fs::temp_directory_path() / (std::string(folder_prefix) + "XXXXXX")).string();
    if (mkdtemp(pattern.data()) == nullptr)
      throw std::runtime_error("cannot make a temporary folder " + pattern);
    folder_ = pattern;
    if (geteuid() == 0) // The server runs as another user then.
      fs::permissions(folder_, fs::perms(0755));
    embedded_postgres_options options;
    options.directory = folder_;
    options.volatile_for_tests = true;
    own_server_ = embedded_postgres::start(options);
    admin_url_ = own_server_->url();
  }

  void create_from(const std::string& name, const std::string& origin) {
    pqxx::connection connection(admin_url_);
    pqxx::nontransaction work(connection);
    work.exec0("create database " + work.quote_name(name) + " template " + work.quote_name(origin));
  }

  /// Migrating costs more than copying: one database is migrated, the tests get copies.
  void make_template() {
    if (!template_.empty())
      return;
    const auto name = "levain_template_" + std::to_string(getpid());
    create_from(name, "template0");
    template_ = name;
    migrate_up(url(name));
  }

  std::mutex mutex_;
  fs::path folder_;
  std::unique_ptr<embedded_postgres> own_server_;
  std::string admin_url_;
  std::string template_;
  int created_ = 0;
};

} // namespace

fresh_database::fresh_database(contents initial)
  : name_(test_server::instance().create(initial))
  , url_(test_server::instance().url(name_)) {}

fresh_database::~fresh_database() {
  try {
    test_server::instance().drop(name_);
  } catch (const std::exception& error) {
    // A test may have stopped the server on purpose; the folder goes with the program anyway.
    std::cerr << "cannot drop " << name_ << ": " << error.what() << '\n';
  }
}

} // namespace levain::test
