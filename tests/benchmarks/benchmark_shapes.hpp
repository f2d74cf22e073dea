#pragma once

#include <benchmark/benchmark.h>

#include "tests/support/workflow_shapes.hpp"

namespace levain::test {

/// Workflows of about the same number of steps, for a benchmark's argument.
enum class shape : int64_t { chain, wide, dag };

/// Five steps in a row; five side by side and one that joins them; three layers of two.
inline workflow_ptr workflow_of(shape form) {
  switch (form) {
  case shape::chain:
    return chain(5);
  case shape::wide:
    return wide(5);
  case shape::dag:
    break;
  }
  return dag(3);
}

/// The shape that the first argument stands for; its name becomes the label.
inline workflow_ptr labelled_workflow(benchmark::State& state) {
  constexpr const char* names[] = {"chain", "wide", "dag"};
  state.SetLabel(names[state.range(0)]);
  return workflow_of(static_cast<shape>(state.range(0)));
}

/// Gives a benchmark each of the shapes.
inline void each_shape(benchmark::internal::Benchmark* of) {
  of->ArgName("shape")->DenseRange(static_cast<int64_t>(shape::chain), static_cast<int64_t>(shape::dag));
}

} // namespace levain::test
