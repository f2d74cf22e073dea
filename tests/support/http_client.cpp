#include "tests/support/http_client.hpp"

#include <algorithm>
#include <cctype>
#include <curl/curl.h>
#include <memory>
#include <mutex>
#include <string_view>

namespace levain::test {

namespace {

size_t take_body(char* bytes, size_t size, size_t count, void* into) {
  static_cast<std::string*>(into)->append(bytes, size * count);
  return size * count;
}

size_t take_header(char* bytes, size_t size, size_t count, void* into) {
  const std::string_view line(bytes, size * count);
  if (const auto colon = line.find(':'); colon != line.npos) {
    std::string name(line.substr(0, colon));
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    auto value = line.substr(colon + 1);
    const auto first = value.find_first_not_of(" \t\r\n");
    const auto last = value.find_last_not_of(" \t\r\n");
    (*static_cast<std::map<std::string, std::string>*>(into))[name] =
      first == value.npos ? "" : std::string(value.substr(first, last - first + 1));
  }
  return size * count;
}

void set_up_curl() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

} // namespace

std::optional<http_answer> ask(const http_question& question) {
  set_up_curl();
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), curl_easy_cleanup);
  curl_slist* lines = nullptr;
  for (const auto& [name, value] : question.headers)
    lines = curl_slist_append(lines, (name + ": " + value).c_str());
  // A large body would otherwise wait for a "go on" of the server.
  lines = curl_slist_append(lines, "Expect:");
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> owned(lines, curl_slist_free_all);
  http_answer answer;
  curl_easy_setopt(curl.get(), CURLOPT_URL, question.url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_CUSTOMREQUEST, question.method.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, lines);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(question.limit.count()));
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer.body);
  curl_easy_setopt(curl.get(), CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(curl.get(), CURLOPT_HEADERDATA, &answer.headers);
  if (!question.body.empty() || question.method == "POST") {
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(question.body.size()));
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, question.body.c_str());
  }
  if (curl_easy_perform(curl.get()) != CURLE_OK)
    return std::nullopt;
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  answer.status = static_cast<int>(status);
  return answer;
}

} // namespace levain::test
