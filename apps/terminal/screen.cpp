#include "apps/terminal/screen.hpp"

#include <cerrno>
#include <cstdio>
#include <sys/ioctl.h>
#include <system_error>
#include <unistd.h>

namespace levain::terminal {

screen screen::standard_output() {
  screen out{paint::of(STDOUT_FILENO), width_default, ::isatty(STDOUT_FILENO) == 1};
  winsize size{};
  if (out.live && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    out.width = size.ws_col;
  return out;
}

void print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0)
    return;
  // Who reads no further, as `head` does, has what it wanted.
  if (errno != EPIPE)
    throw std::system_error(errno, std::generic_category(), "standard output");
}

} // namespace levain::terminal
