#include "actors/gateway/api_start_request.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "actors/gateway/api_words.hpp"
#include "actors/node_options.hpp"
#include "actors/workflow/strict_json.hpp"
#include "persistence/exact_json.hpp"
#include "persistence/utf8.hpp"

namespace levain {

namespace {

using nlohmann::json;

const std::vector<std::string_view> start_members{"workflow", "version",      "input",    "run_type",
                                                  "priority", "triggered_by", "metadata", "idempotency_key"};
const std::vector<std::string_view> run_types{"scheduled", "manual", "test"};
const std::vector<std::string_view> priorities{"normal", "high", "critical"};

/// Reads the members of one object and gathers what is wrong with them.
class member_reader {
public:
  /// `room` is the request's for errors.
  member_reader(const json& object, std::string place, size_t& room)
    : errors(room)
    , object_(object)
    , place_(std::move(place)) {}

  request_errors errors;

  const json* find(const char* name) const {
    const auto found = object_.find(name);
    return found == object_.end() ? nullptr : &*found;
  }

  void refuse(const std::string& name, std::string message) {
    errors.add(member_place(place_, name), std::move(message));
  }

  /// A text of 1 to `characters_max` characters, if the member is there.
  std::optional<std::string> text(const char* name, size_t characters_max) {
    const auto* value = find(name);
    if (!value)
      return std::nullopt;
    if (!value->is_string()) {
      refuse(name, fmt::format("must be a text, not {}", describe_value(*value)));
      return std::nullopt;
    }
    const auto& text = value->get_ref<const std::string&>();
    if (text.empty())
      refuse(name, "must not be empty");
    else if (const auto count = count_characters(text); count > characters_max)
      refuse(name, fmt::format("must be at most {} characters long, not {}", characters_max, count));
    else
      return text;
    return std::nullopt;
  }

  std::string required_text(const char* name, size_t characters_max, const char* example) {
    if (!find(name))
      refuse(name, fmt::format("is missing; it must be a text such as \"{}\"", example));
    return text(name, characters_max).value_or("");
  }

  /// One of a few words, or `otherwise`.
  std::string word(const char* name, const std::vector<std::string_view>& words, const char* otherwise) {
    const auto* value = find(name);
    if (!value)
      return otherwise;
    if (
      value->is_string() && std::find(words.begin(), words.end(), value->get_ref<const std::string&>()) != words.end())
      return value->get<std::string>();
    refuse(name, fmt::format("must be {}, not {}", list_names(words), describe_value(*value)));
    return otherwise;
  }

  std::optional<int32_t> version() {
    const auto* value = find("version");
    if (!value)
      return std::nullopt;
    if (value->is_number_integer()) {
      const auto number = value->get<int64_t>();
      // A number beyond 64 signed bits comes out negative.
      if (number >= 1 && number <= std::numeric_limits<int32_t>::max())
        return static_cast<int32_t>(number);
    }
    refuse(
      "version",
      fmt::format(
        "must be a whole number from 1 to {}, not {}", std::numeric_limits<int32_t>::max(), describe_value(*value)));
    return std::nullopt;
  }

