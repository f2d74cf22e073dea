#pragma once

#include <string>
#include <vector>

#include "apps/load/result_plots.hpp"

namespace levain::load {

/// As many as can be told apart on one page.
inline constexpr size_t results_on_page_max = 4;

/// One page on one result, or on several laid over each other with ratios to the first: it needs no other file, no
/// script and no network. 1 to `results_on_page_max` results; throws std::invalid_argument for other counts.
std::string html_report(const std::vector<named_result>& results);

/// Writes that page to a file. Throws as `html_report` does, and std::runtime_error that names a file which cannot be
/// written.
void write_html_report(const std::string& file, const std::vector<named_result>& results);

} // namespace levain::load
