#include "actors/calls/http_executor.hpp"

#include <fstream>
#include <memory>

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include "actors/calls/http_io_loop.hpp"

namespace levain {

namespace {

/// libcurl would say so of each call.
void check_certificates(const std::string& file) {
  if (!std::ifstream(file))
    throw std::runtime_error(fmt::format("the file of certificates '{}' (--calls-ca) cannot be read", file));
  const std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)> store(X509_STORE_new(), X509_STORE_free);
  if (!store || X509_STORE_load_file(store.get(), file.c_str()) != 1) {
    ERR_clear_error();
    throw std::runtime_error(
      fmt::format("the file '{}' (--calls-ca) holds no certificate; it must be a file in PEM", file));
  }
}

} // namespace

void check_limits(const http_executor_options& options) {
  const auto at_least_one = [](std::string_view name, auto value) {
    if (value < 1)
      throw std::runtime_error(fmt::format("{} is {}; it must be at least 1", name, value));
  };
  at_least_one("calls_in_flight_max", options.calls_in_flight_max);
  at_least_one("calls_per_host_max", options.calls_per_host_max);
  at_least_one("calls_waiting_max", options.calls_waiting_max);
  at_least_one("idle_connections_max", options.idle_connections_max);
  at_least_one("response_bytes_max", options.response_bytes_max);
  at_least_one("connect_timeout_max", options.connect_timeout_max.count());
  if (!options.ca_file.empty())
    check_certificates(options.ca_file);
}

http_executor::http_executor(http_executor_options options, name_lookup lookup)
  : impl_(std::make_unique<impl>(std::move(options), std::move(lookup))) {
  impl_->thread = std::thread([self = impl_.get()] { self->run(); });
}

http_executor::~http_executor() {
  impl_->stop();
}

call_ticket http_executor::begin(call_request request, done done, call_told told) {
  const call_ticket ticket{++impl_->last_ticket};
  impl_->unanswered.fetch_add(1);
  impl_->post(std::make_unique<http_transfer>(ticket, std::move(request), std::move(done), std::move(told)));
  return ticket;
}

void http_executor::abandon(call_ticket ticket) {
  impl_->post(ticket);
}

void http_executor::withdraw(call_ticket ticket) {
  impl_->post(impl::withdrawal{ticket});
}

size_t http_executor::in_flight() const {
  return impl_->unanswered;
}

} // namespace levain
