#include "actors/workflow/step_graph.hpp"

#include <algorithm>

namespace levain {

namespace {

struct edge {
  step_index to = 0;
  std::string_view word;
};

std::vector<edge> edges_of(const step_outline& step) {
  std::vector<edge> edges;
  for (const auto to : step.needs)
    edges.push_back({to, " needs "});
  for (const auto to : step.after)
    edges.push_back({to, " after "});
  return edges;
}

/// Looks for cycles depth first, without recursion: a chain may be as long as a workflow has steps.
class cycle_search {
public:
  explicit cycle_search(const std::vector<step_outline>& steps)
    : steps_(steps)
    , colours_(steps.size(), colour::unseen) {
    for (const auto& step : steps)
      edges_.push_back(edges_of(step));
  }

  std::vector<std::string> run() {
    for (step_index first = 0; first < steps_.size(); ++first)
      if (colours_[first] == colour::unseen)
        walk_from(first);
    return std::move(found_);
  }

private:
  enum class colour : uint8_t { unseen, on_path, done };
  struct visit {
    step_index step = 0;
    size_t next_edge = 0;
  };

  void walk_from(step_index first) {
    enter(first);
    while (!path_.empty()) {
      auto& here = path_.back();
      if (here.next_edge == edges_[here.step].size()) {
        colours_[here.step] = colour::done;
        path_.pop_back();
        continue;
      }
      const auto to = edges_[here.step][here.next_edge++].to;
      if (to == here.step)
        continue;
      if (colours_[to] == colour::unseen)
        enter(to);
      else if (colours_[to] == colour::on_path)
        close_cycle(to);
    }
  }

  void enter(step_index step) {
    colours_[step] = colour::on_path;
    path_.push_back({step, 0});
  }

  /// Describes the cycle at the path's end and takes its steps out of the search, so that one knot is one sentence.
  void close_cycle(step_index to) {
    const auto begin = std::ranges::find(path_, to, &visit::step);
    std::string sentence;
    for (auto at = begin; at != path_.end(); ++at) {
      sentence += steps_[at->step].name;
      sentence += edges_[at->step][at->next_edge - 1].word;
      colours_[at->step] = colour::done;
    }
    found_.push_back(sentence + steps_[to].name);
    path_.erase(begin, path_.end());
  }

  const std::vector<step_outline>& steps_;
  std::vector<std::vector<edge>> edges_;
  std::vector<colour> colours_;
  std::vector<visit> path_;
  std::vector<std::string> found_;
};

} // namespace

std::vector<std::vector<bool>> transitive_needs(const std::vector<step_outline>& steps) {
  std::vector<std::vector<bool>> all(steps.size());
  for (step_index from = 0; from < steps.size(); ++from) {
    auto& reached = all[from];
    reached.resize(steps.size());
    auto open = steps[from].needs;
    while (!open.empty()) {
      const auto step = open.back();
      open.pop_back();
      if (reached[step])
        continue;
      reached[step] = true;
      open.insert(open.end(), steps[step].needs.begin(), steps[step].needs.end());
    }
  }
  return all;
}

std::vector<std::string> describe_cycles(const std::vector<step_outline>& steps) {
  return cycle_search(steps).run();
}

} // namespace levain
