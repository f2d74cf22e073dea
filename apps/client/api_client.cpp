#include "apps/client/api_client.hpp"

#include <chrono>
#include <curl/curl.h>
#include <fmt/format.h>
#include <optional>
#include <thread>

#include "apps/client/exit_status.hpp"
#include "persistence/exact_json.hpp"

namespace levain {

namespace {

using nlohmann::ordered_json;

struct answer {
  std::string body;
  size_t bytes_max = 0;
  bool too_long = false;
};

size_t take_bytes(char* bytes, size_t size, size_t count, void* into) {
  auto& received = *static_cast<answer*>(into);
  if (received.body.size() + size * count > received.bytes_max) {
    received.too_long = true;
    return 0;
  }
  received.body.append(bytes, size * count);
  return size * count;
}

exit_status status_of(long http_status) {
  if (http_status == 400)
    return exit_status::wrong_command_line;
  return http_status == 502 || http_status == 503 || http_status == 504 ? exit_status::service_missing
                                                                        : exit_status::failed;
}

std::string with_field(const ordered_json& error) {
  const auto text = error.value("message", std::string());
  const auto field = error.value("field", std::string());
  return field.empty() ? text : field + ": " + text;
}

struct list_deleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using header_list = std::unique_ptr<curl_slist, list_deleter>;

} // namespace

std::string percent_encoded(std::string_view text) {
  std::string encoded;
  for (const char each : text) {
    const auto byte = static_cast<unsigned char>(each);
    const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
                       byte == '-' || byte == '.' || byte == '_' || byte == '~';
    if (plain)
      encoded += each;
    else
      encoded += fmt::format("%{:02X}", byte);
  }
  return encoded;
}

std::string problem_sentence(const std::string& body, const std::string& fallback) {
  const auto document = ordered_json::parse(body, nullptr, false);
  if (!document.is_object() || !document.contains("detail") || !document["detail"].is_string())
    return fallback;
  const auto errors = document.find("errors");
  if (errors == document.end() || !errors->is_array() || errors->empty())
    return document["detail"].get<std::string>();
  std::string sentence;
  for (const auto& error : *errors)
    if (error.is_object())
      sentence += (sentence.empty() ? "" : "\n  ") + with_field(error);
  return sentence;
}

struct api_client::impl {
  ordered_json ask(
    const char* method, const std::string& target, const std::string* body,
    const std::map<std::string, std::string>& headers);
  CURLcode send(
    const char* method, const std::string& url, const std::string* body,
    const std::map<std::string, std::string>& headers, answer& received);
  ordered_json read(const answer& received, CURLcode code, const std::string& url);
  std::optional<std::chrono::seconds> busy_for(CURLcode code) const;

  api_client_options options;
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl{curl_easy_init(), curl_easy_cleanup};
};

api_client::api_client(api_client_options options)
  : impl_(new impl{std::move(options)}) {
  auto& url = impl_->options.url;
  while (url.ends_with('/'))
    url.pop_back();
  if (!url.starts_with("http://") && !url.starts_with("https://"))
    throw command_failed(
      exit_status::wrong_command_line,
      fmt::format("the daemon's URL is '{}': it must begin with http:// as http://127.0.0.1:7400 does", url));
  if (!impl_->curl)
    throw command_failed(exit_status::failed, "libcurl cannot start");
}

api_client::~api_client() = default;

ordered_json api_client::get(const std::string& path, const query_parameters& query) {
  auto target = path;
  for (const auto& [name, value] : query)
    target += fmt::format("{}{}={}", target == path ? '?' : '&', percent_encoded(name), percent_encoded(value));
  return impl_->ask("GET", target, nullptr, {});
}

ordered_json
api_client::post(const std::string& path, const std::string& body, const std::map<std::string, std::string>& headers) {
  return impl_->ask("POST", path, &body, headers);
}

api_reply api_client::exchange(const char* method, const std::string& path, const std::string& body) {
  answer received{{}, impl_->options.answer_bytes_max};
  const auto code = impl_->send(method, impl_->options.url + path, body.empty() ? nullptr : &body, {}, received);
  api_reply reply;
  reply.sent = code != CURLE_COULDNT_CONNECT && code != CURLE_COULDNT_RESOLVE_HOST;
  if (code != CURLE_OK) {
    reply.failure = received.too_long ? "the answer is too long" : curl_easy_strerror(code);
    return reply;
  }
  long status = 0;
  curl_easy_getinfo(impl_->curl.get(), CURLINFO_RESPONSE_CODE, &status);
  reply.http_status = static_cast<int>(status);
  reply.body = std::move(received.body);
  return reply;
}

ordered_json api_client::impl::ask(
  const char* method, const std::string& target, const std::string* body,
  const std::map<std::string, std::string>& headers) {
  const auto url = options.url + target;
  const auto give_up_at = std::chrono::steady_clock::now() + options.busy_patience;
  for (;;) {
    answer received{{}, options.answer_bytes_max};
    const auto code = send(method, url, body, headers, received);
    const auto wait = busy_for(code);
    if (!wait || std::chrono::steady_clock::now() + *wait > give_up_at)
      return read(received, code, url);
    std::this_thread::sleep_for(*wait);
  }
}

/// When the daemon wants to be asked again that has taken nothing of the request.
std::optional<std::chrono::seconds> api_client::impl::busy_for(CURLcode code) const {
  long status = 0;
  curl_off_t seconds = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(curl.get(), CURLINFO_RETRY_AFTER, &seconds);
  if (code != CURLE_OK || (status != 429 && status != 503) || seconds <= 0)
    return std::nullopt;
  return std::chrono::seconds(seconds);
}

CURLcode api_client::impl::send(
  const char* method, const std::string& url, const std::string* body,
  const std::map<std::string, std::string>& headers, answer& received) {
  header_list lines;
  const auto add = [&](const std::string& line) { lines.reset(curl_slist_append(lines.release(), line.c_str())); };
  add("Accept: application/json");
  for (const auto& [name, value] : headers)
    add(name + ": " + value);
  auto* handle = curl.get();
  curl_easy_reset(handle);
  curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  // The daemon is asked directly, whatever the environment says of proxies.
  curl_easy_setopt(handle, CURLOPT_PROXY, "");
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout.count()));
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(options.answer_timeout.count()));
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_bytes);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &received);
  if (body) {
    add("Content-Type: application/json");
    // No question whether to send the body: it costs a round trip.
    add("Expect:");
    curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, body->data());
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body->size()));
  }
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, lines.get());
  return curl_easy_perform(handle);
}

ordered_json api_client::impl::read(const answer& received, CURLcode code, const std::string& url) {
  if (received.too_long)
    throw command_failed(
      exit_status::failed, fmt::format("the answer of {} is longer than {} bytes", url, received.bytes_max));
  if (code != CURLE_OK)
    throw command_failed(
      exit_status::service_missing, fmt::format(
                                      "no daemon answers at {} ({}); start one with levaind, or name another by --url",
                                      options.url, curl_easy_strerror(code)));
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status < 200 || status > 299)
    throw command_failed(
      status_of(status), problem_sentence(received.body, fmt::format("{} answered {}", url, status)));
  auto document = read_exact_json<ordered_json>(received.body);
  if (document.is_discarded())
    throw command_failed(
      exit_status::failed, fmt::format("{} answered something that is not JSON: is a levaind there?", url));
  return document;
}

} // namespace levain
