#include "actors/cluster/wire_strangers.hpp"

#include "persistence/log_quoted.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace levain {

namespace {

/// Reasons of one report; what comes on top is one more reason.
constexpr size_t reasons_max = 8;

} // namespace

bool wire_strangers::arrived(const std::string& address) {
  if (count_ >= max_) {
    note(fmt::format("{} connections have not introduced themselves yet", max_), 1);
    return false;
  }
  auto& here = by_address_[address];
  if (here >= of_one_address_max_) {
    note(fmt::format("{} connections from one address have not introduced themselves yet", of_one_address_max_), 1);
    return false;
  }
  ++here;
  ++count_;
  return true;
}

void wire_strangers::left(const std::string& address) {
  const auto found = by_address_.find(address);
  if (found == by_address_.end())
    return;
  --count_;
  if (--found->second == 0)
    by_address_.erase(found);
}

void wire_strangers::note(const std::string& why, size_t connections) {
  const bool room = reasons_.size() < reasons_max || reasons_.contains(why);
  reasons_[room ? why : "other reasons"] += connections;
}

void wire_strangers::log() {
  for (const auto& [why, connections] : reasons_)
    spdlog::warn("strangers_cut_off connections={} reason={}", connections, log_quoted(why));
  reasons_.clear();
}

} // namespace levain
