#pragma once

#include <string>

namespace levain::test {

/// A database of its own for one test, dropped at the end, on a PostgreSQL that the test program starts once for itself
/// (unix socket, temporary folder). `LEVAIN_TEST_DATABASE` may name another server (a URL with the right to create
/// databases).
class fresh_database {
public:
  /// What the database holds at first.
  enum class contents { nothing, migrated };

  explicit fresh_database(contents initial = contents::migrated);
  ~fresh_database();
  fresh_database(const fresh_database&) = delete;
  fresh_database& operator=(const fresh_database&) = delete;

  const std::string& url() const { return url_; }

private:
  std::string name_;
  std::string url_;
};

} // namespace levain::test
