#include "tests/simulation/wire_words.hpp"

namespace levain::simulation {

namespace {

using std::chrono::milliseconds;

word_passed read(const call_given& x) {
  word_passed word;
  word.what = word_kind::given;
  word.number = x.number;
  word.epoch = x.epoch;
  word.key = x.key;
  word.attempt = x.attempt;
  word.kind = x.kind;
  word.heartbeat = milliseconds(x.heartbeat);
  word.time_left = milliseconds(x.time_left);
  return word;
}

word_passed read_number(word_kind what, uint64_t number) {
  word_passed word;
  word.what = what;
  word.number = number;
  return word;
}

word_passed read(const call_dropped& x) {
  auto word = read_number(word_kind::dropped, x.number);
  word.moves = x.moves;
  return word;
}

word_passed read(const call_cancelled& x) {
  return read_number(word_kind::cancelled, x.number);
}

word_passed read(const call_begun& x) {
  return read_number(word_kind::begun, x.number);
}

word_passed read(const call_declined& x) {
  return read_number(word_kind::declined, x.number);
}

word_passed read(const room_made& x) {
  word_passed word;
  word.what = word_kind::room;
  word.kind = x.kind;
  word.room = x.free;
  return word;
}

word_passed read(const call_heartbeat& x) {
  return read_number(word_kind::beat, x.number);
}

word_passed read(const call_ended& x) {
  auto word = read_number(word_kind::ended, x.number);
  word.epoch = x.epoch;
  word.key = x.key;
  word.succeeded = x.succeeded;
  word.result = x.result;
  return word;
}

word_passed read(const calls_held& x) {
  word_passed word;
  word.what = word_kind::held;
  word.held = known_from(x.held);
  return word;
}

word_passed read(const worker_leaving& /*nothing in it*/) {
  word_passed word;
  word.what = word_kind::leaving;
  return word;
}

template <class... Words>
std::optional<word_passed> read_any(const caf::type_erased_tuple& content) {
  std::optional<word_passed> found;
  const auto try_one = [&](const auto* plain) {
    using word = std::remove_cvref_t<decltype(*plain)>;
    if (!found && content.match_elements<word>())
      found = read(content.get_as<word>(0));
  };
  (try_one(static_cast<const Words*>(nullptr)), ...);
  return found;
}

} // namespace

std::vector<held_known> known_from(const std::vector<held_call>& held) {
  std::vector<held_known> known;
  for (const auto& each : held)
    known.push_back({each.key, each.attempt});
  return known;
}

std::vector<offer_known> known_from(const std::vector<wire_offer>& offers) {
  std::vector<offer_known> known;
  for (const auto& each : offers)
    known.push_back({each.kind, each.at_once});
  return known;
}

std::optional<word_passed> read_word(const caf::type_erased_tuple& content) {
  return read_any<
    call_given, call_dropped, call_begun, call_declined, room_made, call_heartbeat, call_ended, calls_held,
    worker_leaving, call_cancelled>(content);
}

} // namespace levain::simulation
