#include "actors/workflow/parse_step.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "actors/workflow/definition_notes.hpp"
#include "actors/workflow/parse_call.hpp"
#include "actors/workflow/record_columns.hpp"
#include "actors/workflow/strict_json.hpp"

namespace levain {

namespace {

using nlohmann::json;

std::string indexed(std::string_view list, size_t index) {
  return std::string(list) + "[" + std::to_string(index) + "]";
}

std::optional<step_index> find_outline(const std::vector<step_outline>& steps, std::string_view name) {
  const auto found = std::ranges::find(steps, name, &step_outline::name);
  if (name.empty() || found == steps.end())
    return std::nullopt;
  return static_cast<step_index>(found - steps.begin());
}

/// The names in a list that steps have, silently leaving out everything else.
std::vector<step_index> survey_names(const json& step, const char* member, const std::vector<step_outline>& steps) {
  std::vector<step_index> found;
  if (!step.is_object() || !step.contains(member) || !step[member].is_array())
    return found;
  for (const auto& name : step[member])
    if (name.is_string())
      if (const auto index = find_outline(steps, name.get_ref<const std::string&>()))
        found.push_back(*index);
  return found;
}

retry_policy parse_retry(const json& value, const std::string& place, retry_policy policy, error_list& errors) {
  object_reader reader(value, place, definition_object::retry, errors);
  reader.read_whole("max_attempts", policy.max_attempts, 1, retry_attempts_max);
  reader.read_number("backoff", policy.backoff, 1, retry_backoff_max);
  reader.read_intervals(policy.initial_interval, policy.max_interval);
  reader.read_number("jitter", policy.jitter, 0, 1);
  return policy;
}

void parse_timeout(object_reader& reader, duration& timeout) {
  reader.read_duration("timeout", timeout, step_timeout_min, step_timeout_max);
}

void parse_queue_timeout(object_reader& reader, std::optional<duration>& limit) {
  if (!reader.find("queue_timeout"))
    return;
  auto given = step_timeout_max;
  reader.read_duration("queue_timeout", given, step_timeout_min, step_timeout_max);
  limit = given;
}

/// A call that may be silent for longer than it may take is asked for nothing.
void check_heartbeat(const call_spec& call, duration timeout, const std::string& place, error_list& errors) {
  const auto* worker = std::get_if<worker_call>(&call);
  if (worker != nullptr && worker->heartbeat > timeout)
    errors.add(
      place + ".worker.heartbeat",
      "must be at most timeout (" + format_duration(timeout) + "), not " + format_duration(worker->heartbeat));
}

/// Everything about one step; its members are read in the order of the reference page.
class step_parser {
public:
  step_parser(const json& value, step_index index, step_surroundings& surroundings, error_list& errors)
    : reader_(value, indexed("steps", index), definition_object::step, errors)
    , index_(index)
    , surroundings_(surroundings)
    , errors_(errors) {}

  step_definition parse() {
    parse_name();
    check_notes(reader_, errors_);
    parse_audit();
    parse_call_member();
    parse_timeout(reader_, step_.timeout);
    parse_queue_timeout(reader_, step_.queue_timeout);
    check_heartbeat(step_.call, step_.timeout, reader_.place_of("call"), errors_);
    if (const auto* retry = reader_.find("retry"))
      step_.retry = parse_retry(*retry, reader_.place_of("retry"), step_.retry, errors_);
    step_.needs = parse_names("needs");
    step_.after = parse_names("after");
    parse_policies();
    parse_compensation();
    parse_compensate_when();
    parse_record();
    return std::move(step_);
  }

private:
  const std::vector<step_outline>& outlines() const { return surroundings_.steps; }

  void parse_name() {
    if (!reader_.require("name", definition_name_rule))
      return;
    const auto* name = reader_.read_text("name", definition_name_rule);
    if (!name)
      return;
    if (!is_definition_name(*name))
      return reader_.report("name", "must be " + std::string(definition_name_rule) + ", not " + quote_text(*name));
    const auto first = find_outline(outlines(), *name);
    if (first && *first < index_)
      return reader_.report("name", "'" + *name + "' is the name of " + indexed("steps", *first) + " already");
    step_.name = *name;
  }

  void parse_audit() {
    constexpr std::array<std::string_view, 6> groups = {"forecasting",  "production",    "procurement",
                                                        "notification", "notifications", "ai_insights"};
    const int chosen = reader_.read_choice("audit", groups);
    if (chosen < 0)
      return;
    // The columns say `notification_...`, the documented step is called notifications.
    const auto group = groups[static_cast<size_t>(chosen)];
    step_.audit = parse_audit_group(group == "notifications" ? "notification" : group);
  }

  std::string named() const { return step_.name.empty() ? "this step" : "'" + step_.name + "'"; }

  void parse_call_member() {
    const auto* call = reader_.require("call", "an object with one of http, worker, function, simulate");
    if (!call)
      return;
    const call_scope scope{
      &outlines(), surroundings_.needs[index_], "a step that " + named() + " needs", surroundings_.stored};
    object_reader call_reader(*call, reader_.place_of("call"), definition_object::call, errors_);
    if (auto parsed = parse_call(call_reader, scope, errors_))
      step_.call = std::move(*parsed);
  }

