#pragma once

namespace levain::load {

/// The style sheet of a report: one column on a telephone, two on a desk, light or dark as the reader has it.
extern const char* const html_style;

} // namespace levain::load
