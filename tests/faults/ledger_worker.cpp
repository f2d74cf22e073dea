// A worker for tests: does every kind it is told to, writes down what it did, and now and then takes its time or fails
// (steps of the kind `steady` never fail; those of the kind `long` take eight seconds, and fail when they are
// cancelled).
#include <chrono>
#include <cstdint>
#include <fcntl.h>
#include <iostream>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include <levain/worker.hpp>

namespace {

/// A line in a file that several processes write: one write each, so no line is torn.
class ledger {
public:
  explicit ledger(const std::string& file)
    : fd_(open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644)) {}
  void write_line(const std::string& line) const {
    const auto whole = line + '\n';
    if (write(fd_, whole.data(), whole.size()) != static_cast<ssize_t>(whole.size()))
      std::cerr << "the ledger is not written\n";
  }

private:
  int fd_;
};

/// The fate of an attempt follows from its key alone (FNV-1a), so that it is the same wherever it is made.
uint64_t drawn(const std::string& text) {
  uint64_t value = 14695981039346656037ULL;
  for (const char c : text)
    value = (value ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return value ^ (value >> 29);
}

levain::worker_result work(const ledger& book, levain::worker_step& step) {
  constexpr uint64_t hundred = 100;
  constexpr uint64_t failing = 2;
  constexpr uint64_t slow = 99;
  const auto fate = drawn(step.key() + '#' + std::to_string(step.attempt()));
  book.write_line("begun " + step.key() + ' ' + std::to_string(step.attempt()));
  if (fate % hundred == slow) {
    for (int i = 0; i < 10 && !step.cancelled(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      step.heartbeat(std::to_string(i + 1) + " of 10");
    }
  } else {
    std::this_thread::sleep_for(std::chrono::milliseconds(fate / hundred % 5));
  }
  if (step.kind() != "steady" && fate % hundred < failing && step.attempt() == 1)
    return levain::worker_failure{"it did not work out", true};
  book.write_line("done " + step.key());
  return nlohmann::json{{"step", step.step()}, {"attempt", step.attempt()}};
}

levain::worker_result work_long(const ledger& book, levain::worker_step& step) {
  constexpr int looks = 80;
  book.write_line("begun " + step.key() + ' ' + std::to_string(step.attempt()));
  for (int i = 0; i < looks; ++i) {
    if (step.cancelled())
      return levain::worker_failure{"it was cancelled", true};
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    step.heartbeat(std::to_string(i + 1) + " of 80");
  }
  book.write_line("done " + step.key());
  return nlohmann::json{{"step", step.step()}};
}

} // namespace

/// ledger_worker FILE NAME SLOTS KIND,KIND.. CERTIFICATES|- NODE..
int main(int argc, char** argv) {
  constexpr int nodes_at = 6;
  if (argc <= nodes_at)
    return 2;
  const ledger book(argv[1]);
  levain::worker_options options;
  options.name = argv[2];
  options.nodes.assign(argv + nodes_at, argv + argc);
  options.stop_grace = std::chrono::seconds(2);
  if (const std::string folder = argv[5]; folder != "-") {
    options.certificate = folder + "/worker.pem";
    options.key = folder + "/worker.key";
    options.ca = folder + "/ca.pem";
  }
  levain::worker worker(std::move(options));
  std::string kinds = std::string(argv[4]) + ',';
  for (size_t comma = kinds.find(','); comma != std::string::npos; comma = kinds.find(',')) {
    worker.offer(
      kinds.substr(0, comma), static_cast<uint32_t>(std::stoul(argv[3])),
      [&book](levain::worker_step& step) { return step.kind() == "long" ? work_long(book, step) : work(book, step); });
    kinds.erase(0, comma + 1);
  }
  worker.run();
  return 0;
}
