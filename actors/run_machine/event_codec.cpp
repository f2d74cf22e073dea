#include "actors/run_machine/event.hpp"

#include <initializer_list>
#include <limits>

#include <nlohmann/json.hpp>

#include "actors/run_machine/json_text.hpp"
#include "actors/run_machine/machine.hpp"
#include "actors/run_machine/output.hpp"
#include "actors/run_machine/words.hpp"
#include "persistence/exact_json.hpp"

namespace levain {

namespace {

using nlohmann::json;

// ---- writing ----------------------------------------------------------------

/// Writes one flat object member by member; JSON texts go in as they are, without being read again.
class body_writer {
public:
  void text(std::string_view name, std::string_view value) {
    begin(name);
    append_json_text(body_, value);
  }
  void number(std::string_view name, int64_t value) { raw(name, std::to_string(value)); }
  void raw(std::string_view name, std::string_view json_text) {
    begin(name);
    body_ += json_text;
  }
  void text_unless_empty(std::string_view name, std::string_view value) {
    if (!value.empty())
      text(name, value);
  }
  std::string finish() && {
    if (!body_.empty())
      body_ += '}';
    return std::move(body_);
  }

private:
  void begin(std::string_view name) {
    body_ += body_.empty() ? '{' : ',';
    body_ += '"';
    body_ += name;
    body_ += "\":";
  }

  std::string body_;
};

void write_plan(body_writer& body, const run_plan& plan) {
  body.text("run", to_string(plan.run));
  body.text("run_number", plan.run_number);
  body.text("tenant", to_string(plan.tenant));
  body.text("workflow", plan.workflow);
  body.number("version", plan.workflow_version);
  body.text("run_type", plan.run_type);
  body.text("priority", plan.priority);
  if (plan.triggered_by)
    body.text("triggered_by", *plan.triggered_by);
  body.raw("input", plan.input);
  if (plan.metadata)
    body.raw("metadata", *plan.metadata);
}

void write_failure(body_writer& body, const call_failure& failure) {
  body.text("kind", to_string(failure.kind));
  body.text("message", failure.message);
  if (failure.retry_after)
    body.number("retry_after_us", failure.retry_after->count());
  if (failure.unknown)
    body.raw("unknown", "true");
}

std::string write_body(const event& fact) {
  body_writer body;
  if (fact.plan)
    write_plan(body, *fact.plan);
  if (fact.kind == event_kind::step_succeeded)
    body.raw("output", fact.output);
  if (fact.failure)
    write_failure(body, *fact.failure);
  if (fact.due_at)
    body.text("due_at", to_rfc3339(*fact.due_at));
  body.text_unless_empty("by", fact.by);
  body.text_unless_empty("reason", fact.reason);
  body.text_unless_empty("worker", fact.worker);
  if (fact.queued > duration(0))
    body.number("queued_us", fact.queued.count());
  if (fact.renews_keys)
    body.raw("renews_keys", "true");
  return std::move(body).finish();
}

// ---- reading ----------------------------------------------------------------

/// Reads one event's body member by member and complains by the event's number.
class body_reader {
public:
  explicit body_reader(const event_record& record)
    : record_(record) {
    // What a body carries stands one level below it.
    if (is_deeper_than(record.body, output_depth_max + 1))
      damaged("its body is nested deeper than " + std::to_string(output_depth_max + 1) + " levels");
    if (!record.body.empty())
      value_ = read_exact_json(record.body);
    if (!value_.is_object())
      damaged("its body is not a JSON object");
  }

  [[noreturn]] void damaged(std::string_view what) const {
    throw broken_journal(
      "event " + std::to_string(record_.seq) + " (" + std::string(to_string(record_.kind)) + "): " + std::string(what));
  }

  /// The member, taken out of the body; null when there is none.
  std::optional<json> take(const char* name) {
    auto found = value_.find(name);
    if (found == value_.end())
      return std::nullopt;
    auto member = std::move(*found);
    value_.erase(found);
    return member;
  }

  json need(const char* name) {
    auto member = take(name);
    if (!member)
      damaged("its body has no member '" + std::string(name) + "'");
    return std::move(*member);
  }

  /// False when there is none.
  bool take_flag(const char* name) {
    auto member = take(name);
    if (member && !member->is_boolean())
      damaged("'" + std::string(name) + "' must be true or false");
    return member && member->get<bool>();
  }

