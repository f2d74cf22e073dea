#pragma once

#include <curl/curl.h>

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "actors/calls/http_executor.hpp"

namespace levain {

struct curl_easy_end {
  void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
};
struct curl_list_end {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
using curl_easy_ptr = std::unique_ptr<CURL, curl_easy_end>;
using curl_list_ptr = std::unique_ptr<curl_slist, curl_list_end>;

/// One call and, while it is on the wire, its libcurl handle. Belongs to the I/O thread once it has begun.
class http_transfer {
public:
  using clock = std::chrono::steady_clock;

  http_transfer(call_ticket ticket, call_request request, http_executor::done done, call_told told);

  http_transfer(const http_transfer&) = delete;
  http_transfer& operator=(const http_transfer&) = delete;

  /// Why the call cannot be made at all: not an HTTP call, or a text in it would break the request apart.
  std::optional<call_failure> refusal() const;

  /// Makes `easy` ready to be driven. It stays with the transfer until `release_easy`.
  void prepare(curl_easy_ptr easy, const http_executor_options& options);
  CURL* easy() const { return easy_.get(); }
  curl_easy_ptr release_easy();

  /// Its time begins to run: `deadline` is that of its answer from now on, and no longer that of its turn.
  void begin_time();
  /// It could not have its turn at once.
  void wait_for_turn();

  /// What came of it, once libcurl says that it is over.
  http_executor::outcome outcome(CURLcode code, const http_executor_options& options);

  call_failure failure(call_failure::kind_type kind, std::string_view why) const;
  /// `done`, which may be called once.
  http_executor::done take_done() { return std::move(done_); }

  /// True when the service may have got the request and no answer says what it did; never for a GET, which changes
  /// nothing.
  bool may_have_been_done() const;

  call_ticket ticket() const { return ticket_; }
  /// Of its turn while it waits for it, of its answer afterwards; the largest time when there is none.
  clock::time_point deadline() const { return deadline_; }
  duration timeout() const { return request_.timeout; }
  std::optional<duration> queue_timeout() const { return request_.queue_timeout; }
  bool on_the_wire() const { return easy_ != nullptr; }
  /// Scheme, host and port as the URL has them; what calls take turns by.
  std::string origin() const;

private:
  static size_t take_header(char* bytes, size_t size, size_t count, void* transfer);
  static size_t take_body(char* bytes, size_t size, size_t count, void* transfer);

  const http_call& call() const { return std::get<http_call>(request_.call); }
  curl_list_ptr request_headers() const;

  call_ticket ticket_;
  call_request request_;
  http_executor::done done_;
  call_told told_;
  bool has_waited_ = false;
  clock::time_point deadline_;
  curl_easy_ptr easy_;
  curl_list_ptr headers_;
  std::array<char, CURL_ERROR_SIZE> error_{};
  size_t response_bytes_max_ = 0;
  bool too_large_ = false;
  std::string reason_;
  std::string body_;
};

} // namespace levain
