#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/levain-load/commands.hpp"
#include "apps/load/bench/bench_report.hpp"
#include "apps/load/bench/bench_row.hpp"
#include "apps/load/bench/bench_stage.hpp"
#include "apps/load/load_cost.hpp"
#include "apps/program/signal_watch.hpp"

namespace levain::load {

namespace {

namespace fs = std::filesystem;
using clock = std::chrono::steady_clock;

struct bench_words {
  bool quick = false;
  std::vector<std::string> only;
  std::string out;
  std::string compare;
  std::string directory;
  bool strict = false;
};

/// Where the databases and logs of a bench lie; one that was not named is removed at the end.
class bench_directory {
public:
  explicit bench_directory(const std::string& given)
    : path_(given.empty() ? "" : fs::absolute(given)) {
    std::error_code error;
    if (!path_.empty()) {
      fs::create_directories(path_, error);
      if (error)
        throw command_failed(
          exit_status::failed, fmt::format("--directory: cannot make {}: {}", path_.string(), error.message()));
      return;
    }
    auto pattern = (fs::temp_directory_path() / "levain-bench-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
      throw command_failed(exit_status::failed, fmt::format("cannot make {}: {}", pattern, std::strerror(errno)));
    path_ = pattern;
    temporary_ = true;
    // Whoever the server runs as has to come through to its own directory inside.
    fs::permissions(path_, fs::perms::group_exec | fs::perms::others_exec, fs::perm_options::add);
  }
  ~bench_directory() {
    std::error_code error;
    if (temporary_)
      fs::remove_all(path_, error);
  }
  bench_directory(const bench_directory&) = delete;
  bench_directory& operator=(const bench_directory&) = delete;

  const fs::path& path() const { return path_; }

private:
  fs::path path_;
  bool temporary_ = false;
};

std::vector<const bench_row*> rows_of(const bench_words& words) {
  std::string known;
  std::vector<const bench_row*> chosen;
  for (const auto& each : bench_rows()) {
    known += (known.empty() ? "" : ", ") + std::string(each.name);
    if (words.only.empty() || std::find(words.only.begin(), words.only.end(), each.name) != words.only.end())
      chosen.push_back(&each);
  }
  for (const auto& name : words.only)
    if (find_bench_row(name) == nullptr)
      throw command_failed(
        exit_status::wrong_command_line, fmt::format("--only: there is no row '{}'; there are {}", name, known));
  return chosen;
}

std::optional<earlier_bench> earlier_of(const bench_words& words) {
  if (words.compare.empty())
    return std::nullopt;
  std::ifstream in(words.compare);
  const auto document = nlohmann::json::parse(in, nullptr, false);
  if (document.is_discarded())
    throw command_failed(
      exit_status::wrong_command_line,
      fmt::format("--compare: {} has no JSON; it should be what levain-load bench --out has written", words.compare));
  try {
    return read_earlier_bench(document);
  } catch (const std::invalid_argument& wrong) {
    throw command_failed(
      exit_status::wrong_command_line, fmt::format("--compare: {}: {}", words.compare, wrong.what()));
  }
}

double seconds_since(clock::time_point began) {
  return std::chrono::duration<double>(clock::now() - began).count();
}

bench_line measure(const bench_row& row, bench_stage& stage) {
  fmt::print(stderr, "{}: {}", row.name, row.title);
  std::fflush(stderr);
  bench_line line;
  line.row = &row;
  const auto began = clock::now();
  try {
    line.measure = row.measure(stage);
  } catch (const std::exception& failed) {
    line.failure = failed.what();
  }
  line.seconds = seconds_since(began);
  fmt::print(stderr, ", {:.0f} s\n", line.seconds);
  return line;
}

bench_report measure_all(const std::vector<const bench_row*>& rows, bench_stage& stage) {
  bench_report report;
  const auto began = clock::now();
  report.began_at = to_rfc3339(now_utc());
  report.quick = stage.quick();
  ::getloadavg(&report.load_average_before, 1);
  report.machine = machine_facts(stage.url());
  for (const auto* row : rows) {
    report.lines.push_back(measure(*row, stage));
    if (stage.options().stopped())
      throw command_failed(exit_status::failed, "interrupted");
  }
  report.seconds = seconds_since(began);
  report.proof = stage.proof();
  return report;
}

exit_status bench(const command_line& line, const bench_words& words) {
  const auto rows = rows_of(words);
  const auto earlier = earlier_of(words);
  const signal_watch signals;
  const bench_directory directory(words.directory);
  bench_options options;
  options.quick = words.quick;
  options.only = words.only;
  options.directory = directory.path();
  options.daemon_program = fs::read_symlink("/proc/self/exe").parent_path() / "levaind";
  options.stopped = [&signals] { return signals.asked(); };
  bench_stage stage(std::move(options));
  const auto report = measure_all(rows, stage);
  const auto document = to_json(report).dump(2) + '\n';
  if (!words.out.empty()) {
    std::ofstream out(words.out);
    out << document;
    out.close();
    if (!out)
      throw command_failed(exit_status::failed, fmt::format("--out: cannot write to {}", words.out));
  }
  terminal::print(line.json ? document : bench_text(report, earlier, line.out.look));
  if (!report.complete() || (words.strict && report.rows_short() > 0))
    return exit_status::failed;
  return exit_status::done;
}

} // namespace

void add_bench_command(CLI::App& app, command_line& line) {
  auto words = std::make_shared<bench_words>();
  auto* command =
    app.add_subcommand("bench", "Measure the engine on a private PostgreSQL, and say what it should come to at least");
  command->add_flag("--quick", words->quick, "Shorter loads and fewer of them");
  command->add_option("--only", words->only, "Rows by name, with commas; all when not said")->delimiter(',');
  command->add_option("--compare", words->compare, "Show what this earlier result reached, too")->type_name("FILE");
  command->add_option("--directory", words->directory, "For the databases and logs, which stay there then")
    ->type_name("DIR");
  command->add_flag("--strict", words->strict, "Fail when a row is short of what it has to reach at least");
  command->add_option("--out", words->out, "Write the result here, as JSON")->type_name("FILE");
  command->add_flag("--json", line.json, "Print JSON");
  command->callback([&line, words] { line.chosen = [&line, words] { return bench(line, *words); }; });
}

} // namespace levain::load
