#pragma once

#include <map>
#include <stdexcept>
#include <string>

#include <curl/curl.h>
#include <nlohmann/json.hpp>

#include "apps/bakery/bakery_service.hpp"

namespace levain::test {

/// A folder in the system's temporary folder, gone at the end.
class scratch_folder {
public:
  scratch_folder() {
    auto pattern = (std::filesystem::temp_directory_path() / "levain-bakery-XXXXXX").string();
    if (!::mkdtemp(pattern.data()))
      throw std::runtime_error("cannot make " + pattern);
    path_ = pattern;
  }
  ~scratch_folder() { std::filesystem::remove_all(path_); }
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;

  const std::filesystem::path& path() const { return path_; }

private:
  std::filesystem::path path_;
};

struct answer {
  long status = 0;
  nlohmann::json body;
};

inline size_t take_bytes(char* bytes, size_t size, size_t count, void* into) {
  static_cast<std::string*>(into)->append(bytes, size * count);
  return size * count;
}

/// One request to `url`, answered or thrown.
inline answer send(
  const std::string& method, const std::string& url, const std::string& body,
  const std::map<std::string, std::string>& headers = {}) {
  auto* curl = curl_easy_init();
  curl_slist* lines = nullptr;
  for (const auto& [name, value] : headers)
    lines = curl_slist_append(lines, (name + ": " + value).c_str());
  std::string text;
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, lines);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &text);
  if (method != "GET") {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, long(body.size()));
    curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, body.c_str());
  }
  auto code = curl_easy_perform(curl);
  answer result;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &result.status);
  curl_slist_free_all(lines);
  curl_easy_cleanup(curl);
  if (code != CURLE_OK)
    throw std::runtime_error(method + " " + url + ": " + curl_easy_strerror(code));
  result.body = text.empty() ? nlohmann::json() : nlohmann::json::parse(text);
  return result;
}

/// Calls the services of one bakery as one run does.
class bakery_client {
public:
  bakery_client(std::string url, std::string run, size_t nth_tenant = 0)
    : url_(std::move(url))
    , run_(std::move(run))
    , tenant_(to_string(sample_tenants().at(nth_tenant).id)) {}

  /// `POST` with the key `run/step`; the answer of a success becomes a result.
  answer work(const std::string& step, const std::string& path, unsigned attempt = 1) {
    auto got = send("POST", url_ + path, body().dump(), headers(run_ + "/" + step, attempt));
    if (got.status == 200)
      results[step] = got.body;
    return got;
  }

  /// `DELETE` with the key `run/step/undo`.
  answer undo(const std::string& step, const std::string& path) {
    return send("DELETE", url_ + path, body().dump(), headers(run_ + "/" + step + "/undo", 1));
  }

  nlohmann::json body() const {
    return {{"run", {{"id", run_}, {"tenant", tenant_}}}, {"input", input}, {"results", results}};
  }

  std::map<std::string, std::string> headers(const std::string& key, unsigned attempt) const {
    return {
      {"Idempotency-Key", key},
      {"Levain-Tenant", tenant_},
      {"Levain-Attempt", std::to_string(attempt)},
      {"Content-Type", "application/json"}};
  }

  const std::string& tenant() const { return tenant_; }
  const std::string& url() const { return url_; }

  nlohmann::json input = nlohmann::json::object();
  nlohmann::json results = nlohmann::json::object();

private:
  std::string url_;
  std::string run_;
  std::string tenant_;
};

} // namespace levain::test
