#include "actors/workflow/definition_members.hpp"

#include <array>

namespace levain {

namespace {

using name = std::string_view;

struct object_members {
  definition_object kind;
  name text;
  std::span<const name> members;
};

constexpr std::array definition_names = {name("workflow"),    name("version"), name("run_retries"), name("steps"),
                                         name("description"), name("labels"),  name("$schema")};
constexpr std::array run_retries_names = {name("max"), name("initial_interval"), name("backoff"), name("max_interval")};
constexpr std::array step_names = {
  name("name"),
  name("audit"),
  name("call"),
  name("timeout"),
  name("retry"),
  name("needs"),
  name("after"),
  name("on_failure"),
  name("effect"),
  name("compensate"),
  name("record"),
  name("queue_timeout"),
  name("compensate_when"),
  name("description"),
  name("labels")};
constexpr std::array retry_names = {
  name("max_attempts"), name("initial_interval"), name("backoff"), name("max_interval"), name("jitter")};
constexpr std::array call_names = {name("http"), name("worker"), name("function"), name("simulate")};
constexpr std::array compensation_names = {name("http"),    name("worker"), name("function"),     name("simulate"),
                                           name("timeout"), name("retry"),  name("queue_timeout")};
constexpr std::array http_names = {name("method"), name("url"), name("headers")};
constexpr std::array worker_names = {name("kind"), name("heartbeat")};
constexpr std::array function_names = {name("name")};
constexpr std::array simulate_names = {name("distribution"), name("time"),      name("time_max"),
                                       name("sigma"),        name("fail_rate"), name("fail_final_rate"),
                                       name("fail_first"),   name("output"),    name("seed")};

constexpr std::array kinds = {
  definition_object::definition, definition_object::run_retries,  definition_object::step, definition_object::retry,
  definition_object::call,       definition_object::compensation, definition_object::http, definition_object::worker,
  definition_object::function,   definition_object::simulate,
};

object_members members_of(definition_object kind) {
  switch (kind) {
  case definition_object::definition:
    return {kind, "definition", definition_names};
  case definition_object::run_retries:
    return {kind, "run_retries", run_retries_names};
  case definition_object::step:
    return {kind, "step", step_names};
  case definition_object::retry:
    return {kind, "retry", retry_names};
  case definition_object::call:
    return {kind, "call", call_names};
  case definition_object::compensation:
    return {kind, "compensation", compensation_names};
  case definition_object::http:
    return {kind, "http", http_names};
  case definition_object::worker:
    return {kind, "worker", worker_names};
  case definition_object::function:
    return {kind, "function", function_names};
  case definition_object::simulate:
    return {kind, "simulate", simulate_names};
  }
  return {kind, "", {}};
}

} // namespace

std::span<const definition_object> definition_objects() {
  return kinds;
}

std::string_view to_string(definition_object kind) {
  return members_of(kind).text;
}

std::span<const std::string_view> definition_members(definition_object kind) {
  return members_of(kind).members;
}

} // namespace levain
