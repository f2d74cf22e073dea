#include "actors/endings.hpp"

#include <algorithm>
#include <charconv>

#include <caf/send.hpp>
#include <fmt/format.h>

namespace levain {

namespace {

/// Characters of a UUID as text.
constexpr size_t uuid_characters = 36;

} // namespace

std::string to_string(const endings_cursor& cursor) {
  return fmt::format("{}.{}", to_string(cursor.boot), cursor.number);
}

std::optional<endings_cursor> parse_endings_cursor(std::string_view text) {
  if (text.size() < uuid_characters + 2 || text[uuid_characters] != '.')
    return std::nullopt;
  const auto boot = uuid::parse(text.substr(0, uuid_characters));
  uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data() + uuid_characters + 1, end, number);
  if (!boot || error != std::errc() || stopped != end)
    return std::nullopt;
  return endings_cursor{*boot, number};
}

endings_state::endings_state(endings_actor::pointer self)
  : self_(self) {}

endings_state::~endings_state() {
  for (const auto& each : waiting_)
    answer(each);
}

void endings_state::begin(endings_beginning how) {
  how_ = std::move(how);
}

void endings_state::add(const run_ending& ending) {
  if (kept_.size() < how_.options.kept_max)
    kept_.push_back(ending);
  else
    kept_[count_ % how_.options.kept_max] = ending;
  ++count_;
  if (listener_)
    listener_(ending);
  for (const auto& each : std::exchange(waiting_, {}))
    answer(each);
}

void endings_state::ask(endings_asked& x) {
  waiting_poll poll{count_, false, x.limit, how_.now() + x.wait, std::move(x.outcome), std::move(x.abandoned)};
  if (x.from == endings_asked::from_type::oldest_kept)
    poll.number = oldest_kept();
  if (x.from == endings_asked::from_type::cursor) {
    const bool of_this_life = x.after.boot == how_.boot;
    if (of_this_life && x.after.number > count_) {
      poll.outcome(endings_refused{
        endings_refused::reason_type::no_such_cursor,
        fmt::format("must be at most {}, where the endings are now", to_string(endings_cursor{how_.boot, count_}))});
      return;
    }
    poll.missed = !of_this_life || x.after.number < oldest_kept();
    poll.number = poll.missed ? oldest_kept() : x.after.number;
  }
  if (poll.number < count_ || poll.missed || x.wait <= duration(0)) {
    answer(poll);
    return;
  }
  if (waiting_.size() >= how_.options.polls_waiting_max)
    std::erase_if(waiting_, [](const waiting_poll& each) { return each.abandoned && each.abandoned(); });
  if (waiting_.size() >= how_.options.polls_waiting_max) {
    poll.outcome(endings_refused{
      endings_refused::reason_type::busy,
      fmt::format("{} requests wait for endings already; ask again", waiting_.size())});
    return;
  }
  self_->send(how_.timekeeper, wake_at{poll.until});
  waiting_.push_back(std::move(poll));
}

void endings_state::woken() {
  const auto time = how_.now();
  std::vector<waiting_poll> over;
  std::erase_if(waiting_, [&](waiting_poll& each) {
    if (each.until > time)
      return false;
    over.push_back(std::move(each));
    return true;
  });
  for (const auto& each : over)
    answer(each);
}

void endings_state::answer(const waiting_poll& poll) const {
  endings_page page;
  page.missed = poll.missed;
  const auto until = std::min<uint64_t>(count_, poll.number + poll.limit);
  page.endings.reserve(until - poll.number);
  for (auto number = poll.number; number < until; ++number)
    page.endings.push_back(kept_[number % how_.options.kept_max]);
  page.next = {how_.boot, until};
  poll.outcome(std::move(page));
}

endings_actor::behavior_type endings(endings_actor::stateful_pointer<endings_state> self, endings_beginning how) {
  self->state.begin(std::move(how));
  return {
    [self](const run_ending& x) { self->state.add(x); },
    [self](endings_asked& x) { self->state.ask(x); },
    [self](listen_to_endings& x) { self->state.listen(x); },
    [self](const wake&) { self->state.woken(); },
  };
}

} // namespace levain
