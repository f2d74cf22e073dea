#include "actors/cluster/wire_frame_filter.hpp"

#include <algorithm>
#include <array>

#include <caf/atom.hpp>
#include <caf/io/basp/version.hpp>
#include <fmt/format.h>

namespace levain {

namespace {

enum operation : uint8_t {
  server_handshake,
  client_handshake,
  direct_message,
  routed_message,
  monitor_message,
  down_message,
  heartbeat,
};

constexpr std::array<const char*, 7> operation_names{
  "a handshake of the accepting side",
  "a handshake of the connecting side",
  "a message",
  "a routed message",
  "a request to watch an actor",
  "the end of an actor",
  "a heartbeat"};

/// The actor is called by a name that stands in place of its number.
constexpr uint8_t named_receiver = 1;
/// In the second handshake of the connecting side.
constexpr uint8_t select_connection = 2;

/// What the handshake of the accepting side has to contain: the program is one of ours.
constexpr std::string_view application = "levain";
/// More lists and longer ones than ours are none of ours.
constexpr size_t handshake_list_max = 100;

/// Whether a first frame begins as a record of TLS does that holds a handshake or an alert (RFC 8446 section 5.1). Such
/// a record may be shorter than a header.
bool begins_with_tls(std::string_view bytes) {
  return bytes.size() >= 2 && (bytes[0] == '\x16' || bytes[0] == '\x15') && bytes[1] == '\x03';
}

template <class Number>
Number number_at(std::string_view bytes, size_t at) {
  Number read = 0;
  for (size_t i = 0; i < sizeof(Number); ++i)
    read = static_cast<Number>(read << 8 | static_cast<uint8_t>(bytes[at + i]));
  return read;
}

bool is_name(std::string_view bytes) {
  constexpr size_t process = sizeof(uint64_t);
  constexpr size_t machine = process + sizeof(uint32_t);
  return bytes.size() == frame_name_bytes && number_at<uint64_t>(bytes, 0) == caf::atom_uint("default") &&
         number_at<uint32_t>(bytes, process) != 0 &&
         std::any_of(bytes.begin() + machine, bytes.end(), [](char each) { return each != 0; });
}

/// Reads a handshake's lists from its front.
class list_reader {
public:
  explicit list_reader(std::string_view bytes)
    : left_(bytes) {}

  /// A number of 7 bits a byte, the lowest first.
  std::optional<size_t> number() {
    size_t read = 0;
    for (unsigned shift = 0; shift < 28 && !left_.empty(); shift += 7) {
      const auto byte = static_cast<uint8_t>(left_.front());
      left_.remove_prefix(1);
      read |= size_t{byte & 0x7fU} << shift;
      if ((byte & 0x80U) == 0)
        return read;
    }
    return std::nullopt;
  }
  std::optional<std::string_view> text() {
    const auto size = number();
    return size ? bytes(*size) : std::nullopt;
  }
  std::optional<std::string_view> bytes(size_t size) {
    if (size > left_.size())
      return std::nullopt;
    const auto read = left_.substr(0, size);
    left_.remove_prefix(size);
    return read;
  }
  bool at_end() const { return left_.empty(); }

private:
  std::string_view left_;
};

/// Reads a list of texts; nothing when it is none. Answers whether `wanted` is one of them.
std::optional<bool> contains(list_reader& from, std::string_view wanted) {
  const auto count = from.number();
  if (!count || *count > handshake_list_max)
    return std::nullopt;
  bool found = false;
  for (size_t i = 0; i < *count; ++i) {
    const auto each = from.text();
    if (!each)
      return std::nullopt;
    found = found || *each == wanted;
  }
  return found;
}

} // namespace

struct frame_filter::header {
  explicit header(std::string_view bytes)
    : operation(static_cast<uint8_t>(bytes[0]))
    , padding(number_at<uint16_t>(bytes, 1))
    , flags(static_cast<uint8_t>(bytes[3]))
    , payload(number_at<uint32_t>(bytes, 4))
    , data(number_at<uint64_t>(bytes, 8))
    , source(number_at<uint64_t>(bytes, 16))
    , dest(number_at<uint64_t>(bytes, 24)) {}

