#include "tests/guards/allocation_count.hpp"

#include <cstdlib>
#include <new>

namespace {

thread_local uint64_t count = 0;

void* allocate(std::size_t bytes) {
  ++count;
  if (void* memory = std::malloc(bytes > 0 ? bytes : 1))
    return memory;
  throw std::bad_alloc();
}

void* allocate_aligned(std::size_t bytes, std::align_val_t alignment) {
  ++count;
  const auto step = static_cast<std::size_t>(alignment);
  // What `aligned_alloc` asks for: a whole number of steps.
  if (void* memory = std::aligned_alloc(step, (bytes + step - 1) / step * step))
    return memory;
  throw std::bad_alloc();
}

} // namespace

// The forms for arrays and those that do not throw call these.
void* operator new(std::size_t bytes) {
  return allocate(bytes);
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return allocate_aligned(bytes, alignment);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

namespace levain::test {

uint64_t allocations_of_this_thread() {
  return count;
}

} // namespace levain::test
