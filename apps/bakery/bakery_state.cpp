#include "apps/bakery/bakery_state.hpp"

#include <cerrno>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <fmt/core.h>

namespace levain {

using json = nlohmann::json;

json to_json(const bakery_call& call) {
  return {
    {"at", to_rfc3339(call.at)}, {"method", call.method},     {"path", call.path},     {"service", call.service},
    {"key", call.key},           {"attempt", call.attempt},   {"tenant", call.tenant}, {"run", call.run},
    {"status", call.status},     {"repeated", call.repeated}, {"fault", call.fault},
  };
}

} // namespace levain

namespace levain::bakery {

namespace {

bakery_call read_ledger_line(const json& line) {
  auto at = parse_timestamp(line.at("at").get_ref<const std::string&>());
  if (!at)
    throw std::runtime_error("`at` is not a time");
  return {
    .at = *at,
    .method = line.at("method"),
    .path = line.at("path"),
    .service = line.at("service"),
    .key = line.at("key"),
    .attempt = line.at("attempt"),
    .tenant = line.at("tenant"),
    .run = line.at("run"),
    .status = line.at("status"),
    .repeated = line.at("repeated"),
    .fault = line.at("fault"),
  };
}

json to_line(const std::string& key, const kept_answer& answer, timestamp at) {
  return {
    {"at", to_rfc3339(at)},    {"key", key},
    {"path", answer.path},     {"tenant", to_string(answer.tenant)},
    {"method", answer.method}, {"answer", json::parse(answer.body)},
  };
}

} // namespace

folder_lock::folder_lock(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  auto path = folder / "lock";
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file_ < 0)
    throw std::system_error(errno, std::generic_category(), fmt::format("cannot open {}", path.string()));
  if (::flock(file_, LOCK_EX | LOCK_NB) != 0) {
    ::close(file_);
    throw std::runtime_error(fmt::format("another bakery is already using {}", folder.string()));
  }
}

folder_lock::~folder_lock() {
  ::close(file_);
}

bakery_state::bakery_state(const std::filesystem::path& folder, const std::filesystem::path& ledger)
  : lock_(folder)
  , done_(folder / "done.jsonl", [this](json line) { remember(line); })
  , outbox_(folder / "outbox.jsonl", [this](json line) { letter_ids_.insert(line.at("id")); })
  , board_(folder / "board.jsonl", [this](json line) { letter_ids_.insert(line.at("id")); })
  , ledger_file_(ledger, [this](json line) { ledger_.push_back(read_ledger_line(line)); }) {}

const kept_answer* bakery_state::find_answer(const std::string& key) const {
  auto at = answers_.find(key);
  return at == answers_.end() ? nullptr : &at->second;
}

const document* bakery_state::find_document(const std::string& id) const {
  auto at = documents_.find(id);
  return at == documents_.end() ? nullptr : &at->second;
}

void bakery_state::remember(const json& line) {
  auto tenant = uuid::parse(line.at("tenant").get_ref<const std::string&>());
  if (!tenant)
    throw std::runtime_error("`tenant` is not a UUID");
  kept_answer answer{line.at("method"), line.at("path"), *tenant, line.at("answer").dump()};
  if (line.contains("document"))
    documents_[line["document"]] = {line.at("service"), *tenant, answer.body};
  if (line.contains("undone"))
    if (auto at = documents_.find(line["undone"]); at != documents_.end())
      at->second.undone = true;
  answers_.insert_or_assign(line.at("key"), std::move(answer));
}

void bakery_state::write_letters(json_lines& into, const std::vector<json>& letters, timestamp at) {
  for (const auto& each : letters)
    if (letter_ids_.insert(each.at("id")).second) {
      auto dated = each;
      dated["at"] = to_rfc3339(at);
      into.add(dated);
    }
}

void bakery_state::keep_work(
  const std::string& key, kept_answer answer, const service_answer& made, const std::string& service, timestamp at) {
  write_letters(outbox_, made.messages, at);
  write_letters(board_, made.posts, at);
  auto line = to_line(key, answer, at);
  if (!made.document.empty()) {
    line["document"] = made.document;
    line["service"] = service;
    documents_[made.document] = {service, answer.tenant, answer.body};
  }
  done_.add(line);
  answers_.insert_or_assign(key, std::move(answer));
}

void bakery_state::keep_undo(const std::string& key, kept_answer answer, const std::string& id, timestamp at) {
  auto line = to_line(key, answer, at);
  if (auto found = documents_.find(id); found != documents_.end()) {
    found->second.undone = true;
    line["undone"] = id;
  }
  done_.add(line);
  answers_.insert_or_assign(key, std::move(answer));
}

void bakery_state::enter(const bakery_call& call) {
  ledger_.push_back(call);
  ledger_file_.add(to_json(call));
}

void bakery_state::save() {
  outbox_.write(true);
  board_.write(true);
  done_.write(true);
  // The ledger tells what happened; nothing is decided by it, so it need not survive a loss of power.
  ledger_file_.write(false);
}

} // namespace levain::bakery
