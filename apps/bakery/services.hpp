#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "apps/bakery/json_place.hpp"
#include "apps/bakery/sample.hpp"

namespace levain::bakery {

/// A checked call of one service.
struct service_call {
  /// One of `service_names`.
  std::string service;
  std::string key;
  const bakery_site* site = nullptr;
  /// `{"run": ..., "input": ..., "results": ...}`
  nlohmann::json body;
};

/// What a service made of a call.
struct service_answer {
  nlohmann::json body;
  /// The id of the document that the call created; empty for messages and insights.
  std::string document;
  /// For the outbox, and for the board where insights are posted; each has an `id` that follows from the call's key.
  std::vector<nlohmann::json> messages;
  std::vector<nlohmann::json> posts;
};

/// A version 8 UUID (RFC 9562 section 5.8) from the SHA-256 of `name`: the same call makes the same document.
uuid make_uuid_from(std::string_view name);

/// Does the work of one of the five services. A pure function of the sample and the call. Throws `bad_input`.
///
/// The day is `input.date`; without one it is the day after the sample's last.
service_answer serve(const sample& known, const service_call& call);

} // namespace levain::bakery
