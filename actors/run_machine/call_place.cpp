#include "actors/run_machine/call_place.hpp"

namespace levain {

std::string shown_url(std::string url) {
  // The `?` and `#` of a reference or a variable cannot be: their names have none.
  url.erase(std::min(url.find_first_of("?#"), url.size()));
  const auto scheme = url.find("://");
  const auto host = scheme == std::string::npos ? 0 : scheme + 3;
  const auto host_end = std::min(url.find('/', host), url.size());
  if (const auto at = url.rfind('@', host_end); at != std::string::npos && at >= host && at < host_end)
    url.erase(host, at + 1 - host);
  return url;
}

std::string no_worker_message(const std::string& kind) {
  return "no worker offers steps of kind '" + kind + "'";
}

std::string busy_workers_message(const std::string& kind) {
  return "every worker that offers steps of kind '" + kind + "' is busy";
}

bool is_without_worker(const call_spec& call, const call_failure& failure) {
  const auto* worker = std::get_if<worker_call>(&call);
  return worker != nullptr && failure.kind == call_failure::kind_type::retryable &&
         failure.message.starts_with(no_worker_message(worker->kind));
}

std::string call_place(const run_state& state, step_index step, bool undo, const call_variables& variables) {
  const auto& definition = state.workflow->steps[step];
  const auto& call = undo ? definition.compensate->call : definition.call;
  if (const auto* worker = std::get_if<worker_call>(&call))
    return "worker kind " + worker->kind;
  if (const auto* function = std::get_if<function_call>(&call))
    return "function " + function->name;
  const auto* http = std::get_if<http_call>(&call);
  if (http == nullptr)
    return "simulated call";
  const auto prepared = prepare_call(state, step, undo, variables);
  if (const auto* request = std::get_if<call_request>(&prepared))
    return request->name;
  return http->method + " " + shown_url(http->url);
}

} // namespace levain
