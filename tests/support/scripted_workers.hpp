#pragma once

#include <string>
#include <vector>

#include "actors/cluster/wire_messages.hpp"
#include "actors/run_machine/prepare_call.hpp"

namespace levain::test {

inline const timestamp workers_begin{std::chrono::sys_days{std::chrono::year{2026} / 11 / 23}};

/// A worker that says hello: its id ends in `number`.
inline worker_hello hello_of(uint8_t number, std::vector<wire_offer> offers, std::string host = "elsewhere") {
  worker_hello x;
  x.worker.bytes[15] = number;
  x.name = "worker-" + std::to_string(number);
  x.host = std::move(host);
  x.version = "0.1.0";
  x.protocol_min = wire_protocol_min;
  x.protocol_max = wire_protocol_max;
  x.offers = std::move(offers);
  return x;
}

/// A call to workers under epoch 7.
inline call_request
worker_request(std::string key, std::string kind = "bake", duration heartbeat = duration(0), uint32_t attempt = 1) {
  call_request request;
  request.step = "mix";
  request.attempt = attempt;
  request.idempotency_key = std::move(key);
  request.epoch = 7;
  request.timeout = std::chrono::seconds(30);
  request.call = worker_call{std::move(kind), heartbeat};
  request.body = R"({"input":{}})";
  return request;
}

/// The answer to a call of `worker_request`.
inline call_ended end_of(uint64_t number, std::string key, std::string result = "{}") {
  return {number, 7, std::move(key), true, std::move(result), false, 0};
}

} // namespace levain::test
