#include "apps/bakery/json_lines.hpp"

#include <cerrno>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/core.h>

namespace levain::bakery {

namespace {

[[noreturn]] void fail(const std::filesystem::path& path, std::string_view what) {
  throw std::system_error(errno, std::generic_category(), fmt::format("cannot {} {}", what, path.string()));
}

std::string read_all(int file, const std::filesystem::path& path) {
  std::string text;
  std::string block(1 << 16, '\0');
  while (true) {
    auto got = ::read(file, block.data(), block.size());
    if (got < 0 && errno != EINTR)
      fail(path, "read");
    if (got == 0)
      return text;
    if (got > 0)
      text.append(block, 0, size_t(got));
  }
}

} // namespace

json_lines::json_lines(std::filesystem::path path, const std::function<void(nlohmann::json)>& each)
  : path_(std::move(path)) {
  file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file_ < 0)
    fail(path_, "open");
  try {
    load(each);
  } catch (...) {
    ::close(file_);
    throw;
  }
}

json_lines::~json_lines() {
  ::close(file_);
}

void json_lines::load(const std::function<void(nlohmann::json)>& each) {
  auto text = read_all(file_, path_);
  size_t begin = 0;
  for (int number = 1; begin < text.size(); ++number) {
    auto end = text.find('\n', begin);
    if (end == text.npos) {
      // Nobody was told of it: answers leave only after their line is whole.
      if (::ftruncate(file_, off_t(begin)) != 0)
        fail(path_, "shorten");
      return;
    }
    auto value = nlohmann::json::parse(text.begin() + long(begin), text.begin() + long(end), nullptr, false);
    if (value.is_discarded())
      throw std::runtime_error(fmt::format("{} line {} is not JSON", path_.string(), number));
    try {
      each(std::move(value));
    } catch (const std::exception& wrong) {
      throw std::runtime_error(fmt::format("{} line {}: {}", path_.string(), number, wrong.what()));
    }
    begin = end + 1;
  }
}

void json_lines::add(const nlohmann::json& value) {
  gathered_ += value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  gathered_ += '\n';
}

void json_lines::write(bool durable) {
  if (gathered_.empty())
    return;
  for (size_t done = 0; done < gathered_.size();) {
    auto put = ::write(file_, gathered_.data() + done, gathered_.size() - done);
    if (put < 0 && errno != EINTR)
      fail(path_, "write");
    done += put > 0 ? size_t(put) : 0;
  }
  gathered_.clear();
  if (durable && ::fdatasync(file_) != 0)
    fail(path_, "sync");
}

} // namespace levain::bakery
