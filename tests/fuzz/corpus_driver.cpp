// Runs every file of a corpus through its target once, without libFuzzer: so the corpus stays true and the targets keep
// compiling with the compiler of every day.
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <unistd.h>

#include "tests/fuzz/fuzz_target.hpp"

namespace fs = std::filesystem;

namespace {

std::string current;

/// Names the file before the process ends. Called by the signal, so it only writes.
void name_the_file(int signal) {
  const std::string_view lead = "while reading ";
  [[maybe_unused]] auto written = ::write(STDERR_FILENO, lead.data(), lead.size());
  written = ::write(STDERR_FILENO, current.data(), current.size());
  written = ::write(STDERR_FILENO, "\n", 1);
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

int complain(const std::string& sentence) {
  std::cerr << "corpus_driver: " << sentence << '\n';
  return 2;
}

} // namespace

int main(int argc, char** argv) {
  const auto& targets = levain::test::fuzz_targets();
  if (argc != 3)
    return complain("wants a target and the folder of its corpus");
  const auto target = std::ranges::find(targets, std::string_view(argv[1]), &levain::test::fuzz_target::name);
  if (target == targets.end())
    return complain("there is no target '" + std::string(argv[1]) + "'");
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(argv[2]))
    files.push_back(entry.path());
  if (files.empty())
    return complain("the corpus '" + std::string(argv[2]) + "' is empty");
  std::ranges::sort(files);
  for (const int signal : {SIGABRT, SIGSEGV, SIGFPE, SIGBUS})
    std::signal(signal, name_the_file);
  for (const auto& file : files) {
    current = file.string();
    std::ifstream in(file, std::ios::binary);
    target->run(std::string(std::istreambuf_iterator<char>(in), {}));
  }
  std::cout << files.size() << " files of " << target->name << '\n';
  return 0;
}
