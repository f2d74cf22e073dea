#include "actors/calls/http_transfer.hpp"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>
#include <new>
#include <utility>

#include "actors/calls/http_outcome.hpp"
#include "persistence/plain_line.hpp"

namespace levain {

namespace {

/// Longer timeouts are as good as none, and a clock's arithmetic must not overflow.
constexpr std::chrono::hours timeout_ceiling{24 * 365};

/// RFC 9110 section 5.6.2.
bool is_token(std::string_view text) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           marks.find(c) != std::string_view::npos;
  });
}

bool has_controls(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7F; });
}

bool is_same_name(const std::string& a, const char* b) {
  return strcasecmp(a.c_str(), b) == 0;
}

/// What the executor alone says.
bool is_reserved(const std::string& name) {
  for (const char* reserved :
       {"Idempotency-Key", "Levain-Attempt", "Levain-Run", "Levain-Tenant", "Content-Length", "Transfer-Encoding",
        "Connection", "Expect"})
    if (is_same_name(name, reserved))
      return true;
  return false;
}

void append(curl_list_ptr& list, const std::string& line) {
  auto* longer = curl_slist_append(list.get(), line.c_str());
  if (!longer)
    throw std::bad_alloc();
  (void)list.release();
  list.reset(longer);
}

http_transfer::clock::time_point after(duration span) {
  return http_transfer::clock::now() + std::clamp<duration>(span, duration(0), timeout_ceiling);
}

bool has_body(const std::string& method) {
  return method == "POST" || method == "PUT" || method == "PATCH" || method == "DELETE";
}

} // namespace

http_transfer::http_transfer(call_ticket ticket, call_request request, http_executor::done done, call_told told)
  : ticket_(ticket)
  , request_(std::move(request))
  , done_(std::move(done))
  , told_(std::move(told))
  , deadline_(request_.queue_timeout ? after(*request_.queue_timeout) : clock::time_point::max()) {}

void http_transfer::begin_time() {
  deadline_ = after(request_.timeout);
  if (told_ && has_waited_)
    told_({call_news::kind_type::in_flight});
}

void http_transfer::wait_for_turn() {
  has_waited_ = true;
  if (told_)
    told_({call_news::kind_type::waits});
}

bool http_transfer::may_have_been_done() const {
  if (!on_the_wire() || call().method == "GET" || call().method == "HEAD")
    return false;
  long request_bytes = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_REQUEST_SIZE, &request_bytes);
  return request_bytes > 0;
}

call_failure http_transfer::failure(call_failure::kind_type kind, std::string_view why) const {
  const auto* http = std::get_if<http_call>(&request_.call);
  const auto name = http ? name_call(http->method, http->url) : "call of step '" + plain_line(request_.step, 100) + "'";
  return {kind, plain_line(fmt::format("{} {}", name, why), message_bytes_max), std::nullopt};
}

std::optional<call_failure> http_transfer::refusal() const {
  const auto refuse = [this](std::string_view why) { return failure(call_failure::kind_type::final, why); };
  if (!std::holds_alternative<http_call>(request_.call))
    return refuse("cannot be made over HTTP: it is a call of another kind");
  if (!is_token(call().method))
    return refuse("was not made: its method is not the name of one, such as POST");
  if (has_controls(call().url))
    return refuse("was not made: its URL has control characters in it");
  if (has_controls(request_.idempotency_key))
    return refuse("was not made: its idempotency key has control characters in it");
  for (const auto& [name, value] : call().headers) {
    if (!is_token(name))
      return refuse(fmt::format("was not made: '{}' is not the name of a header", name));
    if (has_controls(value))
      return refuse(fmt::format("was not made: the value of header '{}' has control characters in it", name));
  }
  return std::nullopt;
}

curl_list_ptr http_transfer::request_headers() const {
  curl_list_ptr list;
  append(list, "Idempotency-Key: " + request_.idempotency_key);
  append(list, fmt::format("Levain-Attempt: {}", request_.attempt));
  append(list, "Levain-Run: " + to_string(request_.run));
  append(list, "Levain-Tenant: " + to_string(request_.tenant));
  // A round trip for permission to send what is a few kilobytes would be wasted.
  append(list, "Expect:");
  bool has_type = false;
  bool has_accept = false;
  for (const auto& [name, value] : call().headers) {
    if (is_reserved(name))
      continue;
    has_type = has_type || is_same_name(name, "Content-Type");
    has_accept = has_accept || is_same_name(name, "Accept");
    // libcurl takes "Name:" for the wish to leave a header out and "Name;" for one without a value.
    append(list, value.empty() ? name + ";" : name + ": " + value);
  }
  if (!has_type && has_body(call().method))
    append(list, "Content-Type: application/json");
  if (!has_accept)
    append(list, "Accept: application/json, application/problem+json");
  return list;
}