  /// A member's JSON text, unless it is too long.
  std::string json_text(const char* name, const json& value) {
    auto text = write_exact_json(value);
    if (text.size() > input_bytes_max) {
      refuse(name, fmt::format("must be at most {} bytes of JSON, not {}", input_bytes_max, text.size()));
      return "{}";
    }
    return text;
  }

private:
  const json& object_;
  std::string place_;
};

std::optional<std::string> why_bad_key(std::string_view key) {
  if (key.empty())
    return "must not be empty; leave it out for a start without a key";
  if (key.size() > idempotency_key_bytes_max)
    return fmt::format("must be at most {} bytes long, not {}", idempotency_key_bytes_max, key.size());
  if (!is_utf8(key))
    return "must be UTF-8";
  return std::nullopt;
}

void read_key(member_reader& members, start_request& request) {
  const auto* key = members.find("idempotency_key");
  if (!key)
    return;
  if (!key->is_string())
    return members.refuse("idempotency_key", fmt::format("must be a text, not {}", describe_value(*key)));
  const auto& text = key->get_ref<const std::string&>();
  if (auto why = why_bad_key(text))
    return members.refuse("idempotency_key", *why);
  request.idempotency_key = text;
}

parsed_start parse_start(const json& object, const tenant_id& tenant, const std::string& place, size_t& error_room) {
  if (!object.is_object()) {
    return std::vector<field_error>{
      {place,
       fmt::format("must be an object such as {{\"workflow\": \"daily_bakery\"}}, not {}", describe_value(object))}};
  }
  member_reader members(object, place, error_room);
  check_members(object, start_members, place, members.errors);
  wanted_start wanted;
  wanted.workflow = members.required_text("workflow", definition_name_bytes_max, "daily_bakery");
  wanted.version = members.version();
  auto& request = wanted.request;
  request.tenant = tenant;
  request.run_type = members.word("run_type", run_types, "manual");
  request.priority = members.word("priority", priorities, "normal");
  request.triggered_by = members.text("triggered_by", triggered_by_characters_max);
  if (const auto* input = members.find("input"))
    request.input = members.json_text("input", *input);
  if (const auto* metadata = members.find("metadata")) {
    if (metadata->is_object())
      request.metadata = members.json_text("metadata", *metadata);
    else
      members.refuse("metadata", fmt::format("must be an object, not {}", describe_value(*metadata)));
  }
  read_key(members, request);
  if (!members.errors.empty())
    return members.errors.take();
  return wanted;
}

std::optional<api_problem> add_header_key(parsed_starts& parsed, const std::string& key) {
  const std::string name = "Idempotency-Key";
  if (parsed.is_list)
    return api_problem{
      400, name + ": is for a single start; in a list, each start has its own \"idempotency_key\"", name};
  if (auto why = why_bad_key(key))
    return api_problem{400, name + ": " + *why, name};
  auto* wanted = std::get_if<wanted_start>(&parsed.starts.front());
  if (!wanted)
    return std::nullopt;
  auto& inside = wanted->request.idempotency_key;
  if (inside && *inside != key)
    return api_problem{400, name + ": differs from \"idempotency_key\" in the body; give one of them", name};
  inside = key;
  return std::nullopt;
}

/// What stands around a list that is a member of the body.
std::optional<api_problem> read_list_members(const json& document, parsed_starts& parsed, size_t& error_room) {
  member_reader members(document, "", error_room);
  check_members(document, {"starts", "all"}, "", members.errors);
  if (!document["starts"].is_array())
    members.refuse("starts", fmt::format("must be a list of starts, not {}", describe_value(document["starts"])));
  if (const auto* all = members.find("all"); all != nullptr && !all->is_boolean())
    members.refuse("all", fmt::format("must be true or false, not {}", describe_value(*all)));
  else
    parsed.all = all != nullptr && all->get<bool>();
  if (members.errors.empty())
    return std::nullopt;
  return invalid_content(members.errors.take());
}

/// True when the text is a list with more than `elements_max` elements, as far as their commas say. Reads no further
/// than it has to, and makes nothing of what it reads: a list of millions costs what its first elements do.
bool is_longer_list(std::string_view text, size_t elements_max) {
  auto at = text.find_first_not_of(" \t\r\n");
  if (at == std::string_view::npos || text[at] != '[')
    return false;
  size_t depth = 1;
  size_t elements = 1;
  for (++at; at < text.size() && depth > 0; ++at) {
    const char c = text[at];
    if (c == '"')
      for (++at; at < text.size() && text[at] != '"'; ++at)
        at += text[at] == '\\' ? 1 : 0;
    else if (c == '[' || c == '{')
      ++depth;
    else if (c == ']' || c == '}')
      --depth;
    else if (c == ',' && depth == 1 && ++elements > elements_max)
      return true;
  }
  return false;
}

} // namespace

std::variant<parsed_starts, api_problem>
parse_starts(std::string_view body, const tenant_id& tenant, const std::optional<std::string>& header_key) {
  if (is_longer_list(body, start_list_max))
    return invalid_content({{"", fmt::format("the list must hold 1 to {} starts, not more", start_list_max)}});
  auto read = read_strict_json(body, request_depth_max);
  if (auto* error = std::get_if<field_error>(&read))
    return api_problem{400, to_string(*error), error->field};
  const auto& document = std::get<json>(read);
  parsed_starts parsed;
  size_t error_room = request_errors_max;
  const auto* list = document.is_array() ? &document : nullptr;
  if (document.is_object() && document.contains("starts")) {
    parsed.place = "starts";
    list = &document["starts"];
    if (auto problem = read_list_members(document, parsed, error_room))
      return *problem;
  }
  parsed.is_list = list != nullptr;
  if (!parsed.is_list) {
    parsed.starts.push_back(parse_start(document, tenant, "", error_room));
  } else if (list->empty() || list->size() > start_list_max) {
    return invalid_content(
      {{parsed.place, fmt::format("the list must hold 1 to {} starts, not {}", start_list_max, list->size())}});
  }
  if (parsed.is_list)
    for (size_t i = 0; i < list->size(); ++i)
      parsed.starts.push_back(parse_start((*list)[i], tenant, fmt::format("{}[{}]", parsed.place, i), error_room));
  if (header_key)
    if (auto problem = add_header_key(parsed, *header_key))
      return *problem;
  return parsed;
}

std::variant<wish, api_problem> parse_wish(std::string_view asked, std::string_view body) {
  auto read = read_strict_json(body.empty() ? std::string_view("{}") : body, request_depth_max);
  if (auto* error = std::get_if<field_error>(&read))
    return api_problem{400, to_string(*error), error->field};
  const auto& document = std::get<json>(read);
  if (!document.is_object())
    return invalid_content(
      {{"", fmt::format("must be an object such as {{\"by\": \"anna\"}}, not {}", describe_value(document))}});
  const bool takes_reason = asked == "cancel" || asked == "terminate";
  const bool takes_note = asked == "resolve";
  size_t error_room = request_errors_max;
  member_reader members(document, "", error_room);
  if (!takes_reason && !takes_note && members.find("reason"))
    members.refuse("reason", fmt::format("is only for a cancellation; to {} takes \"by\" alone", asked));
  else
    check_members(document, {"by", takes_note ? "note" : "reason"}, "", members.errors);
  const auto by = members.text("by", wish_by_characters_max).value_or(std::string(wish_by_default));
  if (takes_note) {
    const auto note = members.required_text("note", wish_reason_characters_max, "refunded by hand");
    if (!members.errors.empty())
      return invalid_content(members.errors.take());
    return wish(resolve_asked{by, note});
  }
  const auto reason = members.text("reason", wish_reason_characters_max).value_or("");
  if (!members.errors.empty())
    return invalid_content(members.errors.take());
  if (asked == "terminate")
    return wish(terminate_asked{by, reason});
  if (asked == "cancel")
    return wish(cancel_asked{by, reason});
  if (asked == "pause")
    return wish(pause_asked{by});
  if (asked == "resume")
    return wish(resume_asked{by});
  return wish(retry_asked{by});
}

} // namespace levain
