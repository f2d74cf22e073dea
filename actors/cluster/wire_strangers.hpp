#pragma once

#include <cstddef>
#include <map>
#include <string>

namespace levain {

/// Counts connections that have not introduced themselves, by the address that they come from, and says in the log what
/// became of them, a line for each reason and no more often than it is asked to. One thread.
class wire_strangers {
public:
  wire_strangers(size_t max, size_t of_one_address_max)
    : max_(max)
    , of_one_address_max_(of_one_address_max) {}

  /// False when there are too many already; they are counted as cut off.
  bool arrived(const std::string& address);
  /// It has introduced itself, or is gone.
  void left(const std::string& address);
  void cut_off(const std::string& why) { note(why, 1); }

  /// Writes what was counted since the last call.
  void log();
  size_t count() const { return count_; }

private:
  void note(const std::string& why, size_t connections);

  size_t max_;
  size_t of_one_address_max_;
  size_t count_ = 0;
  std::map<std::string, size_t> by_address_;
  std::map<std::string, size_t> reasons_;
};

} // namespace levain
