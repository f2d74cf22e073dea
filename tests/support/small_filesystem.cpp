#include "tests/support/small_filesystem.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sched.h>
#include <string>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

#include "persistence/spawn.hpp"

namespace levain::test {

namespace fs = std::filesystem;

namespace {

constexpr const char* ballast = "ballast";

/// A view of the file systems of our own, so that a mount ends with us.
bool leave_common_view() {
  return unshare(CLONE_NEWNS) == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

} // namespace

bool small_filesystem::possible() {
  const pid_t child = fork();
  if (child == 0)
    _exit(leave_common_view() && mount("tmpfs", "/tmp", "tmpfs", 0, "size=1m") == 0 ? 0 : 1);
  int status = 0;
  return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

small_filesystem::small_filesystem(fs::path folder, size_t bytes)
  : folder_(std::move(folder)) {
  static const bool left = leave_common_view();
  struct stat before = {};
  if (!left || stat(folder_.c_str(), &before) != 0)
    fail("cannot mount on " + folder_.string());
  const auto settings = "size=" + std::to_string(bytes);
  if (mount("tmpfs", folder_.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, settings.c_str()) != 0)
    fail("mount " + folder_.string());
  if (chown(folder_.c_str(), before.st_uid, before.st_gid) != 0 || chmod(folder_.c_str(), before.st_mode & 07777) != 0)
    fail("chown " + folder_.string());
}

small_filesystem::~small_filesystem() {
  umount2(folder_.c_str(), MNT_DETACH);
}

void small_filesystem::fill() {
  const auto file = folder_ / ballast;
  const file_descriptor out(open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!out)
    fail("open " + file.string());
  const std::array<char, 4096> zeros{};
  while (write(out.number(), zeros.data(), zeros.size()) > 0) {
  }
  if (errno != ENOSPC)
    fail("write " + file.string());
}

void small_filesystem::make_room() {
  fs::remove(folder_ / ballast);
}

} // namespace levain::test
