#include "actors/worker/worker_inbox.hpp"

#include <utility>

#include <caf/send.hpp>

namespace levain {

void worker_inbox::open(caf::actor reader) {
  std::lock_guard lock(mutex_);
  reader_ = std::move(reader);
}

void worker_inbox::close() {
  std::lock_guard lock(mutex_);
  reader_ = nullptr;
  news_.clear();
  beats_.clear();
}

void worker_inbox::post(worker_news news) {
  std::lock_guard lock(mutex_);
  if (!reader_)
    return;
  if (auto* beat = std::get_if<work_beat>(&news)) {
    const auto [at, is_new] = beats_.try_emplace(beat->work, news_.size());
    if (!is_new) {
      auto& waiting = std::get<work_beat>(news_[at->second]);
      if (!beat->progress.empty())
        waiting.progress = std::move(beat->progress);
      return;
    }
  }
  news_.push_back(std::move(news));
  if (news_.size() == 1)
    caf::anon_send(reader_, news_atom::value);
}

std::vector<worker_news> worker_inbox::take() {
  std::lock_guard lock(mutex_);
  beats_.clear();
  return std::exchange(news_, {});
}

} // namespace levain
