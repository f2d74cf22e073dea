#include "actors/calls/shared_bodies.hpp"

#include <algorithm>
#include <functional>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace levain {

namespace {

/// The texts that calls hold now, by their hash.
class shared_texts {
public:
  /// The text, and whether it is new here.
  std::pair<std::shared_ptr<shared_text>, bool> find_or_add(std::string text) {
    const auto hash = std::hash<std::string>{}(text);
    const std::lock_guard lock(mutex_);
    const auto [first, last] = texts_.equal_range(hash);
    for (auto at = first; at != last; ++at)
      if (auto held = at->second.lock(); held && held->text == text)
        return {std::move(held), false};
    if (texts_.size() >= swept_at_)
      sweep();
    auto added = std::make_shared<shared_text>(shared_text{std::move(text), nullptr});
    texts_.emplace(hash, added);
    return {std::move(added), true};
  }

private:
  /// Drops what has no holder any more, each time the table has doubled.
  void sweep() {
    std::erase_if(texts_, [](const auto& each) { return each.second.expired(); });
    swept_at_ = std::max<size_t>(64, texts_.size() * 2);
  }

  std::mutex mutex_;
  std::unordered_multimap<size_t, std::weak_ptr<shared_text>> texts_;
  size_t swept_at_ = 64;
};

} // namespace

std::shared_ptr<shared_text> share_body(call_request& request) {
  if (request.body_rest || request.body.size() < shared_body_bytes_min)
    return nullptr;
  // In the texts of `run` quotes are escaped, so this cannot stand in one of them.
  constexpr std::string_view run_end = "},\"input\":";
  const auto at = request.body.find(run_end);
  if (at == std::string::npos)
    return nullptr;
  static shared_texts texts;
  auto [shared, is_new] = texts.find_or_add(request.body.substr(at + 1));
  request.body_rest = std::shared_ptr<const std::string>(shared, &shared->text);
  request.body.resize(at + 1);
  request.body.shrink_to_fit();
  return is_new ? std::move(shared) : nullptr;
}

} // namespace levain
