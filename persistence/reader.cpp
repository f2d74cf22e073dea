#include "persistence/reader.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include <spdlog/spdlog.h>

#include "persistence/journal.hpp"

namespace levain {

namespace {

constexpr size_t connections_max = 64;

void run_read(const std::function<void(queries&)>& work, queries& connection) {
  try {
    work(connection);
  } catch (const std::exception& error) {
    spdlog::error("read_failed: nobody handled what a read threw: {}", error.what());
  } catch (...) {
    spdlog::error("read_failed: nobody handled what a read threw");
  }
}

} // namespace

struct reader::impl {
  explicit impl(reader_options given)
    : options(std::move(given)) {}

  void serve(queries& connection) {
    for (;;) {
      std::function<void(queries&)> work;
      {
        std::unique_lock lock(mutex);
        changed.wait(lock, [this] { return ending || !waiting.empty(); });
        if (waiting.empty())
          return;
        work = std::move(waiting.front());
        waiting.pop_front();
      }
      run_read(work, connection);
    }
  }

  const reader_options options;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::function<void(queries&)>> waiting;
  bool ending = false;
  std::vector<std::unique_ptr<queries>> connections;
  std::vector<std::thread> threads;
};

reader::reader(reader_options options)
  : impl_(std::make_unique<impl>(std::move(options))) {
  const auto& given = impl_->options;
  if (given.connections < 1 || given.connections > connections_max)
    throw std::invalid_argument(
      "connections: " + std::to_string(given.connections) + "; must be 1 to " + std::to_string(connections_max));
  if (given.reads_waiting_max < 1)
    throw std::invalid_argument("reads_waiting_max: 0; must be at least 1");
  for (size_t i = 0; i < given.connections; ++i)
    impl_->connections.push_back(std::make_unique<queries>(given.queries));
  for (const auto& connection : impl_->connections)
    impl_->threads.emplace_back([state = impl_.get(), own = connection.get()] { state->serve(*own); });
}

reader::~reader() {
  // Whoever still waits for an answer gets one: the connections refuse, the works are run.
  for (const auto& connection : impl_->connections)
    connection->close();
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->ending = true;
  }
  impl_->changed.notify_all();
  for (auto& thread : impl_->threads)
    thread.join();
}

void reader::async(std::function<void(queries&)> work) {
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->ending)
      throw journal_unavailable("reads have ended because the program is ending");
    if (impl_->waiting.size() >= impl_->options.reads_waiting_max)
      throw journal_unavailable(
        std::to_string(impl_->waiting.size()) + " reads are waiting already (reads_waiting_max); try again later");
    impl_->waiting.push_back(std::move(work));
  }
  impl_->changed.notify_one();
}

} // namespace levain
