#pragma once

#include <chrono>
#include <memory>

#include <pqxx/pqxx>

namespace levain {

/// How long the server of one connection may take to answer. libpq itself waits for ever: a server that is stopped, or
/// a network that swallows what is sent, would take the thread that asked with it. When the time is over the socket is
/// shut down, and what is under way on it ends as with any connection that is lost. One thread of the process watches
/// all deadlines, and sleeps while there are none. One thread at a time per object.
class answer_deadline {
public:
  answer_deadline();
  ~answer_deadline();
  answer_deadline(const answer_deadline&) = delete;
  answer_deadline& operator=(const answer_deadline&) = delete;

  /// From now on the server behind `socket` has `limit` to answer; zero means that it has all the time there is. Ends
  /// the time that was begun before. Needs a descriptor the first time, and keeps it: throws `pqxx::broken_connection`
  /// when the process has none left then.
  void begin(int socket, std::chrono::milliseconds limit);

  /// The answers are here.
  void end() noexcept;

  /// Whether the time that was begun last has run out.
  bool expired() const noexcept;

  /// The next statement of `transaction` has the whole time again, if its connection has a deadline.
  static void restart(const pqxx::transaction_base& transaction) noexcept;

private:
  struct watched;
  struct watch;

  std::unique_ptr<watched> watched_;
};

/// Begins the time of a deadline, and ends it when it goes.
class answer_time {
public:
  answer_time(answer_deadline& deadline, int socket, std::chrono::milliseconds limit)
    : deadline_(deadline) {
    deadline_.begin(socket, limit);
  }
  ~answer_time() { deadline_.end(); }
  answer_time(const answer_time&) = delete;
  answer_time& operator=(const answer_time&) = delete;

private:
  answer_deadline& deadline_;
};

} // namespace levain
