#include "apps/terminal/screen.hpp"

#include <sys/ioctl.h>
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
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

} // namespace levain::terminal
