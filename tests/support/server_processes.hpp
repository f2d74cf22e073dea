#pragma once

#include <cstddef>
#include <optional>
#include <sys/types.h>

namespace levain::test {

/// Lets a server and its processes write no file beyond `bytes`, as a quota would; nothing: lifts that. Needs no rights
/// but those of the server's account, and leaves processes alone that end meanwhile. Throws `std::runtime_error` with
/// what went wrong.
void limit_file_size(pid_t server, std::optional<size_t> bytes);

} // namespace levain::test
