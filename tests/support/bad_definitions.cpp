#include "tests/support/bad_definitions.hpp"

#include <string_view>
#include <utility>

using namespace std::string_literals;

namespace levain {

namespace {

/// A definition whose root has these members beside or instead of the usual ones.
std::string root_of(const std::string& members) {
  return "{" + members + "}";
}

std::string steps_of(const std::string& steps) {
  return root_of(R"("workflow": "w", "version": 1, "steps": [)" + steps + "]");
}

/// One step with a call and these members.
std::string step_of(const std::string& members) {
  return steps_of(R"({"name": "a", "call": {"simulate": {}}, )" + members + "}");
}

std::string call_of(const std::string& call) {
  return steps_of(R"({"name": "a", "call": {)" + call + "}}");
}

std::string simulate_of(const std::string& members) {
  return call_of(R"("simulate": {)" + members + "}");
}

std::string url_of(const std::string& url) {
  return call_of(R"("http": {"url": ")" + url + R"("})");
}

std::string header_of(const std::string& headers) {
  return call_of(R"("http": {"url": "http://h/", "headers": )" + headers + "}");
}

std::string run_retries_of(const std::string& members) {
  return root_of(
    R"("workflow": "w", "version": 1, "run_retries": {)" + members +
    R"(}, "steps": [{"name": "a", "call": {"simulate": {}}}])");
}

/// Two steps, `a` and `b`, with these members each.
std::string pair_of(const std::string& first, const std::string& second) {
  const std::string call = R"("call": {"simulate": {}})";
  return steps_of(R"({"name": "a", )" + call + first + R"(}, {"name": "b", )" + call + second + "}");
}

std::string many_steps(int count) {
  std::string steps;
  for (int i = 0; i < count; ++i)
    steps += (i ? ", " : "") + R"({"name": "s)"s + std::to_string(i) + R"(", "call": {"simulate": {}}})";
  return steps_of(steps);
}

std::string nested(int depth) {
  return simulate_of(
    R"("output": )" + std::string(static_cast<size_t>(depth), '[') + std::string(static_cast<size_t>(depth), ']'));
}

std::vector<bad_definition> wrong_texts() {
  return {
    {"nothing at all", "",
     "must be JSON, and it ends too early: while parsing value - unexpected end of input; expected '[', '{', or a "
     "literal"},
    {"a text that ends too early", R"({"workflow": "w")",
     "must be JSON, and it ends too early: while parsing object - unexpected end of input; expected '}'"},
    {"something behind the end", R"({"workflow": "w"} x)",
     "must be JSON, which it is not at byte 19: while parsing value - invalid literal; expected end of input"},
    {"a comment", "{ // the night\n}",
     "must be JSON, which it is not at byte 3: while parsing object key - invalid literal; expected string literal"},
    {"a comma before the end", R"({"version": 1,})",
     "must be JSON, which it is not at byte 15: while parsing object key - unexpected '}'; expected string literal"},
    {"single quotes", "{'workflow': 'w'}",
     "must be JSON, which it is not at byte 2: while parsing object key - invalid literal; expected string literal"},
    {"a list", "[]", "must be an object, not a list"},
    {"a text", R"("daily_bakery")", R"(must be an object, not "daily_bakery")"},
    {"null", "null", "must be an object, not null"},
    {"a member twice", R"({"workflow": "w", "version": 1, "workflow": "v"})",
     "workflow: is there twice, the second time at byte 33"},
    {"a member of a step twice", steps_of(R"({"name": "a", "retry": {"jitter": 0, "jitter": 1}})"),
     "steps[0].retry.jitter: is there twice, the second time at byte 80"},
    {"bytes that are not UTF-8", "{\"workflow\": \"caf\xe9\"}", "must be UTF-8, which byte 18 is not"},
    {"a NUL byte", "{\"workflow\": \"a\0b\"}"s, "must not hold a NUL, there is one at byte 16"},
    {"a NUL written as an escape", R"({"workflow": "a\u0000b"})",
     R"(must not hold a NUL, the text at byte 14 does (\u0000))"},
    {"half a surrogate pair", R"({"workflow": "\ud800"})",
     "must be JSON, which it is not at byte 21: while parsing value - invalid string: surrogate U+D800..U+DBFF must be "
     "followed by U+DC00..U+DFFF"},
    {"a number out of range", R"({"version": 1e999})",
     "must be JSON, which it is not at byte 17: the number is out of range"},
    {"nested too deep", nested(40), "must not be nested deeper than 32, byte 116 begins another level"},
    {"too many bytes", simulate_of(R"("output": ")" + std::string(1024 * 1024, 'x') + "\""),
     "must be at most 1048576 bytes, not 1048671"},
  };
}

std::vector<bad_definition> wrong_roots() {
  const std::string steps = R"("steps": [{"name": "a", "call": {"simulate": {}}}])";
  return {
    {"no name", root_of(R"("version": 1, )" + steps),
     "workflow: is missing, must be lower-case letters, digits, '_' and '-', a letter first, at most 100 bytes"},
    {"a name of another type", root_of(R"("workflow": 7, "version": 1, )" + steps),
     "workflow: must be lower-case letters, digits, '_' and '-', a letter first, at most 100 bytes, not 7"},
    {"a name with capitals", root_of(R"("workflow": "DailyBakery", "version": 1, )" + steps),
     R"(workflow: must be lower-case letters, digits, '_' and '-', a letter first, at most 100 bytes, not "DailyBakery")"},
    {"a name that is too long", root_of(R"("workflow": ")" + std::string(101, 'w') + R"(", "version": 1, )" + steps),
     R"(workflow: must be lower-case letters, digits, '_' and '-', a letter first, at most 100 bytes, not "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww...")"},
    {"an empty name", root_of(R"("workflow": "", "version": 1, )" + steps),
     R"(workflow: must be lower-case letters, digits, '_' and '-', a letter first, at most 100 bytes, not "")"},
    {"no version", root_of(R"("workflow": "w", )" + steps),
     "version: is missing, must be a whole number of at least 1"},
    {"version zero", root_of(R"("workflow": "w", "version": 0, )" + steps), "version: must be at least 1, not 0"},
    {"a negative version", root_of(R"("workflow": "w", "version": -1, )" + steps),
     "version: must be at least 1, not -1"},
    {"a version that is too large", root_of(R"("workflow": "w", "version": 2147483648, )" + steps),
     "version: must be at most 2147483647, not 2147483648"},
    {"a version with a fraction", root_of(R"("workflow": "w", "version": 1.5, )" + steps),
     "version: must be a whole number, not 1.5"},
    {"a version in quotes", root_of(R"("workflow": "w", "version": "1", )" + steps),
     R"(version: must be a whole number, not "1")"},
    {"a misspelt member", root_of(R"("workflow": "w", "verison": 1, )" + steps),
     "verison: is not known here; did you mean 'version'?"},
    {"a member with a strange name", root_of(R"("a b\n": 1, "workflow": "w", "version": 1, )" + steps),
     R"(["a b\n"]: is not known here; known are workflow, version, run_retries, steps, description, labels or $schema)"},
    {"a description that is too long",
     root_of(R"("workflow": "w", "version": 1, "description": ")" + std::string(2001, 'd') + R"(", )" + steps),
     "description: must be at most 2000 characters, not 2001"},
    {"a description that is a list", root_of(R"("workflow": "w", "version": 1, "description": [], )" + steps),
     "description: must be a text, not a list"},
    {"a $schema that is a number", root_of(R"("workflow": "w", "version": 1, "$schema": 7, )" + steps),
     R"(["$schema"]: must be a text such as "workflow.schema.json", not 7)"},
    {"labels that are a list", root_of(R"("workflow": "w", "version": 1, "labels": ["nightly"], )" + steps),
     "labels: must be an object of names and texts, not a list"},
    {"no steps", root_of(R"("workflow": "w", "version": 1)"), "steps: is missing, must be a list of steps"},
    {"an empty list of steps", steps_of(""), "steps: must have at least 1 step, not 0"},
    {"steps that are no list", root_of(R"("workflow": "w", "version": 1, "steps": {})"),
     "steps: must be a list of steps, not an object"},
    {"too many steps", many_steps(201), "steps: must have at most 200 steps, not 201"},
    {"too many retries of the run", run_retries_of(R"("max": 101)"), "run_retries.max: must be at most 100, not 101"},
    {"a longest wait below the first", run_retries_of(R"("initial_interval": "5m", "max_interval": "1m")"),
     "run_retries.max_interval: must be at least initial_interval (5m), not 1m"},
    {"a member of retry in run_retries", run_retries_of(R"("max_attempts": 3)"),
     "run_retries.max_attempts: is not known here; known are max, initial_interval, backoff or max_interval"},
    {"run_retries that is a number", root_of(R"("workflow": "w", "version": 1, "run_retries": 3, )" + steps),
     "run_retries: must be an object, not 3"},
  };
}

std::vector<bad_definition> wrong_steps() {
  return {
    {"a step that is a text", steps_of(R"("forecasting")"), R"(steps[0]: must be an object, not "forecasting")"},
    {"a step without a name", steps_of(R"({"call": {"simulate": {}}})"),
     "steps[0].name: is missing, must be lower-case letters, digits, '_' and '-', a letter first, at most 100 bytes"},
    {"a step's name with a blank", steps_of(R"({"name": "bake bread", "call": {"simulate": {}}})"),
     R"(steps[0].name: must be lower-case letters, digits, '_' and '-', a letter first, at most 100 bytes, not "bake bread")"},
    {"two steps of one name",
     steps_of(R"({"name": "a", "call": {"simulate": {}}}, {"name": "a", "call": {"simulate": {}}})"),
     "steps[1].name: 'a' is the name of steps[0] already"},
    {"a misspelt member of a step", step_of(R"("tiemout": "3s")"),
     "steps[0].tiemout: is not known here; did you mean 'timeout'?"},
    {"a member that no step has", step_of(R"("when": "late")"),
     "steps[0].when: is not known here; known are name, audit, call, timeout, retry, needs, after, on_failure, effect, "
     "compensate, record, queue_timeout, compensate_when, description or labels"},
    {"a label that is a number", step_of(R"("labels": {"shift": 2})"), "steps[0].labels.shift: must be a text, not 2"},
    {"a label's name with a blank", step_of(R"("labels": {"late shift": "yes"})"),
     R"(steps[0].labels["late shift"]: must have a name of letters, digits, '_', '-' and '.', a letter first, at most 100 bytes)"},
    {"a label that is too long", step_of(R"("labels": {"shift": ")" + std::string(257, 's') + R"("})"),
     "steps[0].labels.shift: must be at most 256 characters, not 257"},
    {"a step's name that begins with a hyphen", steps_of(R"({"name": "-bake", "call": {"simulate": {}}})"),
     R"(steps[0].name: must be lower-case letters, digits, '_' and '-', a letter first, at most 100 bytes, not "-bake")"},
    {"an unknown audit group", step_of(R"("audit": "baking")"),
     R"(steps[0].audit: must be one of forecasting, production, procurement, notification, notifications, ai_insights, not "baking")"},
    {"a timeout that is a number", step_of(R"("timeout": 30)"),
     R"(steps[0].timeout: must be a time such as "500ms", "30s", "5m", "2h" or "1d", not 30)"},
    {"a timeout without a unit", step_of(R"("timeout": "30")"),
     R"(steps[0].timeout: must be a time such as "500ms", "30s", "5m", "2h" or "1d", not "30")"},
    {"a timeout with a fraction", step_of(R"("timeout": "1.5s")"),
     R"(steps[0].timeout: must be a time such as "500ms", "30s", "5m", "2h" or "1d", not "1.5s")"},
    {"a timeout of nothing", step_of(R"("timeout": "0s")"), "steps[0].timeout: must be at least 1ms, not 0s"},
    {"a timeout that is too long", step_of(R"("timeout": "8d")"), "steps[0].timeout: must be at most 7d, not 8d"},
    {"a timeout beyond counting", step_of(R"("timeout": "99999999999999999d")"),
     R"(steps[0].timeout: must be a time such as "500ms", "30s", "5m", "2h" or "1d", not "99999999999999999d")"},
    {"no attempt", step_of(R"("retry": {"max_attempts": 0})"),
     "steps[0].retry.max_attempts: must be at least 1, not 0"},
    {"too many attempts", step_of(R"("retry": {"max_attempts": 1001})"),
     "steps[0].retry.max_attempts: must be at most 1000, not 1001"},
    {"half an attempt", step_of(R"("retry": {"max_attempts": 2.5})"),
     "steps[0].retry.max_attempts: must be a whole number, not 2.5"},
    {"a backoff that shrinks", step_of(R"("retry": {"backoff": 0.5})"),
     "steps[0].retry.backoff: must be at least 1, not 0.5"},
    {"a backoff that explodes", step_of(R"("retry": {"backoff": 101})"),
     "steps[0].retry.backoff: must be at most 100, not 101"},
    {"a jitter above one", step_of(R"("retry": {"jitter": 1.1})"), "steps[0].retry.jitter: must be at most 1, not 1.1"},
    {"a first wait of nothing", step_of(R"("retry": {"initial_interval": "0ms"})"),
     "steps[0].retry.initial_interval: must be at least 1ms, not 0ms"},
    {"a longest wait that is too long", step_of(R"("retry": {"max_interval": "30d"})"),
     "steps[0].retry.max_interval: must be at most 7d, not 30d"},
    {"an unknown on_failure", step_of(R"("on_failure": "ignore")"),
     R"(steps[0].on_failure: must be one of fail, continue, not "ignore")"},
    {"a limit of the queue that is a number", step_of(R"("queue_timeout": 30)"),
     R"(steps[0].queue_timeout: must be a time such as "500ms", "30s", "5m", "2h" or "1d", not 30)"},
    {"a limit of the queue of nothing", step_of(R"("queue_timeout": "0s")"),
     "steps[0].queue_timeout: must be at least 1ms, not 0s"},
    {"a limit of the queue that is too long", step_of(R"("queue_timeout": "8d")"),
     "steps[0].queue_timeout: must be at most 7d, not 8d"},
    {"an unknown effect", step_of(R"("effect": true)"), "steps[0].effect: must be one of external, none, not true"},
    {"needs that is a text", step_of(R"("needs": "b")"),
     R"(steps[0].needs: must be a list of names of steps, not "b")"},
    {"needs with a number", step_of(R"("needs": [0])"), "steps[0].needs[0]: must be the name of a step, not 0"},
    {"a need that no step is", step_of(R"("needs": ["oven"])"),
     R"(steps[0].needs[0]: must be the name of a step of this workflow, not "oven")"},
    {"an after that no step is", step_of(R"("after": ["oven"])"),
     R"(steps[0].after[0]: must be the name of a step of this workflow, not "oven")"},
    {"a step that needs itself", step_of(R"("needs": ["a"])"),
     "steps[0].needs[0]: must be another step, 'a' cannot wait for itself"},
    {"a need twice", pair_of("", R"(, "needs": ["a", "a"])"), R"(steps[1].needs[1]: is there twice: "a")"},
    {"needs and after of one step", pair_of("", R"(, "needs": ["a"], "after": ["a"])"),
     R"(steps[1].after[0]: is among the needs already: "a")"},
    {"a cycle of needs", pair_of(R"(, "needs": ["b"])", R"(, "needs": ["a"])"), "steps: a needs b needs a"},
    {"a cycle of needs and after", pair_of(R"(, "after": ["b"])", R"(, "needs": ["a"])"), "steps: a after b needs a"},
    {"an unknown column", step_of(R"("record": {"loaves": "/loaves"})"),
     "steps[0].record.loaves: is no column that a step can record, those are ai_insights_generated, "
     "ai_insights_posted, forecasts_generated, production_batches_created, procurement_plans_created, "
     "purchase_orders_created, notifications_sent, forecast_data, forecast_id, production_schedule_id, "
     "procurement_plan_id, fulfillment_rate, on_time_delivery_rate, cost_accuracy, quality_score"},
    {"a column that the engine fills", step_of(R"("record": {"status": "/status"})"),
     "steps[0].record.status: is no column that a step can record, those are ai_insights_generated, "
     "ai_insights_posted, forecasts_generated, production_batches_created, procurement_plans_created, "
     "purchase_orders_created, notifications_sent, forecast_data, forecast_id, production_schedule_id, "
     "procurement_plan_id, fulfillment_rate, on_time_delivery_rate, cost_accuracy, quality_score"},
    {"a pointer without a slash", step_of(R"("record": {"forecast_id": "id"})"),
     R"(steps[0].record.forecast_id: must be a JSON pointer such as "/schedule/id", not "id")"},
    {"a pointer with a broken escape", step_of(R"("record": {"forecast_id": "/a~2"})"),
     R"(steps[0].record.forecast_id: must be a JSON pointer such as "/schedule/id", not "/a~2")"},
    {"a column that two steps record",
     pair_of(R"(, "record": {"quality_score": "/q"})", R"(, "record": {"quality_score": "/r"})"),
     "steps[1].record.quality_score: is recorded by steps[0].record.quality_score already"},
    {"record that is a list", step_of(R"("record": ["forecast_id"])"),
     "steps[0].record: must be an object of columns and JSON pointers, not a list"},
    {"a compensation without a call", step_of(R"("compensate": {"timeout": "3s"})"),
     "steps[0].compensate: must have exactly one of http, worker, function, simulate, not none"},
    {"a compensation in a call", step_of(R"("compensate": {"call": {"simulate": {}}})"),
     "steps[0].compensate.call: is not known here; known are http, worker, function, simulate, timeout, retry or "
     "queue_timeout"},
    {"an unknown occasion to compensate", step_of(R"("compensate": {"simulate": {}}, "compensate_when": "failed")"),
     R"(steps[0].compensate_when: must be one of succeeded, attempted, not "failed")"},
    {"an occasion to compensate without a compensation", step_of(R"("compensate_when": "attempted")"),
     "steps[0].compensate_when: says when the step is undone, and the step has no compensate"},
    {"a compensation with a wrong limit of the queue",
     step_of(R"("compensate": {"simulate": {}, "queue_timeout": "soon"})"),
     R"(steps[0].compensate.queue_timeout: must be a time such as "500ms", "30s", "5m", "2h" or "1d", not "soon")"},
    {"a compensation with a wrong timeout", step_of(R"("compensate": {"simulate": {}, "timeout": "0s"})"),
     "steps[0].compensate.timeout: must be at least 1ms, not 0s"},
  };
}

std::vector<bad_definition> wrong_calls() {
  return {
    {"a step without a call", steps_of(R"({"name": "a"})"),
     "steps[0].call: is missing, must be an object with one of http, worker, function, simulate"},
    {"a call that is a text", steps_of(R"({"name": "a", "call": "http://h/"})"),
     R"(steps[0].call: must be an object, not "http://h/")"},
    {"an empty call", call_of(""),
     "steps[0].call: must have exactly one of http, worker, function, simulate, not none"},
    {"two calls in one", call_of(R"("http": {"url": "http://h/"}, "worker": {"kind": "k"})"),
     "steps[0].call: must have exactly one of http, worker, function, simulate, not http and worker"},
    {"an unknown kind of call", call_of(R"("grpc": {})"),
     "steps[0].call.grpc: is not known here; known are http, worker, function or simulate"},
    {"an unknown method", call_of(R"("http": {"method": "post", "url": "http://h/"})"),
     R"(steps[0].call.http.method: must be one of GET, POST, PUT, PATCH, DELETE, not "post")"},
    {"no URL", call_of(R"("http": {})"),
     R"(steps[0].call.http.url: is missing, must be a URL such as "${forecasting_url}/forecasts")"},
    {"a URL of another scheme", url_of("ftp://h/"),
     R"(steps[0].call.http.url: must begin with http://, https:// or ${, not "ftp://h/")"},
    {"a URL without a host", url_of("http:///forecasts"),
     R"(steps[0].call.http.url: must name a host, not "http:///forecasts")"},
    {"a URL whose host is a value", url_of("http://{input.host}/forecasts"),
     "steps[0].call.http.url: must have '{input.host}' in its path or behind it; a value may not choose the host"},
    {"a URL whose port is a value", url_of("https://h:{input.port}"),
     "steps[0].call.http.url: must have '{input.port}' in its path or behind it; a value may not choose the host"},
    {"a URL with a value behind its host", url_of("http://h{run.id}?a=b"),
     "steps[0].call.http.url: must have '{run.id}' in its path or behind it; a value may not choose the host"},
    {"a URL with a blank", url_of("http://h/a b"),
     "steps[0].call.http.url: must have no blanks and no control characters, write them percent-encoded"},
    {"a URL with a tab", url_of("http://h/a\\tb"),
     "steps[0].call.http.url: must have no blanks and no control characters, write them percent-encoded"},
    {"a template that is not closed", url_of("http://h/{input.a"),
     "steps[0].call.http.url: byte 10: '{' has no '}' after it; write '{{' for a brace itself"},
    {"a variable without a name", url_of("${}/forecasts"),
     "steps[0].call.http.url: byte 1: '${}' must name a variable: a letter or '_', then letters, digits and '_'"},
    {"a reference to nothing known", url_of("http://h/{output.a}"),
     "steps[0].call.http.url: byte 10: '{output.a}' must begin with 'results.', 'input.' or 'run.'"},
    {"a reference to an unknown step", url_of("http://h/{results.oven.id}"),
     "steps[0].call.http.url: '{results.oven.id}' names the step 'oven', which this workflow does not have"},
    {"a reference to the step itself", url_of("http://h/{results.a.id}"),
     "steps[0].call.http.url: '{results.a.id}' must name a step that 'a' needs, which 'a' is not"},
    {"a reference to a step that may not have succeeded",
     steps_of(
       R"({"name": "a", "call": {"simulate": {}}}, {"name": "b", "after": ["a"], "call": {"http": {"url": "http://h/{results.a.id}"}}})"),
     "steps[1].call.http.url: '{results.a.id}' must name a step that 'b' needs, which 'a' is not"},
    {"a compensation that refers to a later step",
     steps_of(
       R"({"name": "a", "call": {"simulate": {}}, "compensate": {"http": {"url": "http://h/{results.b.id}"}}}, {"name": "b", "needs": ["a"], "call": {"simulate": {}}})"),
     "steps[0].compensate.http.url: '{results.b.id}' must name 'a' or a step that it needs, which 'b' is not"},
    {"headers that are a list", header_of(R"(["X-A: 1"])"),
     "steps[0].call.http.headers: must be an object of names and texts, not a list"},
    {"a header's name with a blank", header_of(R"({"X A": "1"})"),
     R"(steps[0].call.http.headers["X A"]: must be the name of a header: letters, digits and !#$%&'*+-.^_`|~)"},
    {"a header that is a number", header_of(R"({"X-A": 1})"), "steps[0].call.http.headers.X-A: must be a text, not 1"},
    {"a header with a line break", header_of(R"({"X-A": "1\r\nX-B: 2"})"),
     "steps[0].call.http.headers.X-A: must have no control characters"},
    {"a header that the engine sets", header_of(R"({"Idempotency-Key": "1"})"),
     "steps[0].call.http.headers.Idempotency-Key: is set by the engine and cannot be given here"},
    {"a header twice", header_of(R"({"X-A": "1", "x-a": "2"})"),
     "steps[0].call.http.headers.x-a: is there twice, the case of letters does not count in headers"},
    {"a header that refers to an unknown step", header_of(R"({"X-A": "{results.oven.id}"})"),
     "steps[0].call.http.headers.X-A: '{results.oven.id}' names the step 'oven', which this workflow does not have"},
    {"a worker without a kind", call_of(R"("worker": {})"),
     "steps[0].call.worker.kind: is missing, must be letters, digits, '_', '-' and '.', a letter first, at most 100 "
     "bytes"},
    {"a worker's kind with a blank", call_of(R"("worker": {"kind": "bake bread"})"),
     R"(steps[0].call.worker.kind: must be letters, digits, '_', '-' and '.', a letter first, at most 100 bytes, not "bake bread")"},
    {"a heartbeat that is too often", call_of(R"("worker": {"kind": "k", "heartbeat": "99ms"})"),
     "steps[0].call.worker.heartbeat: must be at least 100ms, not 99ms"},
    {"a heartbeat that is a number", call_of(R"("worker": {"kind": "k", "heartbeat": 10})"),
     R"(steps[0].call.worker.heartbeat: must be a time such as "500ms", "30s", "5m", "2h" or "1d", not 10)"},
    {"a heartbeat that is longer than the timeout", call_of(R"("worker": {"kind": "k", "heartbeat": "31s"})"),
     "steps[0].call.worker.heartbeat: must be at most timeout (30s), not 31s"},
    {"a function without a name", call_of(R"("function": {"nmae": "f"})"),
     "steps[0].call.function.nmae: is not known here; did you mean 'name'?"},
    {"a function that is a text", call_of(R"("function": "f")"),
     R"(steps[0].call.function: must be an object, not "f")"},
    {"an unknown distribution", simulate_of(R"("distribution": "normal")"),
     R"(steps[0].call.simulate.distribution: must be one of constant, uniform, exponential, lognormal, not "normal")"},
    {"a failure rate above one", simulate_of(R"("fail_rate": 1.5)"),
     "steps[0].call.simulate.fail_rate: must be at most 1, not 1.5"},
    {"failure rates above one together", simulate_of(R"("fail_rate": 0.75, "fail_final_rate": 0.5)"),
     "steps[0].call.simulate.fail_final_rate: must be at most 1 together with fail_rate, not 1.25"},
    {"a bound for a constant", simulate_of(R"("time": "1s", "time_max": "2s")"),
     "steps[0].call.simulate.time_max: is for the distribution uniform only"},
    {"an upper bound below the lower", simulate_of(R"("distribution": "uniform", "time": "2s", "time_max": "1s")"),
     "steps[0].call.simulate.time_max: must be at least time (2s), not 1s"},
    {"a sigma for a constant", simulate_of(R"("sigma": 1)"),
     "steps[0].call.simulate.sigma: is for the distribution lognormal only"},
    {"a sigma that is too large", simulate_of(R"("distribution": "lognormal", "sigma": 6)"),
     "steps[0].call.simulate.sigma: must be at most 5, not 6"},
    {"a negative seed", simulate_of(R"("seed": -1)"),
     "steps[0].call.simulate.seed: must be a whole number from 0 to 18446744073709551615, not -1"},
  };
}

} // namespace

const std::vector<bad_definition>& bad_definitions() {
  static const auto all = [] {
    auto table = wrong_texts();
    for (auto* part : {&wrong_roots, &wrong_steps, &wrong_calls})
      for (auto& wrong : part())
        table.push_back(std::move(wrong));
    return table;
  }();
  return all;
}

} // namespace levain
