#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace levain {

/// What a host's name leads to.
struct name_answer {
  std::string name;
  /// Numeric, IPv4 or IPv6, in the order in which they are to be tried. Empty when there is none.
  std::vector<std::string> addresses;
  /// Why there is none, in the system's words.
  std::string fault;
};

/// Looks a name up; may block for as long as the system's resolver does. Called on many threads at a time.
using name_lookup = std::function<name_answer(const std::string& name)>;

/// Asks the system (`getaddrinfo`). Tries again for a second while the process has no descriptor for it.
name_answer look_up_by_system(const std::string& name);

struct name_resolver_options {
  /// Threads that look names up, each started when there is work for it. Names that are slow take at most half.
  size_t threads_max = 64;
  /// Names whose addresses are remembered.
  size_t names_max = 1024;
  /// Addresses are used for so long without a question...
  std::chrono::seconds fresh_for{30};
  /// ... and for so long while they are looked up again.
  std::chrono::seconds usable_for{60};
  /// A lookup that takes longer makes its name a slow one.
  std::chrono::milliseconds slow_after{1000};
};

/// Looks names up without blocking the thread that asks. A lookup cannot be interrupted, so its thread belongs to
/// nobody: the resolver can go while lookups hang, and what they come to is then dropped.
class name_resolver {
public:
  using clock = std::chrono::steady_clock;
  /// Called on a thread of the resolver, never after the resolver has gone; may not block.
  using answered = std::function<void(name_answer)>;

  /// Throws `std::runtime_error` when `threads_max` is zero.
  name_resolver(name_resolver_options options, name_lookup lookup, answered tell);
  ~name_resolver();
  name_resolver(const name_resolver&) = delete;
  name_resolver& operator=(const name_resolver&) = delete;

  /// The addresses of a name, if they are known and usable at `now`; nothing otherwise. In both cases the name is
  /// looked up when that is due, once however many ask. The pointer is valid until the next call.
  const std::vector<std::string>* find(const std::string& name, clock::time_point now);

  /// Remembers what a lookup came to; an answer without addresses leaves what is known. On the thread of `find`.
  void remember(const name_answer& answer, clock::time_point now);

private:
  struct shared;
  struct known {
    std::vector<std::string> addresses;
    clock::time_point since;
  };

  void make_room(clock::time_point now);

  const name_resolver_options options_;
  std::shared_ptr<shared> shared_;
  std::unordered_map<std::string, known> known_;
};

} // namespace levain
