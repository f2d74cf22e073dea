#include "actors/calls/http_transfer.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <strings.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <system_error>
#include <utility>

#include "actors/calls/http_outcome.hpp"
#include "actors/workflow/parse_definition.hpp"
#include "persistence/plain_line.hpp"

namespace levain {

namespace {

/// Longer timeouts are as good as none, and a clock's arithmetic must not overflow.
constexpr std::chrono::hours timeout_ceiling{24 * 365};

/// A body up to this size leaves together with the header.
constexpr size_t short_body_bytes_max = 64 * 1024;

/// What a request that was sent and has no answer may have done.
constexpr std::string_view unknown_outcome = "; the request was sent, so its outcome is unknown";

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
  , begun_at_(clock::now())
  , deadline_(queue_deadline()) {}

http_transfer::clock::time_point http_transfer::queue_deadline() const {
  return request_.queue_timeout
           ? begun_at_ + std::clamp<duration>(*request_.queue_timeout, duration(0), timeout_ceiling)
           : clock::time_point::max();
}

http_transfer::~http_transfer() {
  if (request_.memory)
    request_.memory->want_no_room();
}

void http_transfer::on_room(std::function<void(http_transfer&)> wanted, std::function<void()> made) {
  room_wanted_ = std::move(wanted);
  room_made_ = std::move(made);
}

void http_transfer::stop_time() {
  if (!time_left_)
    time_left_ = deadline_ - clock::now();
  deadline_ = clock::time_point::max();
}

void http_transfer::go_on() {
  deadline_ = clock::now() + *std::exchange(time_left_, std::nullopt);
}

void http_transfer::take_on() {
  curl_easy_pause(easy_.get(), CURLPAUSE_CONT);
}

void http_transfer::begin_time() {
  deadline_ = after(request_.timeout - std::chrono::duration_cast<duration>(name_wait_));
  if (told_ && has_waited_)
    told_({call_news::kind_type::in_flight});
}

void http_transfer::wait_for_turn() {
  has_waited_ = true;
  if (told_)
    told_({call_news::kind_type::waits});
}

void http_transfer::wait_again() {
  deadline_ = queue_deadline();
  wait_for_turn();
}

bool http_transfer::may_have_been_done() const {
  return on_the_wire() && sent_ && call().method != "GET" && call().method != "HEAD";
}

call_failure http_transfer::failure(call_failure::kind_type kind, std::string_view why) const {
  return {kind, plain_line(fmt::format("{} {}", name(), why), message_bytes_max), std::nullopt};
}

std::string http_transfer::name() const {
  if (!request_.name.empty())
    return plain_line(request_.name, message_bytes_max / 2);
  const auto* http = std::get_if<http_call>(&request_.call);
  return http ? name_call(http->method, http->url) : "call of step '" + plain_line(request_.step, 100) + "'";
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
  size_t head_bytes = call().url.size();
  for (const auto& [name, value] : call().headers) {
    if (!is_token(name))
      return refuse(fmt::format("was not made: '{}' is not the name of a header", name));
    if (has_controls(value))
      return refuse(fmt::format("was not made: the value of header '{}' has control characters in it", name));
    head_bytes += name.size() + value.size();
  }
  if (head_bytes > request_head_bytes_max)
    return refuse(fmt::format(
      "was not made: its URL and headers have {} bytes; at most {} are allowed (request_head_bytes_max)", head_bytes,
      request_head_bytes_max));
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
    const bool is_blank = value.find_first_not_of(" \t") == std::string::npos;
    append(list, is_blank ? name + ";" : name + ": " + value);
  }
  if (!has_type && has_body(call().method))
    append(list, "Content-Type: application/json");
  if (!has_accept)
    append(list, "Accept: application/json, application/problem+json");
  return list;
}

host_place place_of(const std::string& url, const std::string& proxy) {
  const curl_url_ptr parts(curl_url());
  // A proxy may be given without a scheme.
  const unsigned flags = proxy.empty() ? 0U : CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME;
  if (!parts || curl_url_set(parts.get(), CURLUPART_URL, (proxy.empty() ? url : proxy).c_str(), flags) != CURLUE_OK)
    return {};
  const auto part = [&](CURLUPart which, unsigned how) {
    char* text = nullptr;
    std::string found;
    if (curl_url_get(parts.get(), which, &text, how) == CURLUE_OK && text)
      found = text;
    curl_free(text);
    return found;
  };
#ifdef CURLU_PUNYCODE
  constexpr unsigned host_form = CURLU_PUNYCODE;
#else
  constexpr unsigned host_form = 0;
#endif
  host_place place{part(CURLUPART_HOST, host_form), part(CURLUPART_PORT, CURLU_DEFAULT_PORT)};
  const auto& host = place.host;
  // 1080 is what libcurl takes for a proxy that has none.
  if (!proxy.empty() && part(CURLUPART_PORT, 0).empty())
    place.port = place.port == "443" ? "443" : "1080";
  in_addr address{};
  constexpr std::string_view local = ".localhost";
  const bool is_local =
    strcasecmp(host.c_str(), "localhost") == 0 ||
    (host.size() > local.size() && strcasecmp(host.c_str() + host.size() - local.size(), local.data()) == 0);
  place.is_name = !host.empty() && host.front() != '[' && inet_pton(AF_INET, host.c_str(), &address) != 1 && !is_local;
  return place;
}

void http_transfer::prepare(
  curl_easy_ptr easy, const http_executor_options& options, const host_place& place,
  const std::vector<std::string>* addresses) {
  easy_ = std::move(easy);
  headers_ = request_headers();
  response_bytes_max_ = options.response_bytes_max;
  no_descriptor_ = false;
  error_[0] = '\0';
  auto* handle = easy_.get();
  const auto name_wait = std::chrono::duration_cast<std::chrono::milliseconds>(name_wait_);
  const auto connect_time = std::max(options.connect_timeout_max - name_wait, std::chrono::milliseconds(1));
  curl_easy_setopt(handle, CURLOPT_URL, call().url.c_str());
  // A path is sent as it was written: `..` in it is the service's to judge.
  curl_easy_setopt(handle, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle, CURLOPT_PROXY, options.proxy.c_str());
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect_time.count()));
  curl_easy_setopt(handle, CURLOPT_USERAGENT, "levain");
  const auto age = std::chrono::ceil<std::chrono::seconds>(options.idle_connection_age);
  curl_easy_setopt(handle, CURLOPT_MAXAGE_CONN, static_cast<long>(age.count()));
  if (!options.ca_file.empty())
    curl_easy_setopt(handle, CURLOPT_CAINFO, options.ca_file.c_str());
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers_.get());
  // Asks for none, and reads those that libcurl knows all the same. What comes out is what `response_bytes_max` counts.
  curl_easy_setopt(handle, CURLOPT_ACCEPT_ENCODING, "identity");
  if (call().method == "HEAD")
    curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
  else if (has_body(call().method))
    prepare_body();
  curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, call().method.c_str());
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, &take_header);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &take_body);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(handle, CURLOPT_PREREQFUNCTION, &before_request);
  curl_easy_setopt(handle, CURLOPT_PREREQDATA, this);
  curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, &open_socket);
  curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, error_.data());
  curl_easy_setopt(handle, CURLOPT_PRIVATE, this);
  prepare_name(place, addresses);
}

