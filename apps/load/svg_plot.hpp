#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace levain::load {

/// How an axis places its values.
enum class axis_scale : uint8_t {
  linear,
  /// Values that are zero or less stand at the lower end.
  logarithmic,
  /// For shares of one below which something lies: as far from 0.9 to 0.99 as from 0.99 to 0.999.
  quantile,
};

struct plot_axis {
  std::string name;
  axis_scale scale = axis_scale::linear;
};

/// One curve, or the outline of a histogram.
struct plot_series {
  /// For the legend.
  std::string name;
  /// By x.
  std::vector<std::pair<double, double>> points;
  /// Which of the page's colours, from 0.
  size_t colour = 0;
  bool dashed = false;
  /// Fills what is below.
  bool filled = false;
  /// Goes from value to value in steps: each point says how high it is from the point before it.
  bool steps = false;
};

struct plot {
  std::string title;
  plot_axis x;
  plot_axis y;
  std::vector<plot_series> series;
};

/// The plot as an SVG element that scales with the page; colours come from the page's style sheet (see
/// html_report.cpp). A sentence stands in its place when there is nothing to be drawn. All texts are made safe.
std::string svg_plot(const plot& drawn);

/// Values at which an axis from `low` to `high` is marked: 1, 2 or 5 times a power of ten apart, `wanted` or fewer.
/// Requires `low < high`.
std::vector<double> axis_marks(double low, double high, size_t wanted);

/// A number for people, of three digits or so: `950`, `1.5k`, `12M`, `0.25`.
std::string short_number(double value);

} // namespace levain::load
