#include "persistence/directory_lock.hpp"

#include <cerrno>
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace levain {

namespace {

struct flock whole_file(short type) {
  struct flock lock = {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

} // namespace

std::optional<directory_lock> directory_lock::acquire(const std::filesystem::path& directory) {
  const auto path = directory / file_name;
  file_descriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file)
    throw std::system_error(errno, std::generic_category(), path.string());
  // Who may read it may lock it for reading, and so keep every program out. An older program made it for all to read.
  if (fchmod(file.number(), 0600) != 0)
    throw std::system_error(errno, std::generic_category(), path.string());
  // A lock of the open file, not of the process: a second holder in this program is refused as well, and it can be
  // tested without taking it.
  auto lock = whole_file(F_WRLCK);
  if (fcntl(file.number(), F_OFD_SETLK, &lock) != 0)
    return std::nullopt;
  const auto text = std::to_string(getpid()) + "\n";
  if (ftruncate(file.number(), 0) != 0 || pwrite(file.number(), text.data(), text.size(), 0) < 0)
    throw std::system_error(errno, std::generic_category(), path.string());
  return directory_lock(std::move(file));
}

bool directory_lock::held(const std::filesystem::path& directory) {
  const file_descriptor file(open((directory / file_name).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  auto lock = whole_file(F_RDLCK);
  return file && fcntl(file.number(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

std::string directory_lock::holder(const std::filesystem::path& directory) {
  std::string process;
  std::ifstream(directory / file_name) >> process;
  if (process.empty())
    return "another program";
  std::string name;
  std::ifstream("/proc/" + process + "/comm") >> name;
  return "process " + process + (name.empty() ? "" : " (" + name + ")");
}

} // namespace levain