void http_transfer::prepare_body() {
  auto* handle = easy_.get();
  const auto rest = request_.body_rest ? std::string_view(*request_.body_rest) : std::string_view();
  const auto size = request_.body.size() + rest.size();
  if (size <= short_body_bytes_max) {
    if (!rest.empty())
      short_body_ = request_.body + std::string(rest);
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, rest.empty() ? request_.body.data() : short_body_.data());
  } else {
    body_given_ = 0;
    curl_easy_setopt(handle, CURLOPT_POST, 1L);
    curl_easy_setopt(handle, CURLOPT_READFUNCTION, &give_body);
    curl_easy_setopt(handle, CURLOPT_READDATA, this);
  }
  curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(size));
}

void http_transfer::prepare_name(const host_place& place, const std::vector<std::string>* addresses) {
  if (!place.is_name || !addresses)
    return;
  // With the plus the entry goes when libcurl's own time for names is over.
  std::string line = fmt::format("+{}:{}:", place.host, place.port);
  for (const auto& each : *addresses)
    line.append(line.back() == ':' ? "" : ",").append(each.find(':') == std::string::npos ? each : '[' + each + ']');
  append(resolved_, line);
  auto* handle = easy_.get();
  curl_easy_setopt(handle, CURLOPT_RESOLVE, resolved_.get());
  // libcurl's own lookup would hold up the I/O thread when its transfer ends before it.
  curl_easy_setopt(handle, CURLOPT_RESOLVER_START_FUNCTION, &refuse_lookup);
}

