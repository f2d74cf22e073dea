#include "tests/simulation/shrinking.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "tests/simulation/plan_fields.hpp"
#include "tests/simulation/trial.hpp"

namespace levain::simulation {

namespace {

using nlohmann::json;
using std::chrono::milliseconds;

class plan_shrinking {
public:
  plan_shrinking(const plan& from, const std::function<bool(const plan&)>& breaks, size_t tries_max)
    : best_(from)
    , breaks_(breaks)
    , tries_max_(tries_max) {}

  shrunk_plan shrink() {
    // What one pass leaves out can make more superfluous.
    for (bool smaller = true; smaller;) {
      smaller = leave_out_items();
      smaller = shrink_workflows() || smaller;
      smaller = shrink_values() || smaller;
    }
    return {best_, tried_};
  }

private:
  bool try_instead(const plan& smaller) {
    if (tried_ >= tries_max_ || smaller == best_)
      return false;
    ++tried_;
    try {
      if (!breaks_(smaller))
        return false;
    } catch (const std::invalid_argument&) {
      return false; // It is no plan any more.
    }
    best_ = smaller;
    return true;
  }

  bool leave_out_items() {
    bool any = false;
    for (size_t size = std::max<size_t>(best_.items.size() / 2, 1);; size = std::max<size_t>(size / 2, 1)) {
      for (size_t first = 0; first < best_.items.size();) {
        auto smaller = best_;
        const auto from = smaller.items.begin() + static_cast<std::ptrdiff_t>(first);
        const auto count = std::min(size, smaller.items.size() - first);
        smaller.items.erase(from, from + static_cast<std::ptrdiff_t>(count));
        if (try_instead(smaller))
          any = true;
        else
          first += size;
      }
      if (size == 1)
        return any;
    }
  }

  // ---- workflows ------------------------------------------------------------

  bool try_body(size_t item, const json& body) {
    auto smaller = best_;
    std::get<workflow_item>(smaller.items[item]).body = body.dump();
    return try_instead(smaller);
  }

  static void forget_step(json& body, const std::string& name) {
    for (auto& step : body["steps"])
      for (const auto* list : {"needs", "after"})
        if (step.contains(list))
          step[list].erase(std::remove(step[list].begin(), step[list].end(), json(name)), step[list].end());
  }

  bool shrink_workflows() {
    bool any = false;
    for (size_t item = 0; item < best_.items.size(); ++item) {
      const auto* flow = std::get_if<workflow_item>(&best_.items[item]);
      if (flow == nullptr)
        continue;
      auto body = json::parse(flow->body);
      for (size_t i = 0; i < body["steps"].size() && body["steps"].size() > 1;) {
        auto without = body;
        without["steps"].erase(i);
        forget_step(without, body["steps"][i]["name"]);
        if (try_body(item, without)) {
          body = without;
          any = true;
        } else {
          ++i;
        }
      }
      for (size_t i = 0; i < body["steps"].size(); ++i)
        for (const auto* member :
             {"record", "audit", "compensate", "retry", "timeout", "on_failure", "effect", "after", "needs"})
          if (auto without = body; without["steps"][i].erase(member) > 0 && try_body(item, without)) {
            body = without;
            any = true;
          }
      for (size_t i = 0; i < body["steps"].size(); ++i) {
        auto plain = body;
        plain["steps"][i]["call"] = {{"http", {{"url", "http://service"}}}};
        if (try_body(item, plain)) {
          body = plain;
          any = true;
        }
      }
      if (auto without = body; without.erase("run_retries") > 0)
        any = try_body(item, without) || any;
    }
    return any;
  }

  // ---- values ---------------------------------------------------------------

  /// Values to try instead of this one, the plainest first. All are nearer to the plain one, so that it comes to an
  /// end.
  template <class T>
  static std::vector<T> plainer_than(const T& value, const T& plain) {
    if (value == plain)
      return {};
    std::vector<T> all{plain};
    if constexpr (std::is_same_v<T, duration>) {
      for (const auto step : {milliseconds(10'000), milliseconds(1'000), milliseconds(100), milliseconds(10)})
        if (value > plain + step && value % step != duration(0))
          all.push_back(value / step * step);
      if (value > plain + milliseconds(1))
        all.push_back(std::chrono::duration_cast<milliseconds>(value / 2));
      std::erase_if(all, [&](const T& each) { return each < plain; });
    } else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
      if (value > plain + 1) {
        all.push_back(static_cast<T>(plain + (value - plain) / 2));
        all.push_back(static_cast<T>(value - 1));
      }
    }
    return all;
  }

  /// Names of other things, which no smaller value can stand for.
  static bool is_name(std::string_view field) {
    return field == "id" || field == "input" || field == "start" || field == "step" || field == "body" ||
           field == "workflow" || field == "seed";
  }

  template <class Place>
  bool shrink_fields(Place place) {
    bool any = false;
    using item = std::remove_reference_t<decltype(*place(best_))>;
    const item plain{};
    size_t count = 0;
    for_each_field(plain, [&](const char*, const auto&) { ++count; });
    for (size_t which = 0; which < count; ++which) {
      size_t at = 0;
      for_each_field(plain, [&](const char* name, const auto& plain_value) {
        if (at++ != which || is_name(name))
          return;
        using value_type = std::remove_cvref_t<decltype(plain_value)>;
        for (bool again = true; again;) {
          again = false;
          value_type now{};
          for_each_field(*place(best_), [&](const char* other, const auto& value) {
            if constexpr (std::is_same_v<std::remove_cvref_t<decltype(value)>, value_type>)
              if (std::string_view(other) == name)
                now = value;
          });
          for (const auto& smaller_value : plainer_than(now, plain_value)) {
            auto smaller = best_;
            for_each_field(*place(smaller), [&](const char* other, auto& value) {
              if constexpr (std::is_same_v<std::remove_cvref_t<decltype(value)>, value_type>)
                if (std::string_view(other) == name)
                  value = smaller_value;
            });
            if (try_instead(smaller)) {
              any = again = true;
              break;
            }
          }
        }
      });
    }
    return any;
  }

  bool shrink_values() {
    bool any = shrink_fields([](auto& x) { return &x.shape; });
    for (size_t i = 0; i < best_.items.size(); ++i) {
      const auto kind = best_.items[i];
      any = std::visit(
              [&](const auto& item) {
                using item_type = std::remove_cvref_t<decltype(item)>;
                return shrink_fields([i](auto& x) { return std::get_if<item_type>(&x.items[i]); });
              },
              kind) ||
            any;
    }
    return any;
  }

  plan best_;
  const std::function<bool(const plan&)>& breaks_;
  size_t tries_max_;
  size_t tried_ = 0;
};

} // namespace

shrunk_plan shrink(const plan& from, const std::function<bool(const plan&)>& breaks, size_t tries_max) {
  return plan_shrinking(from, breaks, tries_max).shrink();
}

bool breaks_rule(const plan& x, rule broken) {
  const auto found = try_plan(x);
  return !found.violations.empty() && found.violations.front().broken == broken;
}

} // namespace levain::simulation
