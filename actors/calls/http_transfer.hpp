#pragma once

#include <curl/curl.h>

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/calls/answer_header.hpp"
#include "actors/calls/call_budget.hpp"
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

struct curl_url_end {
  void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
};
using curl_url_ptr = std::unique_ptr<CURLU, curl_url_end>;

/// Where the connections of a URL go.
struct host_place {
  /// As libcurl looks it up; empty for what is no URL.
  std::string host;
  std::string port;
  /// False for an address and for `localhost`.
  bool is_name = false;
};

/// The host of `url`, or of `proxy` if that is not empty.
host_place place_of(const std::string& url, const std::string& proxy);

/// One call and, while it is on the wire, its libcurl handle. Belongs to the I/O thread once it has begun.
class http_transfer {
public:
  using clock = std::chrono::steady_clock;

  http_transfer(call_ticket ticket, call_request request, http_executor::done done, call_told told);

  ~http_transfer();
  http_transfer(const http_transfer&) = delete;
  http_transfer& operator=(const http_transfer&) = delete;

  /// Why the call cannot be made at all: not an HTTP call, or a text in it would break the request apart.
  std::optional<call_failure> refusal() const;

  /// Makes `easy` ready to be driven. It stays with the transfer until `release_easy`. `addresses` are those of
  /// `place`, if its host is a name.
  void prepare(
    curl_easy_ptr easy, const http_executor_options& options, const host_place& place,
    const std::vector<std::string>* addresses);
  CURL* easy() const { return easy_.get(); }
  curl_easy_ptr release_easy();

  /// Its time begins to run: `deadline` is that of its answer from now on, and no longer that of its turn.
  void begin_time();
  /// It could not have its turn at once.
  void wait_for_turn();
  /// It had its turn and could not use it: `deadline` is that of its turn again.
  void wait_again();

  /// What is done when its answer has no room in memory, on the I/O thread from within libcurl, and when there is some
  /// again, on any thread.
  void on_room(std::function<void(http_transfer&)> wanted, std::function<void()> made);
  /// Its time stands still from now on, and goes on.
  void stop_time();
  void go_on();
  /// Takes the rest of the answer, as far as there is room for it.
  void take_on();
  bool waits_for_room() const { return time_left_.has_value(); }

  /// What came of it, once libcurl says that it is over.
  http_executor::outcome outcome(CURLcode code, const http_executor_options& options);

  call_failure failure(call_failure::kind_type kind, std::string_view why) const;
  /// How messages name the call.
  std::string name() const;
  /// True for a call that did not come to a socket, because the process has no descriptor left for it. Nothing was
  /// sent: it may have another turn.
  bool is_without_descriptor() const { return no_descriptor_ && !sent_; }
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
  clock::time_point begun_at() const { return begun_at_; }
  /// How long the call has waited for its host's name; counts towards `connect_timeout_max`.
  void waited_for_name(clock::duration wait) { name_wait_ = wait; }
  const std::string& url() const { return call().url; }
  bool on_the_wire() const { return easy_ != nullptr; }
  /// Scheme, host and port as the URL has them; what calls take turns by.
  std::string origin() const;

private:
  static size_t take_header(char* bytes, size_t size, size_t count, void* transfer);
  static size_t take_body(char* bytes, size_t size, size_t count, void* transfer);
  static size_t give_body(char* bytes, size_t size, size_t count, void* transfer);
  static int before_request(void* transfer, char*, char*, int, int);
  static curl_socket_t open_socket(void* transfer, curlsocktype purpose, curl_sockaddr* address);
  static int refuse_lookup(void*, void*, void*);

  const http_call& call() const { return std::get<http_call>(request_.call); }
  clock::time_point queue_deadline() const;
  curl_list_ptr request_headers() const;
  void prepare_body();
  void prepare_name(const host_place& place, const std::vector<std::string>* addresses);
  http_executor::outcome answer_outcome(long status);
  std::string why_no_answer(CURLcode code, const http_executor_options& options) const;
  std::string connect_fault() const;

  call_ticket ticket_;
  call_request request_;
  http_executor::done done_;
  call_told told_;
  bool has_waited_ = false;
  clock::time_point begun_at_;
  clock::time_point deadline_;
  clock::duration name_wait_{0};
  curl_easy_ptr easy_;
  curl_list_ptr headers_;
  curl_list_ptr resolved_;
  std::array<char, CURL_ERROR_SIZE> error_{};
  size_t response_bytes_max_ = 0;
  std::function<void(http_transfer&)> room_wanted_;
  std::function<void()> room_made_;
  /// Of its deadline, while its answer waits for room.
  std::optional<clock::duration> time_left_;
  bool too_large_ = false;
  bool no_descriptor_ = false;
  /// The request has been given to a connection, which happens once.
  bool sent_ = false;
  bool sent_again_ = false;
  answer_header header_;
  std::string body_;
  /// The body in one piece when it is short and has two, and how much of it has been taken when it is long.
  std::string short_body_;
  size_t body_given_ = 0;
};

} // namespace levain
