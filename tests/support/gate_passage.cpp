#include "tests/support/gate_passage.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace levain::test {

namespace {

constexpr size_t bytes_at_a_time = 65536;

/// What pqxx sends to commit.
constexpr std::string_view commit_statement{"COMMIT\0", 7};

} // namespace

gate_passage::gate_passage(int client, int server)
  : to_server_{client, server}
  , to_client_{server, client} {}

gate_passage::~gate_passage() {
  close(to_server_.from);
  close(to_server_.to);
}

short gate_passage::events_of(const flow& in, const flow& out, moment now) {
  const bool due = !out.waiting.empty() && out.waiting.front().due <= now;
  return static_cast<short>((in.ended ? 0 : POLLIN) | (due ? POLLOUT : 0));
}

std::array<pollfd, 2> gate_passage::waits(moment now) const {
  return {
    {{to_server_.from, events_of(to_server_, to_client_, now), 0},
     {to_client_.from, events_of(to_client_, to_server_, now), 0}}};
}

std::optional<gate_passage::moment> gate_passage::due() const {
  std::optional<moment> first;
  for (const flow* each : {&to_server_, &to_client_})
    if (!each->waiting.empty() && (!first || each->waiting.front().due < *first))
      first = each->waiting.front().due;
  return first;
}

bool gate_passage::serve(const pollfd& client, const pollfd& server, moment now, gate_faults& faults) {
  constexpr short readable = POLLIN | POLLHUP | POLLERR;
  if ((client.revents & readable) != 0 && !to_server_.ended) {
    if (receive(to_server_, faults, now))
      look_for_commit(to_server_.waiting.back().bytes, faults);
  }
  if ((server.revents & readable) != 0 && !to_client_.ended)
    receive(to_client_, faults, now);
  const bool both_there = deliver(to_server_, now) && deliver(to_client_, now);
  const bool all_said =
    (to_server_.ended && to_server_.waiting.empty()) || (to_client_.ended && to_client_.waiting.empty());
  return both_there && !all_said && !(cut_ && to_server_.waiting.empty() && to_client_.waiting.empty());
}

bool gate_passage::receive(flow& from, const gate_faults& faults, moment now) {
  std::string bytes(bytes_at_a_time, '\0');
  const ssize_t received = recv(from.from, bytes.data(), bytes.size(), 0);
  if (received <= 0) {
    from.ended = true;
    return false;
  }
  bytes.resize(static_cast<size_t>(received));
  swallowed_ = swallowed_ || faults.swallow;
  if (swallowed_ || cut_)
    return false;
  if (answer_bytes_left_ && &from == &to_client_) {
    bytes.resize(std::min(bytes.size(), *answer_bytes_left_));
    cut_ = true;
  }
  spend(bytes);
  if (bytes.empty())
    return false;
  from.waiting.push_back({std::move(bytes), now + faults.delay});
  return true;
}

void gate_passage::spend(std::string& bytes) {
  if (!bytes_left_)
    return;
  bytes.resize(std::min(bytes.size(), *bytes_left_));
  *bytes_left_ -= bytes.size();
  cut_ = cut_ || *bytes_left_ == 0;
}

void gate_passage::look_for_commit(const std::string& bytes, gate_faults& faults) {
  if (bytes.find(commit_statement) == std::string::npos)
    return;
  if (std::exchange(faults.lose_next_commit, false)) {
    to_server_.waiting.clear();
    cut_ = true;
  } else if (const auto kept = std::exchange(faults.next_answer_bytes, std::nullopt)) {
    answer_bytes_left_ = *kept;
  }
}

bool gate_passage::deliver(flow& to, moment now) {
  while (!to.waiting.empty() && to.waiting.front().due <= now) {
    auto& first = to.waiting.front().bytes;
    const ssize_t sent = send(to.to, first.data(), first.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0)
      return errno == EAGAIN || errno == EWOULDBLOCK;
    first.erase(0, static_cast<size_t>(sent));
    if (first.empty())
      to.waiting.pop_front();
  }
  return true;
}

void gate_passage::shut() {
  shutdown(to_server_.from, SHUT_RDWR);
  shutdown(to_server_.to, SHUT_RDWR);
  cut_ = true;
}

} // namespace levain::test
