#include "actors/cluster/wire_link.hpp"
#include "persistence/span_text.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>
#include <system_error>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

namespace levain {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::milliseconds;

namespace {

constexpr frame_origin origin_of(bool connecting) {
  return connecting ? frame_origin::connecting : frame_origin::accepting;
}

} // namespace

wire_link::wire_link(beginning with, wire_stream stream)
  : with_(std::move(with))
  , outside_(std::move(stream))
  , inside_(*with_.context)
  , in_(origin_of(with_.accepted), with_.self)
  , out_(origin_of(!with_.accepted)) {}

void wire_link::start(std::function<void()> ready) {
  outside_.handshake(
    with_.accepted, [me = shared_from_this(), this, ready = std::move(ready)](const std::string& fault) {
      if (ended_)
        return;
      if (!fault.empty())
        return end(fault, link_end::distrust);
      in_bytes_.resize(with_.accepted ? frame_control_bytes_max : link_buffer_bytes);
      if (ready)
        ready();
      read_outside();
    });
}

file_descriptor wire_link::open_inside(bool introduced_already) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
    throw std::system_error(errno, std::generic_category(), "no descriptors for a connection");
  file_descriptor caf(ends[1]);
  inside_.assign(asio::local::stream_protocol(), ends[0]);
  leave_out_first_ = introduced_already;
  out_bytes_.resize(link_buffer_bytes);
  if (!reading_)
    in_bytes_.resize(std::max(in_bytes_.size(), link_buffer_bytes));
  if (!writing_outside_)
    read_inside();
  return caf;
}

void wire_link::answer_introduction(const std::string& frame) {
  out_passed_ = frame;
  out_written_ = 0;
  write_outside();
}

void wire_link::pass_introduction_alone() {
  held_up_ = true;
}

void wire_link::go_on() {
  held_up_ = false;
  if (!ended_ && !reading_ && !writing_inside_)
    inbound_passed();
}

// ---- from outside -------------------------------------------------------------

void wire_link::read_outside() {
  if (ended_ || reading_)
    return;
  reading_ = true;
  if (inside_.is_open())
    in_bytes_.resize(std::max(in_bytes_.size(), link_buffer_bytes));
  // What is left of a frame that waits stays in front of what comes.
  in_bytes_.replace(0, in_end_ - in_at_, in_bytes_, in_at_, in_end_ - in_at_);
  in_end_ -= std::exchange(in_at_, 0);
  outside_.read_some(
    in_bytes_.data() + in_end_, in_bytes_.size() - in_end_,
    [me = shared_from_this(), this](const error_code& wrong, size_t size) {
      reading_ = false;
      if (ended_)
        return;
      if (wrong)
        return end(
          stream_fault(wrong),
          wrong.category() == asio::error::get_ssl_category() ? link_end::distrust : link_end::closed);
      silence_ = milliseconds(0);
      in_end_ += size;
      pass_inbound();
    });
}

void wire_link::pass_inbound() {
  const bool was_introduced = in_.introduced();
  const auto fed = in_.feed(std::string_view(in_bytes_).substr(in_at_, in_end_ - in_at_), in_passed_);
  in_at_ += fed.taken;
  if (fed.fault) {
    if (with_.accepted && in_.met_tls())
      outside_.alert_of_mismatch();
    return end(*fed.fault, in_.met_tls() ? link_end::distrust : link_end::fault);
  }
  if (in_.introduced() && !was_introduced && !owner_knows_) {
    owner_knows_ = true;
    with_.owner->introduced(*this);
    if (ended_)
      return;
  }
  write_inside();
}

/// What has passed so far is written, or waits until CAF has joined.
void wire_link::write_inside() {
  if (!inside_.is_open() || in_passed_.empty())
    return inbound_passed();
  writing_inside_ = true;
  asio::async_write(
    inside_, asio::buffer(in_passed_), [me = shared_from_this(), this](const error_code& wrong, size_t /*size*/) {
      writing_inside_ = false;
      if (ended_)
        return;
      if (wrong)
        return end("this program has closed the connection", link_end::closed);
      in_passed_.clear();
      inbound_passed();
    });
}