curl_easy_ptr http_transfer::release_easy() {
  if (easy_)
    curl_easy_reset(easy_.get());
  resolved_.reset();
  return std::move(easy_);
}

size_t http_transfer::take_header(char* bytes, size_t size, size_t count, void* transfer) {
  const std::string_view line(bytes, size * count);
  try {
    static_cast<http_transfer*>(transfer)->header_.take_line(line);
  } catch (const std::bad_alloc&) {
    return 0; // an exception may not pass through C
  }
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
    if (self.request_.memory && !self.request_.memory->add(length, self.room_made_)) {
      self.room_wanted_(self);
      return CURL_WRITEFUNC_PAUSE; // libcurl gives the same bytes again
    }
    self.body_.append(bytes, length);
  } catch (const std::bad_alloc&) {
    return 0;
  }
  return length;
}

size_t http_transfer::give_body(char* bytes, size_t size, size_t count, void* transfer) {
  auto& self = *static_cast<http_transfer*>(transfer);
  const auto take = [&](std::string_view from, size_t begin) {
    const auto length = std::min(from.size() - begin, size * count);
    std::copy_n(from.data() + begin, length, bytes);
    self.body_given_ += length;
    return length;
  };
  const auto first = self.request_.body.size();
  if (self.body_given_ < first)
    return take(self.request_.body, self.body_given_);
  return self.request_.body_rest ? take(*self.request_.body_rest, self.body_given_ - first) : 0;
}

