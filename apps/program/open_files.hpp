#pragma once

#include <cstddef>

namespace levain {

/// Raises the number of files that this process may have open to `wanted`, as far as the system lets it; never lowers
/// it. Answers the number that holds from now on. Before any other thread begins.
size_t allow_open_files(size_t wanted);

} // namespace levain
