#include "actors/run_machine/plain_line.hpp"

namespace levain {

std::string plain_line(std::string_view text) {
  return plain_line(text, message_bytes_max);
}

call_failure plain_line(call_failure failure) {
  failure.message = plain_line(failure.message);
  return failure;
}

} // namespace levain
