#include "tests/support/transcript.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <regex>
#include <utility>

#include "test_paths.hpp"

namespace levain::test {

using namespace std::chrono_literals;

namespace {

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

/// Cut at blanks; quotes keep words together.
std::vector<std::string> words_of(const std::string& command) {
  std::vector<std::string> words;
  std::string word;
  bool begun = false;
  char quote = 0;
  for (const char c : command) {
    if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
      begun = true;
    } else if (c == quote) {
      quote = 0;
    } else if (c == ' ' && quote == 0) {
      if (begun)
        words.push_back(std::exchange(word, {}));
      begun = false;
    } else {
      word += c;
      begun = true;
    }
  }
  if (begun)
    words.push_back(word);
  return words;
}

} // namespace

std::vector<typed_line> transcript_of(const std::string& page, size_t block) {
  std::ifstream in(std::string(LEVAIN_SOURCE_DIR) + "/docs/" + page);
  std::vector<typed_line> lines;
  std::string line;
  for (size_t seen = 0; std::getline(in, line);)
    if (line == "```console" && seen++ == block)
      break;
  while (std::getline(in, line) && line != "```") {
    if (line.starts_with("$ "))
      lines.push_back({line.substr(2), {}});
    else if (!lines.empty())
      lines.back().printed.push_back(line);
  }
  return lines;
}

typist::typist(std::map<std::string, std::string> here)
  : here_(std::move(here)) {}

void typist::type(const std::vector<typed_line>& lines) {
  for (const auto& each : lines)
    type_one(each);
}

void typist::type_one(const typed_line& line) {
  BOOST_TEST_CONTEXT("$ " << line.command) {
    auto words = words_of(as_here(line.command));
    BOOST_TEST_REQUIRE(!words.empty());
    // The reader's logs go to a file.
    std::erase_if(words, [](const std::string& word) { return word.starts_with("2>"); });
    if (words.front() == "export")
      set(words.at(1));
    else if (words.front() == "kill")
      kill(words);
    else if (words.front() == "wait")
      wait_for_all();
    else if (words.back() == "&")
      start(words, line.printed);
    else
      run(words, line.printed);
  }
}

size_t typist::running() const {
  return std::count_if(jobs_.begin(), jobs_.end(), [](const auto& each) { return each->running(); });
}

program_options typist::program(std::vector<std::string> words) const {
  const bool is_ours = std::filesystem::exists(program_folder() / words.front());
  const auto name = is_ours ? words.front() : "/usr/bin/" + words.front();
  words.erase(words.begin());
  return {name, std::move(words), environment_};
}

void typist::set(const std::string& assignment) {
  const auto equals = assignment.find('=');
  BOOST_TEST_REQUIRE(equals != std::string::npos);
  environment_[assignment.substr(0, equals)] = assignment.substr(equals + 1);
}

void typist::start(std::vector<std::string> words, const std::vector<std::string>& printed) {
  words.pop_back();
  jobs_.push_back(std::make_unique<running_program>(program(words)));
  auto& begun = *jobs_.back();
  const bool said = eventually([&] { return shows(begun.output(), printed) || !begun.running(); }, 30s);
  BOOST_TEST_REQUIRE((said && begun.running()), begun.output() << begun.errors());
}

void typist::run(const std::vector<std::string>& words, const std::vector<std::string>& printed) {
  // What only looks is typed again until the cluster has got that far.
  const bool looks =
    words.size() > 1 && (words[1] == "nodes" || words[1] == "workers" || words[1] == "show" || words[1] == "explain");
  program_result got;
  const auto as_printed = [&] {
    got = run_to_end(program(words), 60s);
    // Who prints nothing has said on standard error why.
    return shows(got.output.empty() ? got.errors : got.output, printed);
  };
  const bool same = looks ? eventually(as_printed, 15s) : as_printed();
  std::string wanted;
  for (const auto& each : printed)
    wanted += each + '\n';
  BOOST_TEST_REQUIRE(same, "it says\n" << got.output << got.errors << "and the document\n" << wanted);
}

/// `kill -9 %1`, `kill %2 %3`.
void typist::kill(const std::vector<std::string>& words) {
  const bool at_once = words.at(1) == "-9";
  for (size_t at = at_once ? 2 : 1; at < words.size(); ++at) {
    auto& job = *jobs_.at(std::stoul(words[at].substr(1)) - 1);
    BOOST_TEST(job.running());
    if (at_once)
      job.kill_and_wait();
    else
      job.send_signal(SIGTERM);
  }
}

void typist::wait_for_all() {
  for (const auto& each : jobs_) {
    const auto end = each->wait(20s);
    BOOST_TEST_REQUIRE(end.has_value(), each->errors());
    BOOST_TEST((end->status == 0 || end->signal == SIGKILL), each->errors());
  }
}

/// With this machine's ports and database, and the numbers that runs have got here.
std::string typist::as_here(std::string text) const {
  for (const auto& [there, here] : here_)
    replace_all(text, there, here);
  return text;
}

/// Whether a program printed this. Blanks are as wide as they like; a run's number may be another one here, always
/// the same for the same.
bool typist::shows(const std::string& output, const std::vector<std::string>& printed) {
  std::string pattern;
  std::vector<std::string> numbers;
  for (const auto& each : printed)
    pattern += pattern_of(as_here(each), numbers) + (each == "…" ? "" : "\n");
  std::smatch found;
  const auto text = std::regex_replace(output, std::regex(" +(\n|$)"), "$1");
  if (!std::regex_match(text, found, std::regex(pattern)))
    return false;
  for (size_t at = 0; at < numbers.size(); ++at)
    here_[numbers[at]] = found.str(at + 1);
  return true;
}

std::string typist::pattern_of(const std::string& line, std::vector<std::string>& numbers) const {
  if (line == "…")
    return "(?:[^\n]*\n)*";
  static const std::regex token("…|ORCH-[0-9]{8}-[0-9]{8}| +|[.\\[\\]{}()*+?^$|\\\\]");
  std::string pattern;
  auto rest = line.begin();
  for (std::sregex_iterator at(line.begin(), line.end(), token), end; at != end; ++at) {
    pattern.append(rest, line.begin() + at->position());
    rest = line.begin() + at->position() + at->length();
    const auto text = at->str();
    if (text == "…") {
      pattern += "[^\n]*";
    } else if (text.starts_with("ORCH-") && !is_known_here(text)) {
      pattern += "(ORCH-[0-9]{8}-[0-9]{8})";
      numbers.push_back(text);
    } else if (text.starts_with("ORCH-")) {
      pattern += text;
    } else {
      pattern += text.front() == ' ' ? " +" : "\\" + text;
    }
  }
  return pattern.append(rest, line.end());
}

bool typist::is_known_here(const std::string& number) const {
  return std::any_of(here_.begin(), here_.end(), [&](const auto& each) { return each.second == number; });
}

} // namespace levain::test
