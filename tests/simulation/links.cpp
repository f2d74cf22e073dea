#include "tests/simulation/links.hpp"

#include <algorithm>

#include "actors/cluster/peer_checks.hpp"

namespace levain::simulation {

namespace {

using std::chrono::milliseconds;

/// A peer that is not heard of for so long is given up, and with it what it was asked; see `wire_pace`.
constexpr duration silence_max = std::chrono::seconds(2);

} // namespace

class links::port : public peer_links {
public:
  port(links& all, life_ptr of)
    : all_(all)
    , of_(std::move(of)) {}

  void ask(const uuid& node, peer_request request, duration time_max, receiver<peer_answer> outcome) override {
    all_.ask(of_, node, std::move(request), time_max, std::move(outcome));
  }

private:
  links& all_;
  life_ptr of_;
};

links::links(ground& under)
  : under_(under)
  , luck_(seed_for(under.script.shape.seed, "links")) {}

std::shared_ptr<peer_links> links::port_of(const life_ptr& of) {
  return std::make_shared<port>(*this, of);
}

void links::open(const life_ptr& of, link_end end) {
  ends_[of->who] = {of, std::move(end)};
}

const link_end* links::end_of(const life& of) const {
  const auto found = ends_.find(of.who);
  return found == ends_.end() ? nullptr : &found->second.second;
}

timestamp links::arrival(const life& from, const life& to) {
  auto delay = milliseconds(luck_.between(0, 5));
  if (!calm_ && luck_.happens(80))
    delay = milliseconds(luck_.between(5, luck_.happens(200) ? 6'000 : 300));
  auto& last = last_arrivals_[{from.who, to.who}];
  last = std::max(last, under_.now + delay);
  return last;
}

void links::complain_of(const life& of, const std::optional<std::string>& fault) {
  if (fault)
    under_.audience.saw_complaint(under_.now, of.who, "it sends another node nonsense: " + *fault);
}

// ---- requests ---------------------------------------------------------------

void links::ask(
  const life_ptr& from, const uuid& node, peer_request what, duration time_max, receiver<peer_answer> outcome) {
  complain_of(*from, std::visit([](const auto& each) { return fault_in(each); }, what));
  if (time_max <= duration(0))
    complain_of(*from, "it leaves no time for an answer");
  const auto known = under_.known_as.find(node);
  const auto x = std::make_shared<request>(
    request{from, known == under_.known_as.end() ? nullptr : known->second, std::move(what), std::move(outcome)});
  open_.push_back(x);
  const auto cut =
    x->to ? under_.faults.cut_between(from->who.node, x->to->who.node, under_.now) : std::optional<cut_kind>();
  if (!x->to || !x->to->alive || end_of(*x->to) == nullptr || cut == cut_kind::closed) {
    under_.seen.saw(sight::requests_unsent);
    under_.coming.at(under_.now, [this, x] { tell(x, no_answer{"this node has no connection with it", false}); });
    return;
  }
  under_.seen.saw(sight::requests_sent);
  if (cut == cut_kind::silent)
    under_.seen.saw(sight::requests_lost);
  else
    under_.coming.at(arrival(*from, *x->to), [this, x] { arrive(x); });
  const auto late = [this, x] { tell(x, no_answer{"it does not answer", true}); };
  under_.coming.at(under_.now + time_max, late);
  under_.coming.at(under_.now + silence_max, [this, x, late] {
    const bool silent =
      x->to->paused || under_.faults.cut_between(x->from->who.node, x->to->who.node, under_.now) == cut_kind::silent;
    if (x->outcome && silent)
      late();
  });
}

void links::arrive(const request_ptr& x) {
  x->to->reach([this, x] {
    if (const auto* end = end_of(*x->to))
      end->serve(x->what, [this, x](const peer_answer& answer) { answered(x, answer); });
  });
}

void links::answered(const request_ptr& x, const peer_answer& answer) {
  if (!x->to->alive)
    return; // Its last words reach nobody.
  complain_of(
    *x->to, std::visit(
              [](const auto& each) -> std::optional<std::string> {
                if constexpr (std::is_same_v<std::remove_cvref_t<decltype(each)>, no_answer>)
                  return "nothing, to what it was asked";
                else
                  return fault_in(each);
              },
              answer));
  const auto cut = under_.faults.cut_between(x->from->who.node, x->to->who.node, under_.now);
  if (cut) {
    under_.seen.saw(sight::answers_lost);
    if (cut == cut_kind::closed)
      under_.coming.at(under_.now, [this, x] { tell(x, no_answer{"the connection was lost", true}); });
    return;
  }
  under_.coming.at(arrival(*x->to, *x->from), [this, x, answer] { tell(x, answer); });
}

void links::tell(const request_ptr& x, const peer_answer& answer) {
  x->from->reach([x, answer] {
    if (const auto outcome = std::exchange(x->outcome, nullptr))
      outcome(answer);
  });
  std::erase_if(open_, [](const request_ptr& each) { return !each->outcome; });
}

// ---- news -------------------------------------------------------------------

void links::tell_others(const life& of, std::function<void()> link_end::*what) {
  for (const auto& [each, end] : ends_) {
    const auto to = end.first;
    if (to.get() == &of || !to->alive || under_.faults.cut_between(of.who.node, to->who.node, under_.now))
      continue;
    under_.coming.at(arrival(of, *to), [this, to, what] {
      to->reach([this, to, what] {
        if (const auto* end = end_of(*to))
          (end->*what)();
      });
    });
  }
}

void links::shards_freed_by(const life& of) {
  tell_others(of, &link_end::shards_freed);
}

void links::forget(const life& of) {
  if (ends_.erase(of.who) == 0)
    return;
  std::erase_if(open_, [&](const request_ptr& each) {
    if (each->from.get() != &of)
      return false;
    each->outcome = nullptr;
    return true;
  });
  for (const auto& each : open_)
    if (each->to.get() == &of)
      under_.coming.at(under_.now, [this, each] { tell(each, no_answer{"the connection was lost", true}); });
  tell_others(of, &link_end::peer_died);
}

} // namespace levain::simulation