void http_transfer::prepare(curl_easy_ptr easy, const http_executor_options& options) {
  easy_ = std::move(easy);
  headers_ = request_headers();
  response_bytes_max_ = options.response_bytes_max;
  auto* handle = easy_.get();
  curl_easy_setopt(handle, CURLOPT_URL, call().url.c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle, CURLOPT_PROXY, options.proxy.c_str());
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout_max.count()));
  curl_easy_setopt(handle, CURLOPT_USERAGENT, "levain");
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers_.get());
  if (call().method == "HEAD") {
    curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
  } else if (has_body(call().method)) {
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request_.body.data());
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
  }
  curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, call().method.c_str());
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, &take_header);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &take_body);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, error_.data());
  curl_easy_setopt(handle, CURLOPT_PRIVATE, this);
}

curl_easy_ptr http_transfer::release_easy() {
  if (easy_)
    curl_easy_reset(easy_.get());
  return std::move(easy_);
}

size_t http_transfer::take_header(char* bytes, size_t size, size_t count, void* transfer) {
  const std::string_view line(bytes, size * count);
  if (line.substr(0, 5) != "HTTP/")
    return line.size();
  // "HTTP/1.1 503 Service Unavailable": what follows the second blank.
  auto& self = *static_cast<http_transfer*>(transfer);
  const auto status = line.find(' ');
  const auto reason = status == std::string_view::npos ? status : line.find(' ', status + 1);
  self.reason_ = reason == std::string_view::npos ? std::string() : plain_line(line.substr(reason + 1), 100);
  return line.size();
}

size_t http_transfer::take_body(char* bytes, size_t size, size_t count, void* transfer) {
  auto& self = *static_cast<http_transfer*>(transfer);
  const auto length = size * count;
  if (length > self.response_bytes_max_ - self.body_.size()) {
    self.too_large_ = true;
    return 0; // libcurl gives up with CURLE_WRITE_ERROR
  }
  try {
    self.body_.append(bytes, length);
  } catch (const std::bad_alloc&) {
    return 0; // an exception may not pass through C
  }
  return length;
}

http_executor::outcome http_transfer::outcome(CURLcode code, const http_executor_options& options) {
  using kind = call_failure::kind_type;
  http_answer answer;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  const bool is_success = answer.status >= 200 && answer.status <= 299;
  if (too_large_ && is_success) {
    auto unusable = failure(
      kind::invalid_output,
      fmt::format("answered more than response_bytes_max, which is {} bytes", options.response_bytes_max));
    unusable.unknown = may_have_been_done();
    return unusable;
  }
  if (code == CURLE_OK || too_large_) {
    curl_off_t seconds = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RETRY_AFTER, &seconds);
    if (seconds > 0)
      answer.retry_after =
        std::min<duration>(retry_after_max, std::chrono::seconds(std::min<curl_off_t>(seconds, 1'000'000)));
    const char* content_type = nullptr;
    curl_easy_getinfo(easy_.get(), CURLINFO_CONTENT_TYPE, &content_type);
    answer.content_type = content_type ? content_type : "";
    answer.reason = std::move(reason_);
    answer.body = std::move(body_);
    const bool from_gateway = answer.status == 502 || answer.status == 504;
    auto judged = judge_answer(name_call(call().method, call().url), std::move(answer));
    // A gateway that had no answer of the service does not know what the service did.
    if (auto* failed = std::get_if<call_failure>(&judged))
      failed->unknown = from_gateway && may_have_been_done();
    return judged;
  }
  const std::string why = error_[0] != '\0' ? error_.data() : curl_easy_strerror(code);
  if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
    return failure(kind::final, "was not made: " + why);
  auto broken = failure(kind::retryable, "failed: " + why);
  broken.unknown = may_have_been_done();
  return broken;
}

std::string http_transfer::origin() const {
  const auto& url = call().url;
  const auto scheme = url.find("://");
  return scheme == std::string::npos ? url : url.substr(0, url.find_first_of("/?#", scheme + 3));
}

} // namespace levain
