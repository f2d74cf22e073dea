// What libFuzzer calls. A fuzz program holds one target.
#include <cstdint>

#include "tests/fuzz/fuzz_target.hpp"

// The name is libFuzzer's. NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  levain::test::fuzz_targets().front().run({reinterpret_cast<const char*>(bytes), size});
  return 0;
}
