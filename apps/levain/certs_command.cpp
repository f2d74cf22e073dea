#include <memory>

#include <fmt/format.h>

#include "apps/certificates/try_out_certificates.hpp"
#include "apps/levain/commands.hpp"

namespace levain {

namespace {

struct certs_words {
  std::string directory;
  std::vector<std::string> nodes;
  int days = 30;
};

exit_status make(const command_line& line, const certs_words& words) {
  certificates_wanted wanted;
  wanted.directory = words.directory;
  if (!words.nodes.empty())
    wanted.nodes = words.nodes;
  wanted.valid = std::chrono::days(words.days);
  const auto files = make_certificates(wanted);
  const auto until = to_rfc3339(std::chrono::floor<std::chrono::seconds>(wanted.at + wanted.valid));
  std::string text;
  for (const auto& each : files)
    text += each + '\n';
  text += line.out.look(
    terminal::ink::quiet,
    fmt::format("valid until {}; for a try-out: whoever has ca.key can make more of them\n", until));
  answer(line, {{"files", files}, {"valid_until", until}}, text);
  return exit_status::done;
}

} // namespace

void add_certs_command(CLI::App& app, command_line& line) {
  auto words = std::make_shared<certs_words>();
  auto* certs = app.add_subcommand("certs", "Make a CA and certificates for trying out a cluster with TLS");
  certs->add_option("DIR", words->directory, "Where to; made when it is not there")->required();
  certs->add_option("--node", words->nodes, "A node's name, for NAME.pem and NAME.key; may be repeated (node)");
  certs->add_option("--days", words->days, "How long they are valid, 1 to 3650")->capture_default_str();
  add_json_option(*certs, line);
  certs->callback([&line, words] { line.chosen = [&line, words] { return make(line, *words); }; });
}

} // namespace levain
