#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "actors/cluster/worker_calls.hpp"
#include "tests/simulation/ground.hpp"

namespace levain::simulation {

/// Stands before the desk of a node: tells the audience of every call to workers, what came of it, and when nobody
/// waits for it any more.
class witnessed_calls : public worker_calls {
public:
  witnessed_calls(ground& under, life_ptr of, std::shared_ptr<worker_calls> desk);

  call_in_flight begin(call_request request, call_done done) override;
  call_in_flight begin_told(call_request request, call_done done, levain::call_told told) override;
  std::optional<worker_call_view> look(const std::string& key, uint32_t attempt) const override {
    return desk_->look(key, attempt);
  }
  worker_figures figures() const override { return desk_->figures(); }
  std::vector<worker_view> list() const override { return desk_->list(); }

private:
  struct call {
    uint64_t number = 0;
    /// Somebody waits.
    bool open = true;
    duration timeout{};
    timestamp deadline{};
  };

  void tell(const call& x, const call_result& result);
  void moved(call& x, const call_news& news);
  bool is_awaited(const call& x) const;

  ground& under_;
  life_ptr of_;
  std::shared_ptr<worker_calls> desk_;
};

} // namespace levain::simulation
