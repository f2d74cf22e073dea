#pragma once

#include <optional>
#include <string>

#include "actors/gateway/http_server.hpp"
#include "apps/bakery/bakery_service.hpp"

namespace levain::bakery {

/// A request to one of the five services, its headers read.
struct desk_call {
  http_request request;
  bakery_call entry;
  /// The document to undo; empty for work.
  std::string document;
  const bakery_site* site = nullptr;
  call_fate fate;
};

/// Does calls one after another: checks them, asks the faults, answers from memory or does the work. For one thread.
class call_desk {
public:
  call_desk(const bakery_options& options, bakery_state& state)
    : options_(options)
    , state_(state) {}

  /// True when the path is one of a service; others are no calls.
  static bool is_call(const http_request& request);

  /// Reads the headers and what the faults have in store. What is wrong with the call is kept for `answer`.
  desk_call receive(http_request request, const fault_plan& faults, timestamp at) const;

  /// The answer, kept in the state but not yet saved; enters the call in the ledger.
  http_response answer(desk_call& call, timestamp at);

  /// `GET /forecasts/{id}` and the like.
  http_response read_document(const http_request& request) const;

private:
  http_response respond(desk_call& call, timestamp at);
  http_response work(const desk_call& call, timestamp at);
  http_response undo(const desk_call& call, timestamp at);
  void check(const desk_call& call) const;

  const bakery_options& options_;
  bakery_state& state_;
};

} // namespace levain::bakery