/// libcurl sends a request again by itself when a kept connection ends before the answer. The service may have done the
/// work, so whether to ask again is for the run to decide, as its next attempt.
int http_transfer::before_request(void* transfer, char*, char*, int, int) {
  auto& self = *static_cast<http_transfer*>(transfer);
  self.sent_again_ = self.sent_;
  self.sent_ = true;
  return self.sent_again_ ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

curl_socket_t http_transfer::open_socket(void* transfer, curlsocktype, curl_sockaddr* address) {
  const auto opened = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (opened < 0 && (errno == EMFILE || errno == ENFILE))
    static_cast<http_transfer*>(transfer)->no_descriptor_ = true;
  return opened < 0 ? CURL_SOCKET_BAD : opened;
}

int http_transfer::refuse_lookup(void*, void*, void*) {
  return 1;
}

http_executor::outcome http_transfer::outcome(CURLcode code, const http_executor_options& options) {
  using kind = call_failure::kind_type;
  const auto in_doubt = [&](call_failure failed) {
    failed.unknown = may_have_been_done();
    return failed;
  };
  if (!header_.ended() || sent_again_) {
    if (!sent_ && (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL))
      return failure(
        kind::final, fmt::format("was not made: {}", error_[0] != '\0' ? error_.data() : curl_easy_strerror(code)));
    return in_doubt(failure(kind::retryable, "failed: " + why_no_answer(code, options)));
  }
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  const bool is_success = status >= 200 && status <= 299;
  if (too_large_ && is_success)
    return in_doubt(failure(
      kind::invalid_output,
      fmt::format("answered more than response_bytes_max, which is {} bytes", options.response_bytes_max)));
  if (header_.is_contradictory() && is_success)
    return in_doubt(failure(
      kind::invalid_output, "answered with two Content-Length that differ, so that its body has no certain end"));
  if (status == 206)
    return in_doubt(
      failure(kind::invalid_output, "answered 206 Partial Content, a part, although the request asked for all"));
  if (code == CURLE_BAD_CONTENT_ENCODING && is_success)
    return in_doubt(failure(
      kind::invalid_output,
      fmt::format(
        "answered in the content coding '{}', which cannot be read; the request asked for none (Accept-Encoding: "
        "identity)",
        header_.content_encoding())));
  if (code == CURLE_OK || code == CURLE_BAD_CONTENT_ENCODING || too_large_)
    return answer_outcome(status);
  return in_doubt(failure(kind::retryable, "failed: " + why_no_answer(code, options)));
}

http_executor::outcome http_transfer::answer_outcome(long status) {
  http_answer answer;
  answer.status = status;
  answer.reason = header_.reason();
  answer.content_type = header_.content_type();
  answer.retry_after = read_retry_after(header_.retry_after(), std::chrono::system_clock::now());
  answer.body = std::move(body_);
  auto judged = judge_answer(name(), std::move(answer));
  // A gateway that had no answer of the service does not know what the service did.
  if (auto* failed = std::get_if<call_failure>(&judged))
    failed->unknown = (status == 502 || status == 504) && may_have_been_done();
  return judged;
}

std::string http_transfer::why_no_answer(CURLcode code, const http_executor_options& options) const {
  const std::string detail = error_[0] != '\0' ? error_.data() : curl_easy_strerror(code);
  const auto with_outcome = [&](std::string why) { return sent_ ? why.append(unknown_outcome) : why; };
  if (sent_again_ || code == CURLE_GOT_NOTHING)
    return with_outcome("the connection was closed before an answer came");
  switch (code) {
  case CURLE_OK:
    return with_outcome("the answer was cut off inside its header");
  case CURLE_PARTIAL_FILE:
    return with_outcome(fmt::format("the answer was cut off after {} bytes of its body", body_.size()));
  case CURLE_UNSUPPORTED_PROTOCOL:
  case CURLE_WEIRD_SERVER_REPLY:
    return with_outcome("what was answered is not HTTP/1.1 or HTTP/2 (" + detail + ")");
  case CURLE_RECV_ERROR:
  case CURLE_SEND_ERROR:
    return with_outcome("the connection broke (" + detail + ")");
  case CURLE_COULDNT_CONNECT:
    return connect_fault();
  case CURLE_OPERATION_TIMEDOUT:
    return fmt::format("no connection within {} (connect_timeout_max)", format_duration(options.connect_timeout_max));
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_SSL_CACERT_BADFILE:
    return "no TLS connection (" + detail + ")";
  default:
    return with_outcome("no answer came (" + detail + ")");
  }
}

std::string http_transfer::connect_fault() const {
  const auto place = place_of(call().url, "");
  long reason = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_OS_ERRNO, &reason);
  return fmt::format(
    "cannot connect to {}:{}: {}", place.host, place.port,
    reason != 0 ? std::generic_category().message(static_cast<int>(reason))
                : std::string(curl_easy_strerror(CURLE_COULDNT_CONNECT)));
}

std::string http_transfer::origin() const {
  const auto& url = call().url;
  const auto scheme = url.find("://");
  return scheme == std::string::npos ? url : url.substr(0, url.find_first_of("/?#", scheme + 3));
}

} // namespace levain
