// What a worker may say to a node's desk, in any order, beside one that keeps to the protocol and calls that come and
// go.
#include <map>
#include <set>

#include "actors/cluster/worker_desk.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/fuzz_target.hpp"
#include "tests/support/scripted_workers.hpp"

namespace levain::test {

namespace {

constexpr uint32_t honest_slots = 2;
constexpr size_t calls_max = 64;
const std::vector<std::string> kinds{"bake", "mix", "nobody's"};

class desk_world {
public:
  desk_world() { honest_ = std::get<seat>(desk_->join(hello_of(2, {{"bake", honest_slots}, {"mix", honest_slots}}))); }

  /// Something that the input chooses.
  void go_on(fuzz_input& input) {
    constexpr size_t choices = 13;
    switch (input.below(choices)) {
    case 0:
      begin(input);
      break;
    case 1:
      if (!calls_.empty())
        give_up(input.below(calls_.size()));
      break;
    case 2:
      say(call_begun{number(input)});
      break;
    case 3:
      say(call_declined{number(input)});
      break;
    case 4:
      say(room_made{text(input, kinds), static_cast<uint32_t>(number(input))});
      break;
    case 5:
      say(call_heartbeat{number(input), std::string(input.line())});
      break;
    case 6:
      say(some_end(input));
      break;
    case 7:
      say(calls_held{some_held(input)});
      break;
    case 8:
      say(worker_leaving{});
      break;
    case 9:
      leave();
      break;
    case 10:
      join(input);
      break;
    case 11:
      pass_time(std::chrono::milliseconds(input.byte() * 100));
      break;
    default:
      work();
    }
    take_out();
  }

  /// The other worker alone: whatever was said, it gets all that is left.
  void come_to_an_end() {
    leave();
    take_out();
    for (size_t turns = 0; !given_.empty(); ++turns) {
      require(turns <= 2 * calls_max, "calls that are done are gone");
      work();
      take_out();
    }
    size_t waiting = 0;
    for (const auto& each : calls_) {
      const bool undone = !each.given_up && each.told == 0;
      require(!undone || each.kind == kinds.back(), "every call of a kind that is offered ends", each.key);
      waiting += undone ? 1 : 0;
    }
    require(desk_->figures() == worker_figures{1, 0, waiting}, "what nobody offers waits, and nothing else is left");
    desk_->close();
    for (const auto& each : calls_)
      require(each.given_up || each.told == 1, "every call is told its result once", each.key);
  }

private:
  using seat = worker_desk::seat;

  struct call {
    std::string key;
    std::string kind;
    call_in_flight held;
    bool given_up = false;
    int told = 0;
  };

  /// Numbers that mean something, and any others.
  uint64_t number(fuzz_input& input) {
    const auto chosen = input.byte();
    constexpr uint8_t far = 250;
    return chosen < far ? chosen % (calls_.size() + 2) : UINT64_MAX - (UINT8_MAX - chosen);
  }
  static std::string text(fuzz_input& input, const std::vector<std::string>& known) {
    const auto chosen = input.below(known.size() + 1);
    return chosen < known.size() ? known[chosen] : std::string(input.line());
  }
  std::string key(fuzz_input& input) {
    static const std::vector<std::string> keys{"a", "b", "c", "d"};
    return text(input, keys);
  }

  void begin(fuzz_input& input) {
    if (calls_.size() >= calls_max)
      return;
    const auto index = calls_.size();
    auto& made = calls_.emplace_back();
    made.key = std::string(1, static_cast<char>('a' + input.below(4)));
    made.kind = kinds[input.below(kinds.size())];
    const auto heartbeat = std::chrono::seconds(input.below(2));
    const auto attempt = static_cast<uint32_t>(1 + input.below(2));
    made.held =
      desk_->begin(worker_request(made.key, made.kind, heartbeat, attempt), [this, index](const call_result& result) {
        told(index, result);
      });
  }
  void told(size_t index, const call_result& result) {
    auto& of = calls_[index];
    require(!of.given_up, "who has given a call up hears nothing of it", of.key);
    require(++of.told == 1, "a call is told its result once", of.key);
    if (const auto* failure = std::get_if<call_failure>(&result))
      require_line(failure->message);
  }
  void give_up(size_t index) {
    calls_[index].given_up = true;
    calls_[index].held.give_up();
  }