  std::optional<std::string> take_text(const char* name) {
    auto member = take(name);
    if (member && !member->is_string())
      damaged("'" + std::string(name) + "' must be a text");
    return member ? std::optional(member->get<std::string>()) : std::nullopt;
  }

  std::string need_text(const char* name) {
    auto text = take_text(name);
    if (!text)
      damaged("its body has no member '" + std::string(name) + "'");
    return std::move(*text);
  }

  int64_t as_number(const json& member, const char* name) const {
    if (!member.is_number_integer())
      damaged("'" + std::string(name) + "' must be a whole number");
    return member.get<int64_t>();
  }

  uuid need_uuid(const char* name) {
    auto text = need_text(name);
    auto id = uuid::parse(text);
    if (!id)
      damaged("'" + std::string(name) + "' must be a UUID, not '" + text + "'");
    return *id;
  }

  timestamp need_timestamp(const char* name) {
    auto text = need_text(name);
    auto at = parse_timestamp(text);
    if (!at)
      damaged("'" + std::string(name) + "' must be a time as RFC 3339 writes it, not '" + text + "'");
    return *at;
  }

  std::string need_canonical(const char* name) { return as_canonical(need(name), name); }

  std::string as_canonical(const json& member, const char* name) const {
    auto read = canonical_json(write_exact_json(member), "'" + std::string(name) + "'");
    if (auto* fault = std::get_if<unusable_json>(&read))
      damaged(fault->message);
    return std::get<std::string>(std::move(read));
  }

