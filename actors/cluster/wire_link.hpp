#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "actors/cluster/wire_frame_filter.hpp"
#include "actors/cluster/wire_stream.hpp"
#include "persistence/file_descriptor.hpp"

namespace levain {

/// Why a connection ended. Any thread.
class link_ending {
public:
  void set(std::string why) {
    std::lock_guard guard(mutex_);
    if (why_.empty())
      why_ = std::move(why);
  }
  /// A sentence about the other side without a name; empty while the connection stands.
  std::string why() const {
    std::lock_guard guard(mutex_);
    return why_;
  }

private:
  mutable std::mutex mutex_;
  std::string why_;
};

/// How a connection ended.
enum class link_end : uint8_t {
  /// One of the two sides closed it, or it was lost.
  closed,
  /// The two do not trust each other.
  distrust,
  /// The other side sent what none of our programs sends.
  fault,
  /// The other side was too slow.
  late,
};

class wire_link;

/// What connections share. The thread of the connections.
class link_owner {
public:
  virtual ~link_owner() = default;
  /// The other side has said its name. The owner lets the connection go on: by `open_inside`, `pass_introduction_alone`
  /// or `end`.
  virtual void introduced(wire_link& link) = 0;
  /// True when a large payload may come now; otherwise `go_on` is called later.
  virtual bool take_room(wire_link& link, size_t bytes) = 0;
  virtual void give_room(size_t bytes) = 0;
  virtual void ended(wire_link& link, link_end how) = 0;
};

/// One connection with another program: the socket to it, and the end of a pair of sockets of which CAF has the other
/// one. Bytes pass through a filter in each direction, and no faster than they are taken. The thread of its context.
class wire_link : public std::enable_shared_from_this<wire_link> {
public:
  struct beginning {
    boost::asio::io_context* context = nullptr;
    link_owner* owner = nullptr;
    /// Whether the other side made the connection.
    bool accepted = false;
    /// The name of this program.
    std::string self;
    /// Where the other side is, for people.
    std::string address;
    std::chrono::milliseconds silence_max{};
  };
  wire_link(beginning with, wire_stream stream);

  /// Begins with TLS. A connection that this program made calls `ready` then.
  void start(std::function<void()> ready = {});

  /// Joins CAF to the connection, and hands over its end of the pair. What has come by now passes first. With
  /// `introduced_already` the first frame from CAF, which the other side has had, is left out. Throws
  /// `std::system_error` when there are no descriptors left.
  file_descriptor open_inside(bool introduced_already = false);
  /// Sends the other side this first frame, and waits for more of it without CAF.
  void answer_introduction(const std::string& frame);
  /// CAF gets the other side's first frame and, until `go_on`, nothing more.
  void pass_introduction_alone();
  /// Goes on after it was held up.
  void go_on();

  /// So much time has passed.
  void pass_time(std::chrono::milliseconds time);
  void end(const std::string& why, link_end how);

  bool accepted() const { return with_.accepted; }
  /// Its owner has heard that it is introduced.
  bool introduced() const { return owner_knows_; }
  bool has_ended() const { return ended_; }
  bool has_inside() const { return inside_.is_open(); }
  /// The other side's handshake and this one's are over.
  bool established() const { return in_.open() && out_.open(); }
  const std::string& peer() const { return in_.sender(); }
  const std::string& address() const { return with_.address; }
  /// This program's first frame, as CAF made it; empty until then.
  const std::string& own_introduction() const { return out_.introduction(); }
  const std::shared_ptr<link_ending>& ending() const { return ending_; }

private:
  void read_outside();
  void pass_inbound();
  void inbound_passed();
  void write_inside();
  void read_inside();
  void pass_outbound(size_t size);
  void write_outside();
  void check_pace(std::chrono::milliseconds time);

  beginning with_;
  wire_stream outside_;
  boost::asio::local::stream_protocol::socket inside_;
  frame_filter in_;
  frame_filter out_;
  std::shared_ptr<link_ending> ending_ = std::make_shared<link_ending>();
  bool ended_ = false;

  /// What has come from outside, from `in_at_` to `in_end_`, and what has passed the filter of it.
  std::string in_bytes_;
  size_t in_at_ = 0;
  size_t in_end_ = 0;
  std::string in_passed_;
  size_t in_written_ = 0;
  bool reading_ = false;
  bool writing_inside_ = false;
  bool owner_knows_ = false;
  bool held_up_ = false;
  /// Bytes of a large payload that the owner has given room for, and the frame that it is for.
  size_t room_ = 0;
  uint64_t room_frame_ = 0;

  std::string out_bytes_;
  std::string out_passed_;
  size_t out_written_ = 0;
  bool writing_outside_ = false;
  bool leave_out_first_ = false;

  std::chrono::milliseconds age_{0};
  std::chrono::milliseconds silence_{0};
  std::chrono::milliseconds frame_age_{0};
  std::chrono::milliseconds stalled_{0};
  uint64_t frame_aged_ = 0;
};

} // namespace levain
