#include "apps/load/svg_plot.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <limits>

#include <fmt/format.h>

#include "apps/load/html_text.hpp"

namespace levain::load {

namespace {

// In the units of the drawing; narrow, so that letters stay legible on a telephone.
constexpr double width = 460;
constexpr double height = 250;
constexpr double left = 46;
constexpr double right = 12;
constexpr double top = 26;
constexpr double bottom = 36;
constexpr double legend_height = 16;

constexpr size_t marks_wanted = 6;
/// Fewer marks say little of an axis.
constexpr size_t marks_least = 3;
/// A quantile nearer to one than this stands where this one stands.
constexpr double quantile_rest_min = 1e-6;

/// Where a value stands on its axis before it is scaled to the drawing.
double placed(axis_scale scale, double value, double least) {
  if (scale == axis_scale::logarithmic)
    return std::log10(std::max(value, least));
  if (scale == axis_scale::quantile)
    return -std::log10(std::max(1 - value, quantile_rest_min));
  return value;
}

/// One axis with its span.
struct ruler {
  axis_scale scale = axis_scale::linear;
  /// The least positive value, for logarithms.
  double least = 1;
  double low = 0;
  double high = 1;

  double place(double value) const { return (placed(scale, value, least) - low) / (high - low); }
};

ruler ruler_of(const plot& drawn, bool is_x) {
  const auto& axis = is_x ? drawn.x : drawn.y;
  ruler made;
  made.scale = axis.scale;
  constexpr double none = std::numeric_limits<double>::infinity();
  double least = none;
  double low = none;
  double high = -none;
  for (const auto& series : drawn.series)
    for (const auto& point : series.points) {
      const double value = is_x ? point.first : point.second;
      if (value > 0)
        least = std::min(least, value);
      low = std::min(low, value);
      high = std::max(high, value);
    }
  made.least = least == none ? 1 : least;
  if (axis.scale == axis_scale::linear) {
    made.low = is_x ? std::min(low, 0.0) : 0;
    made.high = is_x ? high : high * 1.08;
  } else if (axis.scale == axis_scale::quantile) {
    made.low = 0;
    made.high = std::max(placed(axis.scale, std::min(high, 1.0), 0), 2.0);
  } else {
    made.low = placed(axis.scale, made.least, made.least);
    made.high = placed(axis.scale, high, made.least);
    // Room for a curve that has one value only.
    const double more = std::max((made.high - made.low) * 0.04, made.high - made.low < 0.1 ? 0.3 : 0.02);
    made.low -= more;
    made.high += more;
  }
  if (!(made.high > made.low))
    made.high = made.low + 1;
  return made;
}

std::vector<double> marks_of(const ruler& axis) {
  if (axis.scale == axis_scale::linear)
    return axis_marks(axis.low, axis.high, marks_wanted);
  std::vector<double> marks;
  if (axis.scale == axis_scale::quantile) {
    for (const double each : {0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999})
      if (placed(axis.scale, each, 0) <= axis.high)
        marks.push_back(each);
    return marks;
  }
  const auto with_factors = [&axis](std::initializer_list<double> factors) {
    std::vector<double> found;
    for (double decade = std::floor(axis.low); decade <= axis.high; ++decade)
      for (const double factor : factors) {
        const double at = decade + std::log10(factor);
        if (at >= axis.low && at <= axis.high)
          found.push_back(std::pow(10, decade) * factor);
      }
    return found;
  };
  marks = with_factors({1});
  if (marks.size() < marks_least)
    marks = with_factors({1, 2, 5});
  // Less than a decade.
  if (marks.size() < marks_least)
    marks = axis_marks(std::pow(10, axis.low), std::pow(10, axis.high), marks_wanted);
  return marks;
}

std::string axis_name(const plot_axis& axis) {
  return axis.scale == axis_scale::logarithmic ? axis.name + ", logarithmic" : axis.name;
}

std::string mark_text(const ruler& axis, double value) {
  return axis.scale == axis_scale::quantile ? fmt::format("{:.6g}%", value * 100) : short_number(value);
}

/// The inner part of the drawing, with the places of values in it.
struct canvas {
  ruler x;
  ruler y;
  double top_edge = top;

