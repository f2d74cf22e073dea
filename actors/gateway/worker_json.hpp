#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "actors/cluster/worker_view.hpp"

namespace levain {

/// `{"workers": [...]}`, each with `id`, `name`, `host`, `version`, `connected_since`, `leaving`, `calls_out` and its
/// `kinds` (`kind`, `at_once`, `free`).
nlohmann::ordered_json workers_json(const std::vector<worker_view>& workers);

} // namespace levain
