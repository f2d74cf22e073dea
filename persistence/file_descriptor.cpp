#include "persistence/file_descriptor.hpp"

#include <cerrno>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>

namespace levain {

void file_descriptor::close() {
  if (number_ >= 0)
    ::close(std::exchange(number_, -1));
}

pipe_ends open_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    throw std::system_error(errno, std::generic_category(), "pipe");
  return {file_descriptor(ends[0]), file_descriptor(ends[1])};
}

} // namespace levain