  /// To be called last: nothing unknown may be left.
  void finish() const {
    if (!value_.empty())
      damaged("its body has the unknown member '" + value_.begin().key() + "'");
  }

private:
  const event_record& record_;
  json value_ = json::object();
};

run_plan read_plan(body_reader& body) {
  run_plan plan;
  plan.run.value = body.need_uuid("run");
  plan.run_number = body.need_text("run_number");
  plan.tenant.value = body.need_uuid("tenant");
  plan.workflow = body.need_text("workflow");
  auto version = body.as_number(body.need("version"), "version");
  if (version < 1 || version > std::numeric_limits<int32_t>::max())
    body.damaged("'version' must be at least 1, not " + std::to_string(version));
  plan.workflow_version = static_cast<int32_t>(version);
  plan.run_type = body.need_text("run_type");
  plan.priority = body.need_text("priority");
  plan.triggered_by = body.take_text("triggered_by");
  plan.input = body.need_canonical("input");
  if (auto metadata = body.take("metadata")) {
    if (!metadata->is_object())
      body.damaged("'metadata' must be an object");
    plan.metadata = body.as_canonical(*metadata, "metadata");
  }
  return plan;
}

call_failure read_failure(body_reader& body) {
  call_failure failure;
  auto kind_text = body.need_text("kind");
  auto kind = parse_failure_kind(kind_text);
  if (!kind)
    body.damaged("'" + kind_text + "' is no kind of failure");
  failure.kind = *kind;
  failure.message = body.need_text("message");
  if (auto wait = body.take("retry_after_us"))
    failure.retry_after = duration(body.as_number(*wait, "retry_after_us"));
  failure.unknown = body.take_flag("unknown");
  return failure;
}

void read_output(body_reader& body, event& fact, const workflow_definition& workflow) {
  // Read as an answer is, but for the length: the database may have spread it (`[1, 2]`, `1e20`).
  auto text = write_exact_json(body.need("output"));
  auto checked = check_output(workflow.steps[*fact.step], text, std::numeric_limits<size_t>::max());
  if (auto* fault = std::get_if<unusable_json>(&checked))
    body.damaged("its output cannot be used: " + fault->message);
  auto& usable = std::get<usable_output>(checked);
  fact.output = std::move(usable.text);
  fact.recorded = std::move(usable.recorded);
}

/// Who had an attempt, and how long it waited before.
void read_work(body_reader& body, event& fact) {
  fact.worker = body.take_text("worker").value_or("");
  if (auto queued = body.take("queued_us")) {
    fact.queued = duration(body.as_number(*queued, "queued_us"));
    if (fact.queued <= duration(0))
      body.damaged("'queued_us' must be above 0");
  }
}

void read_body(body_reader& body, event& fact, const workflow_definition& workflow) {
  switch (fact.kind) {
  case event_kind::run_accepted:
    fact.plan = read_plan(body);
    break;
  case event_kind::step_succeeded:
    read_output(body, fact, workflow);
    read_work(body, fact);
    break;
  case event_kind::step_compensated:
    read_work(body, fact);
    break;
  case event_kind::attempt_failed:
  case event_kind::compensation_attempt_failed:
    fact.failure = read_failure(body);
    fact.due_at = body.need_timestamp("due_at");
    read_work(body, fact);
    break;
  case event_kind::step_failed:
  case event_kind::compensation_failed:
    fact.failure = read_failure(body);
    read_work(body, fact);
    break;
  case event_kind::step_skipped:
    fact.reason = body.need_text("reason");
    break;
  case event_kind::run_retry_scheduled:
    fact.due_at = body.need_timestamp("due_at");
    break;
  case event_kind::run_paused:
  case event_kind::run_resumed:
    fact.by = body.take_text("by").value_or("");
    break;
  case event_kind::run_retried:
    fact.by = body.take_text("by").value_or("");
    fact.renews_keys = body.take_flag("renews_keys");
    break;
  case event_kind::delivery_lost:
    fact.worker = body.take_text("worker").value_or("");
    break;
  case event_kind::cancel_requested:
  case event_kind::terminate_requested:
  case event_kind::attention_resolved:
    fact.by = body.take_text("by").value_or("");
    fact.reason = body.take_text("reason").value_or("");
    break;
  case event_kind::run_failed:
    fact.reason = body.need_text("reason");
    if (auto kind = body.take_text("kind")) {
      if (*kind != to_string(call_failure::kind_type::rejected))
        body.damaged("'kind' can only be rejected here, not '" + *kind + "'");
      fact.failure = call_failure{call_failure::kind_type::rejected, body.need_text("message"), std::nullopt};
    }
    break;
  default:
    break;
  }
}

bool needs_attempt(event_kind kind) {
  switch (kind) {
  case event_kind::step_succeeded:
  case event_kind::attempt_failed:
  case event_kind::attempt_started:
  case event_kind::attempt_withdrawn:
  case event_kind::delivery_lost:
  case event_kind::step_failed:
  case event_kind::step_compensated:
  case event_kind::compensation_attempt_failed:
  case event_kind::compensation_attempt_started:
  case event_kind::compensation_failed:
    return true;
  default:
    return false;
  }
}

/// The step and the attempt, which have columns of their own.
void read_columns(
  const body_reader& body, const event_record& record, event& fact, const workflow_definition& workflow) {
  bool about_attempt = needs_attempt(record.kind);
  bool about_step = about_attempt || record.kind == event_kind::step_skipped;
  if (about_step != !record.step.empty())
    body.damaged(about_step ? "it names no step" : "it names the step '" + record.step + "' but is about the run");
  if (about_attempt != (record.attempt > 0))
    body.damaged("its attempt " + std::to_string(record.attempt) + " cannot be");
  if (!about_step)
    return;
  fact.step = workflow.find_step(record.step);
  if (!fact.step)
    body.damaged("the workflow " + workflow.name + " has no step '" + record.step + "'");
  fact.attempt = static_cast<uint32_t>(record.attempt);
}

} // namespace

event_record encode_event(const event& fact, const workflow_definition& workflow) {
  event_record record;
  record.seq = fact.seq;
  record.at = fact.at;
  record.kind = fact.kind;
  if (fact.step)
    record.step = workflow.steps[*fact.step].name;
  record.attempt = static_cast<int32_t>(fact.attempt);
  record.body = write_body(fact);
  return record;
}

event decode_event(const event_record& record, const workflow_definition& workflow) {
  body_reader body(record);
  event fact;
  fact.seq = record.seq;
  fact.at = record.at;
  fact.kind = record.kind;
  read_columns(body, record, fact, workflow);
  read_body(body, fact, workflow);
  body.finish();
  return fact;
}

run_plan decode_plan(const event_record& first, const run_id& run) {
  body_reader body(first);
  if (first.seq != 1 || first.kind != event_kind::run_accepted)
    body.damaged("a journal begins with event 1 (run_accepted)");
  auto plan = read_plan(body);
  body.finish();
  if (plan.run != run)
    body.damaged("it accepts run " + to_string(plan.run) + " but stands in the journal of run " + to_string(run));
  return plan;
}

} // namespace levain
