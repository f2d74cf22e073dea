#include "persistence/node_compatibility.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace levain {

namespace {

bool has_gate(const spoken_protocol& node) {
  return node.max > 0;
}

bool overlap(const spoken_protocol& a, const spoken_protocol& b) {
  return a.min <= b.max && b.min <= a.max;
}

std::string range_text(uint32_t min, uint32_t max) {
  const auto first = std::to_string(min);
  return min == max ? first : first + " to " + std::to_string(max);
}

std::string version_text(const spoken_protocol& node) {
  return "levain " + (node.version.empty() ? "of an unknown version" : node.version);
}

/// What every one of them speaks; nothing when they have nothing in common.
std::optional<std::string> in_common(const std::vector<spoken_protocol>& nodes) {
  uint32_t min = 0;
  uint32_t max = UINT32_MAX;
  for (const auto& each : nodes) {
    min = std::max(min, each.min);
    max = std::min(max, each.max);
  }
  if (min > max)
    return std::nullopt;
  return range_text(min, max);
}

} // namespace

spoken_protocol protocol_of(const node_record& node) {
  return {node.name, node.version, node.protocol_min, node.protocol_max};
}

std::optional<std::string> why_not_join(const spoken_protocol& node, const std::vector<spoken_protocol>& living) {
  if (!has_gate(node))
    return std::nullopt;
  std::vector<spoken_protocol> gates;
  std::copy_if(living.begin(), living.end(), std::back_inserter(gates), has_gate);
  std::string strangers;
  std::string versions;
  for (const auto& each : gates) {
    if (!overlap(node, each))
      strangers += (strangers.empty() ? "" : ", ") + ("'" + each.name + "' (" + version_text(each) + ") speaks ") +
                   range_text(each.min, each.max);
    if (versions.find(version_text(each)) == std::string::npos)
      versions += (versions.empty() ? "" : ", ") + version_text(each);
  }
  if (strangers.empty())
    return std::nullopt;
  auto text = "node '" + node.name + "' (" + version_text(node) + ") speaks version " + range_text(node.min, node.max) +
              " of the cluster's protocol, and cannot join living nodes that do not: " + strangers + "; ";
  if (const auto common = in_common(gates))
    text += "a program that speaks " + *common + " can join (the nodes here are " + versions + ")";
  else
    text += "end the nodes that are to be replaced first";
  return text;
}

} // namespace levain
