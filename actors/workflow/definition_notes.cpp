#include "actors/workflow/definition_notes.hpp"

#include "actors/cluster/wire_kind.hpp"
#include "actors/workflow/strict_json.hpp"
#include "persistence/utf8.hpp"

namespace levain {

namespace {

using nlohmann::json;

std::string too_long(size_t characters_max, std::string_view text) {
  return "must be at most " + std::to_string(characters_max) + " characters, not " +
         std::to_string(count_characters(text));
}

void check_label(const std::string& name, const json& value, const std::string& place, error_list& errors) {
  if (!is_kind(name))
    return errors.add(place, "must have a name of " + std::string(kind_rule));
  if (!value.is_string())
    return errors.add(place, "must be a text, not " + describe_value(value));
  const auto& text = value.get_ref<const std::string&>();
  if (count_characters(text) > label_characters_max)
    errors.add(place, too_long(label_characters_max, text));
}

} // namespace

void check_notes(object_reader& reader, error_list& errors) {
  if (const auto* text = reader.read_text("description", "a text"))
    if (count_characters(*text) > description_characters_max)
      reader.report("description", too_long(description_characters_max, *text));
  const auto* labels = reader.find("labels");
  if (!labels)
    return;
  if (!labels->is_object())
    return reader.report("labels", "must be an object of names and texts, not " + describe_value(*labels));
  if (labels->size() > labels_max)
    return reader.report(
      "labels", "must be at most " + std::to_string(labels_max) + ", not " + std::to_string(labels->size()));
  const auto place = reader.place_of("labels");
  for (const auto& [name, value] : labels->items())
    check_label(name, value, member_place(place, name), errors);
}

void check_schema_name(object_reader& reader) {
  reader.read_text("$schema", "a text such as \"workflow.schema.json\"");
}

} // namespace levain