void wire_link::inbound_passed() {
  if (ended_)
    return;
  if (room_ > 0 && in_.frames() > room_frame_)
    with_.owner->give_room(std::exchange(room_, 0));
  if (held_up_)
    return;
  if (inside_.is_open() && !in_passed_.empty())
    return write_inside();
  // Without CAF there is nothing to wait for after the handshake: more would only be held.
  if (!inside_.is_open() && in_.open())
    return;
  if (const size_t wanted = in_.waits_to_be_allowed(); wanted > 0) {
    if (in_end_ - in_at_ < frame_shown_bytes)
      return read_outside();
    if (!with_.owner->take_room(*this, wanted))
      return;
    room_ = wanted;
    room_frame_ = in_.frames();
    in_.allow();
  }
  if (in_at_ < in_end_)
    return pass_inbound();
  read_outside();
}

// ---- from CAF -----------------------------------------------------------------

void wire_link::read_inside() {
  if (ended_)
    return;
  inside_.async_read_some(
    asio::buffer(out_bytes_), [me = shared_from_this(), this](const error_code& wrong, size_t size) {
      if (ended_)
        return;
      // All that was read before has been written.
      if (wrong)
        return end("this program has closed the connection", link_end::closed);
      pass_outbound(size);
    });
}

void wire_link::pass_outbound(size_t size) {
  std::string_view left(out_bytes_.data(), size);
  out_passed_.clear();
  out_written_ = 0;
  while (!left.empty()) {
    const bool was_introduced = out_.introduced();
    const auto fed = out_.feed(left, out_passed_);
    if (fed.fault)
      return end("this program would send it what it does not take: " + *fed.fault, link_end::fault);
    left.remove_prefix(fed.taken);
    if (out_.waits_to_be_allowed() > 0)
      out_.allow();
    if (leave_out_first_ && !was_introduced && out_.introduced())
      out_passed_.erase(0, out_.introduction().size());
  }
  write_outside();
}

void wire_link::write_outside() {
  if (ended_)
    return;
  if (out_written_ == out_passed_.size()) {
    if (inside_.is_open())
      read_inside();
    return;
  }
  writing_outside_ = true;
  outside_.write_some(
    out_passed_.data() + out_written_, out_passed_.size() - out_written_,
    [me = shared_from_this(), this](const error_code& wrong, size_t size) {
      writing_outside_ = false;
      if (ended_)
        return;
      if (wrong)
        return end(stream_fault(wrong), link_end::closed);
      stalled_ = milliseconds(0);
      out_written_ += size;
      write_outside();
    });
}

// ---- time ---------------------------------------------------------------------

void wire_link::pass_time(milliseconds time) {
  if (ended_)
    return;
  if (writing_outside_)
    stalled_ += time;
  if (stalled_ > stalled_time_max)
    return end(fmt::format("it took nothing for {}", span_text(stalled_time_max)), link_end::late);
  if (!in_.open()) {
    age_ += time;
    if (age_ > introduction_time_max)
      end(fmt::format("it did not introduce itself within {}", span_text(introduction_time_max)), link_end::late);
    return;
  }
  if (!inside_.is_open() || held_up_) {
    age_ += time;
    if (age_ > 2 * introduction_time_max)
      end("another connection with the same program is open", link_end::closed);
    return;
  }
  // What is not read because of others is not its silence.
  if (reading_)
    check_pace(time);
}

void wire_link::check_pace(milliseconds time) {
  silence_ += time;
  if (silence_ > with_.silence_max)
    return end(fmt::format("nothing came for {}", span_text(with_.silence_max)), link_end::closed);
  if (!in_.in_frame() || in_.frames() != frame_aged_) {
    frame_aged_ = in_.frames();
    frame_age_ = milliseconds(0);
  }
  if (!in_.in_frame())
    return;
  frame_age_ += time;
  const auto frame_max = frame_time_max + std::chrono::seconds(in_.frame_payload() / frame_pace_bytes);
  if (frame_age_ > frame_max)
    end(
      fmt::format("a frame of {} bytes did not come within {}", in_.frame_payload(), span_text(frame_max)),
      link_end::late);
}

void wire_link::end(const std::string& why, link_end how) {
  if (std::exchange(ended_, true))
    return;
  const auto me = shared_from_this();
  ending_->set(why);
  if (room_ > 0)
    with_.owner->give_room(std::exchange(room_, 0));
  // The owner keeps why it ended before CAF hears that it did.
  with_.owner->ended(*this, how);
  outside_.close();
  error_code ignored;
  inside_.close(ignored);
}

} // namespace levain
