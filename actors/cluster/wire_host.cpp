#include "actors/cluster/wire_host.hpp"

#include <array>
#include <unistd.h>

#include "actors/cluster/wire_limits.hpp"

namespace levain {

std::string host_name() {
  std::array<char, wire_host_bytes_max + 1> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

} // namespace levain
