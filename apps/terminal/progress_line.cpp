#include "apps/terminal/progress_line.hpp"

#include <cstdio>
#include <unistd.h>

#include <fmt/format.h>

#include "apps/terminal/paint.hpp"

namespace levain::terminal {

namespace {

/// Faster than this nobody reads.
constexpr std::chrono::milliseconds between_shows{200};
/// Before so much time has passed a rate is chance.
constexpr duration rate_needs = std::chrono::milliseconds(500);

} // namespace

std::string progress_text(uint64_t done, uint64_t total, duration elapsed, const std::string& what) {
  const bool measured = elapsed >= rate_needs && done > 0;
  const auto rate = measured ? static_cast<double>(done) * 1e6 / static_cast<double>(elapsed.count()) : 0;
  auto text = total > done ? fmt::format("{} of about {} {}", done, total, what) : fmt::format("{} {}", done, what);
  if (measured)
    text += fmt::format(", {:.0f} a second", rate);
  if (measured && total > done)
    text += fmt::format(
      ", about {} left", span_text(duration(static_cast<int64_t>(static_cast<double>(total - done) * 1e6 / rate))));
  return text;
}

progress_line::progress_line(std::string what)
  : what_(std::move(what))
  , live_(::isatty(STDERR_FILENO) == 1)
  , began_(std::chrono::steady_clock::now()) {}

progress_line::~progress_line() {
  clear();
}

duration progress_line::elapsed() const {
  return std::chrono::duration_cast<duration>(std::chrono::steady_clock::now() - began_);
}

void progress_line::show(uint64_t done, uint64_t total, const std::string& more) {
  const auto now = std::chrono::steady_clock::now();
  if (!live_ || now - shown_at_ < between_shows)
    return;
  shown_at_ = now;
  shown_ = true;
  std::fputs(("\r" + progress_text(done, total, elapsed(), what_) + more + "\033[K").c_str(), stderr);
}

void progress_line::clear() {
  if (shown_)
    std::fputs("\r\033[K", stderr);
  shown_ = false;
}

} // namespace levain::terminal
