#pragma once

#include <span>
#include <string>
#include <string_view>

// What is said about a name that is none of those that are known: a member, a parameter, an option.

namespace levain {

/// The one of `known` that `name` was most likely meant to be; empty when none is near (more than two changes, or more
/// than half its length, away). Changes are letters inserted, deleted or replaced.
std::string_view nearest_name(std::string_view name, std::span<const std::string_view> known);

/// `is not known here`, with the nearest name that is, or all of them.
std::string unknown_name(std::string_view name, std::span<const std::string_view> known);

/// `a, b or c`.
std::string list_names(std::span<const std::string_view> names);

} // namespace levain
