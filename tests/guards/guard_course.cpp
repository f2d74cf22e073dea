// Takes runs of five strict steps through the run machine, the codec of events and the text of batches, without actors
// and without a database, so that what a run costs can be counted: its allocations here, its instructions by callgrind.
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "tests/guards/allocation_count.hpp"
#include "tests/guards/batch_text.hpp"
#include "tests/guards/run_course.hpp"
#include "tests/support/workflow_shapes.hpp"

using namespace levain;

/// Callgrind counts inside of it: it is known by this name there. Gives the bytes of the batches.
extern "C" [[gnu::noinline]] size_t guard_course_counted(const workflow_ptr& workflow, size_t runs) {
  size_t bytes = 0;
  for (const auto& batch : test::take_courses(workflow, runs, test::shape_output))
    bytes += test::write_batch_text(batch);
  return bytes;
}

namespace {

size_t course_once(const workflow_ptr& workflow) {
  size_t bytes = 0;
  for (const auto& batch : test::take_courses(workflow, 1, test::shape_output))
    bytes += test::write_batch_text(batch);
  return bytes;
}

} // namespace

int main(int argc, char** argv) {
  constexpr long runs_max = 100'000;
  const long runs = argc == 2 ? std::strtol(argv[1], nullptr, 10) : 0;
  if (runs < 1 || runs > runs_max) {
    std::fprintf(
      stderr, "guard_course: RUNS is '%s': must be a whole number from 1 to %ld\n", argc > 1 ? argv[1] : "", runs_max);
    return 2;
  }
  try {
    const auto workflow = test::chain(5);
    // What is done once in a program's life is not the runs'.
    const size_t first = course_once(workflow);
    const auto before = test::allocations_of_this_thread();
    const size_t bytes = guard_course_counted(workflow, static_cast<size_t>(runs));
    const auto allocations = test::allocations_of_this_thread() - before;
    std::printf(
      "{\"runs\": %ld, \"bytes\": %zu, \"bytes_alone\": %zu, \"allocations\": %llu}\n", runs, bytes, first,
      static_cast<unsigned long long>(allocations));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "guard_course: %s\n", error.what());
    return 1;
  }
}
