#pragma once

#include <optional>
#include <string>

namespace levain::test {

/// What a figure is compared with, as `tests/guards/recorded.json` has it.
struct recorded_figure {
  /// The figure on this build; absent where nobody recorded it on such a build.
  std::optional<double> recorded;
  /// How far what is measured may be from it, to either side.
  double tolerance_percent = 0;
};

enum class figure_verdict { kept, worse, better, not_recorded };

/// Less is better for every figure.
figure_verdict judge(const recorded_figure& figure, double measured);

/// True when what was measured is so near to what is recorded that recording it anew would only write down chance.
bool is_as_recorded(recorded_figure figure, double measured);

/// Compares what was measured with what is recorded under this name, prints both, and fails the test when they differ
/// by more than the tolerance: upwards, because the engine has become slower; downwards, so that a gain is recorded and
/// kept. With `LEVAIN_UPDATE_GOLDEN=1` what was measured is recorded instead, unless it is as recorded already. A name
/// that the file does not have fails the test; a build that it has no figure for is told and passed over. Programs may
/// do this at the same time.
void check_figure(const std::string& name, double measured);

} // namespace levain::test
