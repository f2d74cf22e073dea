#include "apps/certificates/try_out_certificates.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <set>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "apps/certificates/signed_certificate.hpp"
#include "apps/client/exit_status.hpp"

namespace levain {

namespace {

namespace fs = std::filesystem;

constexpr std::chrono::days valid_max{3650};
/// The clocks of those who check it may be behind by so much.
constexpr std::chrono::minutes clock_difference_max{5};
/// Of a node's name, as the common name of a certificate has it (RFC 5280, A.1).
constexpr size_t name_characters_max = 64;

constexpr mode_t for_everybody = 0644;
constexpr mode_t for_the_owner = 0600;
constexpr fs::perms directory_for_the_owner = fs::perms::owner_all;

bool is_name(const std::string& text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  };
  return !text.empty() && text.size() <= name_characters_max && text.front() != '.' && text.front() != '-' &&
         std::all_of(text.begin(), text.end(), fits);
}

void check(const certificates_wanted& wanted) {
  const auto refuse = [](const std::string& sentence) {
    throw command_failed(exit_status::wrong_command_line, sentence);
  };
  if (wanted.directory.empty())
    refuse("which directory? Give a name for it");
  if (wanted.valid < std::chrono::days(1) || wanted.valid > valid_max)
    refuse(fmt::format("--days is {}: must be from 1 to {}", wanted.valid.count(), valid_max.count()));
  std::set<std::string> seen{"ca", "worker"};
  for (const auto& each : wanted.nodes) {
    if (!is_name(each))
      refuse(fmt::format(
        "--node is '{}': must be letters, digits, '-' and '.', a letter or digit first, at most {} characters", each,
        name_characters_max));
    if (!seen.insert(each).second)
      refuse(fmt::format("--node is '{}': that name is taken by another certificate", each));
  }
}

struct named_file {
  fs::path path;
  std::string text;
  mode_t mode = for_everybody;
};

/// Never over a file that is there, nor through a link.
void write(const named_file& file) {
  const auto fail = [&](const char* what) {
    throw command_failed(
      exit_status::failed, fmt::format("'{}' cannot be {}: {}", file.path.string(), what, std::strerror(errno)));
  };
  const int to = ::open(file.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, file.mode);
  if (to < 0)
    fail("made");
  const auto written = ::write(to, file.text.data(), file.text.size());
  const bool whole = written == static_cast<ssize_t>(file.text.size());
  if (::close(to) != 0 || !whole) {
    ::unlink(file.path.c_str());
    fail("written");
  }
}

void write_all(const std::vector<named_file>& files) {
  std::vector<fs::path> written;
  try {
    for (const auto& each : files) {
      write(each);
      written.push_back(each.path);
    }
  } catch (...) {
    for (const auto& each : written)
      ::unlink(each.c_str());
    throw;
  }
}

void make_directory(const fs::path& directory) {
  std::error_code error;
  if (fs::create_directory(directory, error))
    fs::permissions(directory, directory_for_the_owner, error);
  if (error || !fs::is_directory(directory))
    throw command_failed(
      exit_status::failed, fmt::format(
                             "the directory '{}' cannot be made: {}", directory.string(),
                             error ? error.message() : "there is a file of that name"));
}

} // namespace

std::vector<std::string> make_certificates(const certificates_wanted& wanted) {
  check(wanted);
  const fs::path directory(wanted.directory);
  make_directory(directory);
  const validity when{wanted.at - clock_difference_max, wanted.at + wanted.valid};
  std::vector<named_file> files;
  const auto add = [&](const std::string& name, const signed_certificate& made) {
    files.push_back({directory / (name + ".pem"), made.certificate_text(), for_everybody});
    files.push_back({directory / (name + ".key"), made.key_text(), for_the_owner});
  };
  const auto ca = make_ca(when);
  add("ca", ca);
  for (const auto& each : wanted.nodes)
    add(each, make_signed(each, certificate_use::node, when, ca));
  add("worker", make_signed("worker", certificate_use::worker, when, ca));
  for (const auto& each : files)
    if (fs::exists(fs::symlink_status(each.path)))
      throw command_failed(
        exit_status::failed,
        fmt::format("'{}' is there already and is not overwritten; take another directory", each.path.string()));
  write_all(files);
  std::vector<std::string> paths;
  for (const auto& each : files)
    paths.push_back(each.path.string());
  return paths;
}

} // namespace levain