  double right_edge() const { return width - right; }
  double bottom_edge() const { return height - bottom; }
  double at_x(double value) const { return left + std::clamp(x.place(value), 0.0, 1.0) * (right_edge() - left); }
  double at_y(double value) const {
    return bottom_edge() - std::clamp(y.place(value), 0.0, 1.0) * (bottom_edge() - top_edge);
  }
};

std::string axes_of(const plot& drawn, const canvas& on) {
  std::string svg;
  for (const double mark : marks_of(on.y)) {
    const double y = on.at_y(mark);
    svg += fmt::format(
      "<line class=\"grid\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>"
      "<text class=\"mark\" text-anchor=\"end\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>",
      left, y, on.right_edge(), y, left - 5, y + 3.5, html_text(mark_text(on.y, mark)));
  }
  for (const double mark : marks_of(on.x)) {
    const double x = on.at_x(mark);
    svg += fmt::format(
      "<line class=\"grid\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>"
      "<text class=\"mark\" text-anchor=\"middle\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>",
      x, on.top_edge, x, on.bottom_edge(), x, on.bottom_edge() + 13, html_text(mark_text(on.x, mark)));
  }
  svg += fmt::format(
    "<line class=\"axis\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>", left, on.bottom_edge(),
    on.right_edge(), on.bottom_edge());
  svg += fmt::format(
    "<text class=\"name\" text-anchor=\"end\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", on.right_edge(), height - 6,
    html_text(axis_name(drawn.x)));
  svg += fmt::format("<text class=\"name\" x=\"0\" y=\"12\">{}</text>", html_text(axis_name(drawn.y)));
  return svg;
}

std::string curve_of(const plot_series& series, const canvas& on) {
  if (series.points.empty())
    return "";
  std::string path;
  const auto go = [&path](double x, double y) {
    path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", x, y);
  };
  const double floor = on.bottom_edge();
  const auto& first = series.points.front();
  double before_x = on.at_x(first.first);
  if (series.steps)
    go(before_x, floor);
  for (const auto& [x, y] : series.points) {
    if (series.steps)
      go(before_x, on.at_y(y));
    before_x = on.at_x(x);
    go(before_x, on.at_y(y));
  }
  if (series.steps)
    go(before_x, floor);
  std::string svg;
  if (series.filled)
    svg += fmt::format(
      "<path class=\"fill c{}\" d=\"{}L{:.1f} {:.1f}L{:.1f} {:.1f}Z\"/>", series.colour, path, before_x, floor,
      on.at_x(first.first), floor);
  svg += fmt::format("<path class=\"line c{}{}\" d=\"{}\"/>", series.colour, series.dashed ? " dashed" : "", path);
  // One value alone is no line.
  if (series.points.size() == 1)
    svg += fmt::format(
      "<circle class=\"dot c{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\"/>", series.colour, before_x,
      on.at_y(first.second));
  return svg;
}

std::string legend_of(const plot& drawn) {
  constexpr double letter_width = 6.2;
  std::string svg;
  double x = left;
  for (const auto& series : drawn.series) {
    svg += fmt::format(
      "<line class=\"line c{}{}\" x1=\"{:.1f}\" y1=\"24\" x2=\"{:.1f}\" y2=\"24\"/>"
      "<text class=\"mark\" x=\"{:.1f}\" y=\"27.5\">{}</text>",
      series.colour, series.dashed ? " dashed" : "", x, x + 16, x + 20, html_text(series.name));
    x += 32 + letter_width * static_cast<double>(series.name.size());
  }
  return svg;
}

} // namespace

std::vector<double> axis_marks(double low, double high, size_t wanted) {
  const double rough = (high - low) / static_cast<double>(std::max<size_t>(wanted, 1));
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = power * 10;
  for (const double factor : {1.0, 2.0, 5.0})
    if (power * factor >= rough * (1 - 1e-9)) {
      step = power * factor;
      break;
    }
  std::vector<double> marks;
  for (double at = std::ceil(low / step - 1e-9); at * step <= high * (1 + 1e-12); ++at)
    // Adding nothing makes a zero of a negative one.
    marks.push_back(at * step + 0.0);
  return marks;
}

std::string short_number(double value) {
  struct unit {
    double size;
    const char* sign;
  };
  constexpr std::array<unit, 3> units = {unit{1e9, "G"}, unit{1e6, "M"}, unit{1e3, "k"}};
  for (const auto& each : units)
    // What would be rounded up to the next unit is told in it.
    if (std::abs(value) >= each.size * 0.9995)
      return fmt::format("{:.3g}{}", value / each.size, each.sign);
  return fmt::format("{:.3g}", value);
}

std::string svg_plot(const plot& drawn) {
  const auto is_drawable = [](const plot_series& series) { return !series.points.empty(); };
  if (std::none_of(drawn.series.begin(), drawn.series.end(), is_drawable))
    return "<p class=\"quiet\">nothing was measured</p>";
  canvas on{ruler_of(drawn, true), ruler_of(drawn, false)};
  const bool has_legend = drawn.series.size() > 1;
  if (has_legend)
    on.top_edge += legend_height;
  auto svg = fmt::format(
    "<svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"{}\">", width, height, html_text(drawn.title));
  svg += axes_of(drawn, on);
  for (const auto& series : drawn.series)
    svg += curve_of(series, on);
  if (has_legend)
    svg += legend_of(drawn);
  return svg + "</svg>";
}

} // namespace levain::load
