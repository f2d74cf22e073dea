#include "tests/support/bad_requests.hpp"

namespace levain::test {

namespace {

const std::string runs = "/v1/tenants/TENANT/runs";

bad_request start(std::string title, std::string body) {
  return {std::move(title), "POST", runs, std::move(body)};
}

bad_request read(std::string title, std::string path) {
  return {std::move(title), "GET", std::move(path)};
}

std::vector<bad_request> wrong_definitions() {
  return {
    {"a definition with two errors", "POST", "/v1/workflows",
     R"({"workflow": "night", "version": 0, "steps": [{"name": "a", "call": {"simulate": {}}, "tiemout": "3s"}]})"},
    {"a variable that the node has no value for", "POST", "/v1/workflows",
     R"({"workflow": "night", "version": 1, "steps": [{"name": "a", "call": {"http": {"url": "${oven_url}/bake"}}}]})"},
    {"another content under a registered version", "POST", "/v1/workflows",
     R"({"workflow": "known", "version": 1, "steps": [{"name": "b", "call": {"simulate": {}}}]})"},
    {"no such workflow", "GET", "/v1/workflows/night"},
    {"a version that is no number", "GET", "/v1/workflows/known/first"},
  };
}

std::vector<bad_request> wrong_starts() {
  return {
    start("no JSON", "workflow=known"),
    start("a number", "7"),
    start("nothing to start", "{}"),
    start("an empty list", "[]"),
    start("a misspelt member", R"({"workflow": "known", "prioritty": "high"})"),
    start("an unknown priority", R"({"workflow": "known", "priority": "urgent"})"),
    start("an unknown type of run", R"({"workflow": "known", "run_type": "nightly"})"),
    start("an unknown workflow", R"({"workflow": "night"})"),
    start("an unknown version", R"({"workflow": "known", "version": 9})"),
    start("a version in quotes", R"({"workflow": "known", "version": "1"})"),
    start("metadata that is a list", R"({"workflow": "known", "metadata": []})"),
    start("an empty idempotency key", R"({"workflow": "known", "idempotency_key": ""})"),
    start(
      "a key used for something else", R"({"workflow": "known", "idempotency_key": "monday", "input": {"day": 2}})"),
    start("a NUL in a text", R"({"workflow": "known", "triggered_by": "a\u0000b"})"),
    start("a member twice", R"({"workflow": "known", "workflow": "known"})"),
    {"a header's key for a list",
     "POST",
     runs,
     R"([{"workflow": "known"}])",
     {{"Content-Type", "application/json"}, {"Idempotency-Key", "monday"}}},
    {"a form instead of JSON", "POST", runs, "workflow=known", {{"Content-Type", "application/x-www-form-urlencoded"}}},
    {"a tenant that is no UUID", "POST", "/v1/tenants/bakery/runs", R"({"workflow": "known"})"},
  };
}

std::vector<bad_request> wrong_reads() {
  return {
    read("no such run", runs + "/ORCH-20200101-00000001"),
    read("an unknown parameter", runs + "?stauts=failed"),
    read("an unknown status", runs + "?status=broken"),
    read("a limit beyond the largest", runs + "?limit=100000"),
    read("a cursor of nobody's", runs + "?cursor=next"),
    read("a time that is none", "/v1/tenants/TENANT/history?from=yesterday&to=2026-11-23T00:00:00Z"),
    read("a history without a beginning", "/v1/tenants/TENANT/history?to=2026-11-23T00:00:00Z"),
    read(
      "a span that ends before it begins",
      "/v1/tenants/TENANT/history?from=2026-11-23T00:00:00Z&to=2026-11-22T00:00:00Z"),
    read("a path that is none", "/v1/orders"),
    {"a method that a path does not take", "DELETE", runs},
    {"a reason for draining a node", "POST", "/v1/operator/nodes/oven/drain", R"({"by": "anna"})"},
    {"a node's name that is too long", "POST", "/v1/operator/nodes/" + std::string(101, 'o') + "/undrain"},
  };
}

std::vector<bad_request> wrong_wishes() {
  const std::string known = runs + "/KNOWN";
  return {
    {"a cancellation by nobody", "POST", known + "/cancel", R"({"by": ""})"},
    {"a reason for a pause", "POST", known + "/pause", R"({"by": "anna", "reason": "lunch"})"},
    {"a cancellation of a run that has ended", "POST", known + "/cancel", R"({"by": "anna"})"},
    {"a retry of a run that completed", "POST", known + "/retry", R"({"by": "anna"})"},
  };
}

} // namespace

const std::vector<bad_request>& bad_requests() {
  static const auto all = [] {
    std::vector<bad_request> table;
    for (auto* part : {&wrong_definitions, &wrong_starts, &wrong_reads, &wrong_wishes})
      for (auto& wrong : part())
        table.push_back(std::move(wrong));
    return table;
  }();
  return all;
}

std::string known_workflow() {
  return R"({"workflow": "known", "version": 1, "steps": [{"name": "a", "call": {"simulate": {}}}]})";
}

} // namespace levain::test
