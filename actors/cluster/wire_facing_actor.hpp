#pragma once

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/event_based_actor.hpp>

namespace levain {

/// To an actor that faces the wire, from its own process alone: end. It cannot come over a wire.
struct close_wire {};

/// An actor that programs at the other end of a wire can send to, and that none of them ends. Whoever is connected can
/// send CAF's own messages too, and by default an exit message (those of `exit_reason::kill` without a handler being
/// asked) and an error end their receiver. This one drops both, and cuts off whoever asks it to end: a behavior has to
/// take `close_wire` or something like it.
class wire_facing_actor : public caf::event_based_actor {
public:
  explicit wire_facing_actor(caf::actor_config& config);

  using caf::event_based_actor::enqueue;
  void enqueue(caf::mailbox_element_ptr element, caf::execution_unit* host) override;
};

} // namespace levain

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::close_wire)
