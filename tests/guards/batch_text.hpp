#pragma once

#include <cstddef>
#include <vector>

#include "persistence/journal.hpp"

namespace levain::test {

/// Does all that is done for a batch before PostgreSQL has it: looks for what cannot be sent, and writes the parameters
/// of its statements. Gives the number of bytes that would be sent.
size_t write_batch_text(const std::vector<run_append>& batch);

} // namespace levain::test
