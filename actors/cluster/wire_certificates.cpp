#include "actors/cluster/wire_certificates.hpp"

#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

#include <fmt/format.h>

#include <sys/mman.h>
#include <unistd.h>

namespace levain {

namespace {

file_descriptor copy_of(const std::string& name) {
  std::ifstream in(name, std::ios::binary);
  const std::string content(std::istreambuf_iterator<char>(in), {});
  if (!in || content.empty())
    throw bad_certificates(fmt::format("'{}' cannot be read", name));
  file_descriptor copy(memfd_create("levain-wire", MFD_CLOEXEC));
  if (!copy || write(copy.number(), content.data(), content.size()) != static_cast<ssize_t>(content.size()))
    throw std::system_error(errno, std::generic_category(), "a copy of '" + name + "'");
  return copy;
}

std::string name_of(const file_descriptor& copy) {
  return fmt::format("/proc/self/fd/{}", copy.number());
}

} // namespace

wire_certificates::wire_certificates(const wire_security& files) {
  check_security(files);
  if (!files.is_on())
    return;
  certificate_ = copy_of(files.certificate);
  key_ = copy_of(files.key);
  ca_ = copy_of(files.ca);
  copies_ = {name_of(certificate_), name_of(key_), name_of(ca_)};
  try {
    check_security(copies_);
  } catch (const bad_certificates&) {
    throw bad_certificates(fmt::format(
      "'{}', '{}' and '{}' were changed while they were read; start again", files.certificate, files.key, files.ca));
  }
}

} // namespace levain
