#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "persistence/file_descriptor.hpp"

namespace levain::test {

/// A port of 127.0.0.1 that answers nothing to whoever connects, as a machine that is switched off: its queue is full.
class deaf_listener {
public:
  deaf_listener();

  uint16_t port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

private:
  file_descriptor listening_;
  std::vector<file_descriptor> queued_;
  uint16_t port_ = 0;
};

} // namespace levain::test