  std::string name() const {
    return operation < operation_names.size() ? operation_names[operation] : fmt::format("operation {}", operation);
  }

  uint8_t operation;
  uint16_t padding;
  uint8_t flags;
  uint32_t payload;
  uint64_t data;
  uint64_t source;
  uint64_t dest;
};

frame_filter::frame_filter(frame_origin origin, std::string receiver)
  : origin_(origin)
  , receiver_(std::move(receiver)) {}

// ---- one frame ----------------------------------------------------------------

std::optional<std::string> frame_filter::check_order(const header& x) const {
  const uint8_t handshake = origin_ == frame_origin::connecting ? client_handshake : server_handshake;
  if (stage_ != stage::open && x.operation != handshake)
    return fmt::format("it begins with {} instead of {}", x.name(), operation_names.at(handshake));
  if (stage_ == stage::open && (x.operation == client_handshake || x.operation == server_handshake))
    return "it sends another handshake";
  if (x.operation == routed_message)
    return "it sends a message in the name of another program, or for another one";
  if (x.operation > heartbeat)
    return fmt::format("it sends a frame of {}, which there is none of", x.name());
  return std::nullopt;
}

std::optional<std::string> frame_filter::check_fields(const header& x) const {
  const bool whole = x.operation != direct_message;
  const size_t payload_max = whole ? frame_control_bytes_max : frame_payload_bytes_max;
  if (x.payload > payload_max)
    return fmt::format("it announces {} of {} bytes, {} are allowed", x.name(), x.payload, payload_max);
  if ((x.payload == 0) != (x.operation == heartbeat))
    return fmt::format("it sends {} {} payload", x.name(), x.payload == 0 ? "without" : "with");
  uint8_t flags = 0;
  if (x.operation == direct_message)
    flags = x.flags & named_receiver;
  if (x.operation == client_handshake && stage_ == stage::second)
    flags = select_connection;
  const bool names_source = x.operation == direct_message || x.operation == down_message;
  const bool names_dest = x.operation == direct_message || x.operation == monitor_message;
  const bool has_data = x.operation == direct_message || x.operation == server_handshake;
  const bool right = x.padding == 0 && x.flags == flags && (has_data || x.data == 0) &&
                     (names_source || x.source == 0) && (x.operation != down_message || x.source != 0) &&
                     names_dest == (x.dest != 0);
  if (!right)
    return fmt::format("it sends {} whose header is wrong", x.name());
  if (x.operation == server_handshake && x.data != caf::io::basp::version)
    return fmt::format("it speaks version {} of CAF's protocol instead of {}", x.data, caf::io::basp::version);
  return std::nullopt;
}

std::optional<std::string> frame_filter::check(const header& x) const {
  auto wrong = check_order(x);
  return wrong ? wrong : check_fields(x);
}

std::optional<std::string> frame_filter::check_names(std::string_view payload) const {
  if (payload.substr(0, frame_name_bytes) != sender_)
    return "it speaks of an actor in the name of another program";
  const auto receiver = payload.substr(frame_name_bytes, frame_name_bytes);
  if (!is_name(receiver) || (!receiver_.empty() && receiver != receiver_))
    return "it speaks of an actor to another program";
  return std::nullopt;
}

std::optional<std::string> frame_filter::check_server_handshake(std::string_view payload) {
  list_reader left(payload);
  const auto name = left.bytes(frame_name_bytes);
  if (!name || !is_name(*name))
    return "its handshake names no program";
  const auto ours = contains(left, application);
  const auto actor = left.bytes(sizeof(uint64_t));
  const auto interfaces = contains(left, {});
  if (!ours || !actor || !interfaces || !left.at_end())
    return "its handshake cannot be read";
  if (!*ours)
    return "it is another program than Levain's";
  sender_ = *name;
  return std::nullopt;
}

std::optional<std::string> frame_filter::check_payload(const header& x, std::string_view payload) {
  switch (x.operation) {
  case server_handshake:
    return check_server_handshake(payload);
  case client_handshake:
    if (!is_name(payload))
      return "its handshake names no program";
    if (stage_ == stage::second && payload != sender_)
      return "its second handshake names another program than its first one";
    sender_ = payload;
    return std::nullopt;
  case monitor_message:
    if (payload.size() != 2 * frame_name_bytes)
      return fmt::format("it sends {} that cannot be read", x.name());
    return check_names(payload);
  case down_message:
    if (payload.size() <= 2 * frame_name_bytes)
      return fmt::format("it sends {} that cannot be read", x.name());
    return check_names(payload);
  default:
    return std::nullopt;
  }
}

// ---- bytes --------------------------------------------------------------------

void frame_filter::end_frame() {
  held_.clear();
  whole_ = false;
  payload_ = 0;
  ++frames_;
}

/// The header is held; `passed` gets it when it passes by itself.
std::optional<std::string> frame_filter::take_header(std::string& passed) {
  const header read(held_);
  if (auto wrong = check(read))
    return wrong;
  payload_ = read.payload;
  if (read.operation == direct_message) {
    if (payload_ > frame_uncounted_bytes) {
      waiting_ = payload_;
      return std::nullopt;
    }
    passed += held_;
    held_.clear();
    payload_left_ = payload_;
    return std::nullopt;
  }
  if (payload_ > 0) {
    whole_ = true;
    return std::nullopt;
  }
  passed += held_;
  end_frame();
  return std::nullopt;
}

/// A whole frame is held.
std::optional<std::string> frame_filter::take_payload(std::string& passed) {
  const header read(held_);
  if (auto wrong = check_payload(read, std::string_view(held_).substr(frame_header_bytes)))
    return wrong;
  if (stage_ == stage::first)
    introduction_ = held_;
  if (stage_ == stage::first && origin_ == frame_origin::connecting)
    stage_ = stage::second;
  else
    stage_ = stage::open;
  passed += held_;
  end_frame();
  return std::nullopt;
}

frames_fed frame_filter::feed(std::string_view bytes, std::string& passed) {
  size_t taken = 0;
  while (!fault_ && waiting_ == 0 && taken < bytes.size()) {
    const auto left = bytes.substr(taken);
    if (payload_left_ > 0) {
      // The header of a frame that had to wait.
      passed += held_;
      held_.clear();
      const auto some = left.substr(0, payload_left_);
      passed += some;
      taken += some.size();
      payload_left_ -= some.size();
      if (payload_left_ == 0)
        end_frame();
      continue;
    }
    const size_t wanted = frame_header_bytes + (whole_ ? payload_ : 0);
    const auto some = left.substr(0, wanted - held_.size());
    held_ += some;
    taken += some.size();
    met_tls_ = stage_ == stage::first && begins_with_tls(held_);
    if (met_tls_)
      fault_ = "it speaks TLS, and this program has no certificate";
    else if (held_.size() == wanted)
      fault_ = whole_ ? take_payload(passed) : take_header(passed);
  }
  return {taken, fault_};
}

void frame_filter::allow() {
  payload_left_ = waiting_;
  waiting_ = 0;
}

std::string connecting_introduction(const std::string& name) {
  std::string frame(frame_header_bytes, '\0');
  frame[0] = static_cast<char>(client_handshake);
  // The lowest byte of the payload's length.
  frame[7] = static_cast<char>(name.size());
  return frame + name;
}

std::string shown_program(std::string_view name) {
  if (!is_name(name))
    return "unknown";
  constexpr size_t process = sizeof(uint64_t);
  std::string shown;
  for (const char each : name.substr(process + sizeof(uint32_t)))
    shown += fmt::format("{:02X}", static_cast<uint8_t>(each));
  return fmt::format("{}#{}", shown, number_at<uint32_t>(name, process));
}

} // namespace levain
