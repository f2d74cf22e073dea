#pragma once

#include <nlohmann/json.hpp>

namespace levain::test {

/// A workflow `five_steps` of five strict simulated steps, one after another. A run lasts a second or so; some attempts
/// fail and are retried, and a few runs in a hundred fail for good at their fourth step and undo the three before.
nlohmann::json five_steps();

} // namespace levain::test
