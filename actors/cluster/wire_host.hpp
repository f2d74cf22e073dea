#pragma once

#include <string>

namespace levain {

/// The name of this machine, which nodes and workers compare to know who is near; empty when the system does not say.
std::string host_name();

} // namespace levain