  void parse_compensation() {
    const auto* given = reader_.find("compensate");
    if (!given)
      return;
    call_scope scope{
      &outlines(), surroundings_.needs[index_], named() + " or a step that it needs", surroundings_.stored};
    scope.visible[index_] = true;
    compensation_spec compensation;
    object_reader reader(*given, reader_.place_of("compensate"), definition_object::compensation, errors_);
    if (auto call = parse_call(reader, scope, errors_))
      compensation.call = std::move(*call);
    parse_timeout(reader, compensation.timeout);
    parse_queue_timeout(reader, compensation.queue_timeout);
    check_heartbeat(compensation.call, compensation.timeout, reader_.place_of("compensate"), errors_);
    if (const auto* retry = reader.find("retry"))
      compensation.retry = parse_retry(*retry, reader.place_of("retry"), compensation.retry, errors_);
    step_.compensate = std::move(compensation);
  }

  void parse_compensate_when() {
    constexpr std::array<std::string_view, 2> conditions = {"succeeded", "attempted"};
    const int chosen = reader_.read_choice("compensate_when", conditions);
    if (chosen < 0)
      return;
    if (!step_.compensate)
      return reader_.report("compensate_when", "says when the step is undone, and the step has no compensate");
    if (chosen == 1)
      step_.compensate_when = compensation_condition::attempted;
  }

  std::vector<step_index> parse_names(std::string_view member) {
    std::vector<step_index> found;
    const auto* names = reader_.find(member);
    if (!names)
      return found;
    if (!names->is_array()) {
      reader_.report(member, "must be a list of names of steps, not " + describe_value(*names));
      return found;
    }
    for (size_t i = 0; i < names->size(); ++i)
      if (const auto step = parse_neighbour((*names)[i], indexed(reader_.place_of(member), i), found))
        found.push_back(*step);
    return found;
  }

  std::optional<step_index> parse_neighbour(const json& name, std::string place, const std::vector<step_index>& found) {
    if (!name.is_string()) {
      errors_.add(std::move(place), "must be the name of a step, not " + describe_value(name));
      return std::nullopt;
    }
    const auto step = find_outline(outlines(), name.get_ref<const std::string&>());
    if (!step)
      errors_.add(std::move(place), "must be the name of a step of this workflow, not " + describe_value(name));
    else if (*step == index_)
      errors_.add(std::move(place), "must be another step, '" + step_.name + "' cannot wait for itself");
    else if (std::ranges::find(found, *step) != found.end())
      errors_.add(std::move(place), "is there twice: " + describe_value(name));
    else if (std::ranges::find(step_.needs, *step) != step_.needs.end())
      errors_.add(std::move(place), "is among the needs already: " + describe_value(name));
    else
      return step;
    return std::nullopt;
  }

  void parse_policies() {
    constexpr std::array<std::string_view, 2> on_failure = {"fail", "continue"};
    if (reader_.read_choice("on_failure", on_failure) == 1)
      step_.on_failure = failure_policy::proceed;
    constexpr std::array<std::string_view, 2> effects = {"external", "none"};
    if (reader_.read_choice("effect", effects) == 1)
      step_.effect = call_effect::none;
  }

  void parse_record() {
    const auto* record = reader_.find("record");
    if (!record)
      return;
    const auto place = reader_.place_of("record");
    if (!record->is_object())
      return errors_.add(place, "must be an object of columns and JSON pointers, not " + describe_value(*record));
    for (const auto& [column, pointer] : record->items())
      parse_record_entry(column, pointer, member_place(place, column));
  }

  void parse_record_entry(const std::string& column, const json& pointer, const std::string& place) {
    if (!find_record_column(column)) {
      std::string known;
      for (const auto& one : record_columns())
        known.append(known.empty() ? "" : ", ").append(one.name);
      return errors_.add(place, "is no column that a step can record, those are " + known);
    }
    if (!pointer.is_string() || !is_json_pointer(pointer.get_ref<const std::string&>()))
      return errors_.add(place, "must be a JSON pointer such as \"/schedule/id\", not " + describe_value(pointer));
    if (const auto [first, added] = surroundings_.recorded.emplace(column, place); !added)
      return errors_.add(place, "is recorded by " + first->second + " already");
    step_.record.push_back({column, pointer.get<std::string>()});
  }

  /// RFC 6901 section 3.
  static bool is_json_pointer(std::string_view text) {
    if (!text.empty() && text.front() != '/')
      return false;
    for (size_t i = 0; i < text.size(); ++i)
      if (text[i] == '~' && (i + 1 == text.size() || (text[i + 1] != '0' && text[i + 1] != '1')))
        return false;
    return true;
  }

  object_reader reader_;
  step_index index_;
  step_surroundings& surroundings_;
  error_list& errors_;
  step_definition step_;
};

} // namespace

step_surroundings survey_steps(const json& steps) {
  step_surroundings found;
  for (const auto& step : steps) {
    auto& outline = found.steps.emplace_back();
    if (step.is_object() && step.contains("name") && step["name"].is_string())
      if (const auto& name = step["name"].get_ref<const std::string&>(); is_definition_name(name))
        outline.name = name;
  }
  for (size_t i = 0; i < found.steps.size(); ++i) {
    found.steps[i].needs = survey_names(steps[i], "needs", found.steps);
    found.steps[i].after = survey_names(steps[i], "after", found.steps);
  }
  found.needs = transitive_needs(found.steps);
  return found;
}

step_definition parse_step(const json& value, step_index index, step_surroundings& surroundings, error_list& errors) {
  return step_parser(value, index, surroundings, errors).parse();
}

} // namespace levain
