#include "actors/workflow/literal_secrets.hpp"

#include <algorithm>
#include <array>
#include <strings.h>

#include <fmt/format.h>

#include "actors/run_machine/call_template.hpp"

namespace levain {

namespace {

constexpr std::array secret_headers = {"Authorization", "Cookie", "Proxy-Authorization"};

constexpr const char* advice =
  "everybody may read definitions, and they are kept for ever: use a ${variable}, which levaind is given by "
  "--var-file NAME=FILE";

/// Whether the text is the same in every call, and there is one.
bool is_literal(const std::string& text) {
  const auto cut = parse_template(text);
  const auto* pieces = std::get_if<call_template>(&cut);
  return pieces != nullptr && !pieces->empty() && std::ranges::all_of(*pieces, [](const template_piece& piece) {
           return piece.kind == template_piece::kind_type::text &&
                  piece.text.find_first_not_of(" \t") != std::string::npos;
         });
}

/// `user:password` of `http://user:password@host/`; empty where there is none.
std::string user_of(const std::string& url) {
  const auto scheme = url.find("://");
  if (scheme == std::string::npos)
    return {};
  const auto authority = url.substr(scheme + 3, url.find_first_of("/?#", scheme + 3) - (scheme + 3));
  const auto at = authority.rfind('@');
  return at == std::string::npos ? std::string() : authority.substr(0, at);
}

void look_into(const call_spec& call, const std::string& place, std::vector<field_error>& found) {
  const auto* http = std::get_if<http_call>(&call);
  if (http == nullptr)
    return;
  if (is_literal(user_of(http->url)))
    found.push_back({place + ".http.url", fmt::format("has the service's user or password in it; {}", advice)});
  for (const auto& [name, value] : http->headers) {
    const bool is_secret =
      std::ranges::any_of(secret_headers, [&](const char* secret) { return strcasecmp(name.c_str(), secret) == 0; });
    if (is_secret && is_literal(value))
      found.push_back(
        {fmt::format("{}.http.headers.{}", place, name),
         fmt::format("has the value of the header '{}' in it; {}", name, advice)});
  }
}

} // namespace

std::vector<field_error> literal_secrets(const workflow_definition& workflow) {
  std::vector<field_error> found;
  for (size_t i = 0; i < workflow.steps.size(); ++i) {
    const auto place = fmt::format("steps[{}]", i);
    const auto& step = workflow.steps[i];
    look_into(step.call, place + ".call", found);
    if (step.compensate)
      look_into(step.compensate->call, place + ".compensate", found);
  }
  return found;
}

} // namespace levain
