#include "tests/support/temporary_folder.hpp"

#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <system_error>

namespace levain::test {

namespace fs = std::filesystem;

namespace {

constexpr auto removal_limit = std::chrono::seconds(10);

} // namespace

temporary_folder::temporary_folder() {
  auto pattern = (fs::temp_directory_path() / "levain-fault-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr)
    throw std::runtime_error("cannot make a temporary folder " + pattern);
  path_ = pattern;
  fs::permissions(path_, fs::perms(0755));
}

temporary_folder::~temporary_folder() {
  // The PostgreSQL of a daemon that was killed may be writing its last words still.
  const auto deadline = std::chrono::steady_clock::now() + removal_limit;
  std::error_code failure;
  do
    fs::remove_all(path_, failure);
  while (failure && std::chrono::steady_clock::now() < deadline);
}

} // namespace levain::test
