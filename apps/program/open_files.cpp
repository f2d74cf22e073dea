#include "apps/program/open_files.hpp"

#include <algorithm>
#include <sys/resource.h>

namespace levain {

size_t allow_open_files(size_t wanted) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return 0;
  if (limit.rlim_cur >= wanted)
    return limit.rlim_cur;
  const auto before = limit.rlim_cur;
  limit.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
  return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : before;
}

} // namespace levain