  call_ended some_end(fuzz_input& input) {
    call_ended end;
    end.number = number(input);
    end.epoch = input.below(8) == 0 ? input.byte() : 7;
    end.key = key(input);
    end.succeeded = input.below(2) == 0;
    end.retry = input.below(2) == 0;
    end.retry_after = int64_t{input.byte()} - 128;
    end.result = input.line();
    return end;
  }
  std::vector<held_call> some_held(fuzz_input& input) {
    std::vector<held_call> held(input.below(4));
    for (auto& each : held)
      each = {key(input), static_cast<uint32_t>(input.below(3))};
    return held;
  }

  template <class Word>
  void say(const Word& word) {
    if (!rogue_)
      return;
    const auto fault = desk_->take(*rogue_, word);
    if (fault.empty())
      return;
    require_line(fault);
    leave();
  }
  void leave() {
    if (rogue_)
      desk_->leave(*rogue_);
    rogue_.reset();
  }
  void join(fuzz_input& input) {
    auto hello = hello_of(1, {{"bake", 3}, {"mix", 1}});
    if (input.below(4) == 0)
      hello.offers.push_back({text(input, kinds), static_cast<uint32_t>(number(input))});
    if (input.below(8) == 0)
      hello.name = input.line();
    hello.held = some_held(input);
    // With the same id it leaves the seat that it had.
    const auto joined = desk_->join(hello);
    if (const auto* why = std::get_if<std::string>(&joined))
      return require_line(*why);
    rogue_ = std::get<seat>(joined);
  }
  void pass_time(duration span) {
    now_ += span;
    if (const auto due = desk_->next_due(); due && *due <= now_)
      desk_->end_silent_calls();
    require(!desk_->next_due() || *desk_->next_due() > now_, "what was silent for too long has ended");
  }

  /// What the desk says to the honest worker; what it says to the other one is lost.
  void take_out() {
    for (const auto& each : desk_->take_out()) {
      if (each.to != honest_)
        continue;
      if (const auto* given = std::get_if<call_given>(&each.word)) {
        require(given_.emplace(given->number, *given).second, "a call is given once at a time");
        size_t of_kind = 0;
        for (const auto& [number, other] : given_)
          of_kind += other.kind == given->kind ? 1 : 0;
        require(of_kind <= honest_slots, "nobody gets more than it offers", given->kind);
      } else {
        // It ends what nobody waits for, and says so, as a worker does whose function has returned.
        finish(std::get<call_dropped>(each.word).number);
      }
    }
  }
  /// It does the oldest call that it has.
  void work() {
    if (!given_.empty())
      finish(given_.begin()->first);
  }
  void finish(uint64_t number) {
    const auto found = given_.extract(number);
    if (found.empty())
      return;
    require(desk_->take(honest_, call_begun{number}).empty(), "an honest worker is heard");
    const auto fault = desk_->take(honest_, end_of(number, found.mapped().key));
    require(fault.empty(), "an honest worker is heard", fault);
  }

  timestamp now_ = workers_begin;
  std::shared_ptr<worker_desk> desk_ = std::make_shared<worker_desk>(worker_roster_options{}, [this] { return now_; });
  seat honest_ = 0;
  std::optional<seat> rogue_;
  std::vector<call> calls_;
  std::map<uint64_t, call_given> given_;
};

} // namespace

LEVAIN_FUZZ_TARGET(worker_words) {
  fuzz_input bytes(input);
  desk_world world;
  while (!bytes.at_end())
    world.go_on(bytes);
  world.come_to_an_end();
}

} // namespace levain::test
