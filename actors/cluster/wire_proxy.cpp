#include "actors/cluster/wire_proxy.hpp"

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <future>
#include <map>
#include <mutex>
#include <set>
#include <sys/resource.h>
#include <thread>

#include <boost/asio/connect.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actors/cluster/wire_strangers.hpp"
#include "actors/cluster/wire_tls.hpp"
#include "persistence/log_quoted.hpp"
#include "persistence/span_text.hpp"

namespace levain {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;

namespace {

/// What is given of time at once: a peer that was silent for `silence_max` is found within one more of these.
constexpr int ticks_per_silence = 8;
constexpr milliseconds tick_min(10);
/// Between two reports about strangers.
constexpr milliseconds report_interval(1'000);
/// Before the next connection is taken when there are no descriptors.
constexpr milliseconds accept_pause(50);
/// For what CAF has given at the end.
constexpr milliseconds end_grace(500);
/// Programs of which it is known why their connection ended.
constexpr size_t endings_max = 10'000;

size_t descriptors_allowed() {
  rlimit limit{};
  constexpr rlim_t enough = 1 << 20;
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? std::min(limit.rlim_cur, enough) : 1024;
}

tcp::endpoint listening_endpoint(const wire_address& at) {
  error_code wrong;
  const auto number = asio::ip::make_address(at.host, wrong);
  if (!wrong)
    return {number, at.port};
  asio::io_context context;
  const auto found = tcp::resolver(context).resolve(at.host, std::to_string(at.port), tcp::resolver::passive);
  return found.begin()->endpoint();
}

} // namespace

wire_room room_with(size_t descriptors) {
  constexpr size_t share_of_strangers = 8;
  // Three fifths, at three descriptors each.
  constexpr size_t share_of_links = 5;
  wire_room room;
  room.unintroduced = std::min(room.unintroduced, std::max<size_t>(descriptors / share_of_strangers, 2));
  room.unintroduced_of_one_address = std::min(room.unintroduced_of_one_address, room.unintroduced / 2);
  room.links = std::min(room.links, std::max<size_t>(descriptors / share_of_links, 1));
  return room;
}

class wire_proxy::impl : public link_owner {
  /// Calls `act` in the thread of the connections, and waits for it.
  template <class Act>
  auto on_thread(Act act) {
    std::packaged_task<decltype(act())()> task(std::move(act));
    auto answer = task.get_future();
    asio::dispatch(context_, [&task] { task(); });
    return answer.get();
  }

public:
  impl(const wire_security& security, const wire_pace& pace)
    : room_(room_with(descriptors_allowed()))
    , silence_max_(pace.silence_max)
    , tick_(std::max(pace.silence_max / ticks_per_silence, tick_min))
    , strangers_(room_.unintroduced, room_.unintroduced_of_one_address) {
    if (security.is_on())
      tls_ = std::make_unique<asio::ssl::context>(tls_settings(security));
    arm();
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { run(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    pthread_setname_np(thread_.native_handle(), "levain.wire");
  }

  uint16_t listen(const wire_address& at, const std::string& self, std::function<void(file_descriptor)> introduced) {
    return on_thread([&]() -> uint16_t {
      const auto endpoint = listening_endpoint(at);
      tcp::acceptor opened(context_, endpoint.protocol());
      keep_from_children(opened.native_handle());
      opened.set_option(tcp::acceptor::reuse_address(true));
      if (endpoint.address().is_v6() && endpoint.address().is_unspecified())
        opened.set_option(asio::ip::v6_only(false));
      opened.bind(endpoint);
      opened.listen();
      const auto port = opened.local_endpoint().port();
      acceptor_ = std::move(opened);
      self_ = self;
      introduced_ = std::move(introduced);
      accept();
      return port;
    });
  }

  void close() {
    on_thread([this] {
      error_code ignored;
      acceptor_.close(ignored);
      introduced_ = nullptr;
    });
  }

  void end_all() {
    close();
    asio::post(context_, [this] {
      ending_ = true;
      for (const auto& each : std::set(links_))
        if (!each->has_inside())
          each->end("this program ends", link_end::closed);
      finish_when_empty();
      last_.expires_after(end_grace);
      last_.async_wait([this](const error_code&) { context_.stop(); });
    });
    thread_.join();
  }

  void dial(const endpoints& at, const std::string& self, milliseconds time_max, std::function<void(dialled)> done) {
    connect(at, self, time_max, [this, done](const std::shared_ptr<wire_link>& link, const std::string& why) {
      if (!link)
        return done({nullptr, nullptr, why});
      dialling_[link.get()] = [done, ending = link->ending()] { done({nullptr, ending, ending->why()}); };
      link->start([this, link, done] {
        dialling_.erase(link.get());
        try {
          done({std::make_shared<file_descriptor>(fresh(link->open_inside())), link->ending(), {}});
        } catch (const std::system_error& wrong) {
          link->end(wrong.what(), link_end::closed);
          done({nullptr, link->ending(), wrong.what()});
        }
      });
    });
  }

  void greet(const endpoints& at, const std::string& self, milliseconds time_max, std::function<void(greeting)> done) {
    connect(at, self, time_max, [this, self, done](const std::shared_ptr<wire_link>& link, const std::string& why) {
      if (!link)
        return done({false, false, why});
      greeting_[link.get()] = done;
      link->start([link, self] { link->answer_introduction(connecting_introduction(self)); });
    });
  }

  std::string why_ended(const std::string& name) const {
    std::lock_guard guard(mutex_);
    const auto found = endings_.find(name);
    return found == endings_.end() ? "" : found->second;
  }

  // ---- link_owner -------------------------------------------------------------

  void introduced(wire_link& link) override {
    if (auto greeted = greeting_.extract(&link); !greeted.empty()) {
      greeted.mapped()({true, false, {}});
      return link.end("it has been greeted", link_end::closed);
    }
    if (link.accepted())
      strangers_.left(link.address());
    const bool known = link.peer() == self_ || by_name_.contains(link.peer());
    if (!link.accepted())
      return known ? wait_for_name(link, [&] { link.pass_introduction_alone(); }) : take_name(link);
    if (known) {
      remember_introduction();
      if (introduction_.empty())
        return link.end("another connection with the same program is open", link_end::closed);
      return wait_for_name(link, [&] { link.answer_introduction(introduction_); });
    }
    if (by_name_.size() >= room_.links)
      return link.end(
        fmt::format("{} connections are open, which are as many as there may be", room_.links), link_end::fault);
    admit(link, false);
  }

  bool take_room(wire_link& link, size_t bytes) override {
    if (unread_ + bytes <= frames_unread_bytes_max) {
      unread_ += bytes;
      return true;
    }
    for_room_.push_back(link.weak_from_this());
    return false;
  }

  void give_room(size_t bytes) override {
    unread_ -= bytes;
    for (const auto& each : std::exchange(for_room_, {}))
      asio::post(context_, [each] {
        if (const auto link = each.lock())
          link->go_on();
      });
  }

  void ended(wire_link& link, link_end how) override {
    const auto why = link.ending()->why();
    if (auto greeted = greeting_.extract(&link); !greeted.empty())
      greeted.mapped()({false, how == link_end::distrust || how == link_end::fault, why});
    if (auto dialled = dialling_.extract(&link); !dialled.empty())
      dialled.mapped()();
    if (link.accepted() && !link.introduced()) {
      strangers_.left(link.address());
      if (how != link_end::closed)
        strangers_.cut_off(why);
    } else if (link.established() && how != link_end::closed) {
      spdlog::warn(
        "peer_cut_off program={} address={} reason={}", shown_program(link.peer()), link.address(), log_quoted(why));
    } else if (link.accepted() && how != link_end::closed) {
      strangers_.cut_off(why);
    }
    std::erase_if(waiting_, [&](const auto& each) { return each.second.get() == &link; });
    if (const auto found = by_name_.find(link.peer()); found != by_name_.end() && found->second == &link) {
      by_name_.erase(found);
      keep_ending(link.peer(), why);
      asio::post(context_, [this, name = link.peer()] { let_next(name); });
    }
    if (introduction_.empty() && link.accepted())
      introduction_ = link.own_introduction();
    links_.erase(link.shared_from_this());
    finish_when_empty();
  }

private:
  void run() {
    for (;;)
      try {
        context_.run();
        return;
      } catch (const std::exception& wrong) {
        spdlog::error("wire_proxy_failed reason={}", log_quoted(wrong.what()));
      }
  }

  void accept() {
    acceptor_.async_accept([this](const error_code& wrong, tcp::socket socket) {
      if (!acceptor_.is_open())
        return;
      if (wrong) {
        pause_.expires_after(accept_pause);
        pause_.async_wait([this](const error_code& stopped) {
          if (!stopped && acceptor_.is_open())
            accept();
        });
        return;
      }
      error_code gone;
      const auto from = socket.remote_endpoint(gone);
      if (!gone && strangers_.arrived(from.address().to_string()))
        make_link(std::move(socket), from.address().to_string(), self_, true)->start();
      accept();
    });
  }

  std::shared_ptr<wire_link>
  make_link(tcp::socket socket, const std::string& address, const std::string& self, bool accepted) {
    const auto link = std::make_shared<wire_link>(
      wire_link::beginning{&context_, this, accepted, self, address, silence_max_},
      wire_stream(std::move(socket), tls_.get()));
    links_.insert(link);
    return link;
  }

  using connected = std::function<void(const std::shared_ptr<wire_link>&, const std::string&)>;

  void connect(const endpoints& at, const std::string& self, milliseconds time_max, connected done) {
    asio::post(context_, [this, at, self, time_max, done = std::move(done)] {
      struct attempt {
        explicit attempt(asio::io_context& context)
          : socket(context)
          , limit(context) {}
        tcp::socket socket;
        asio::steady_timer limit;
        bool late = false;
      };
      const auto made = std::make_shared<attempt>(context_);
      made->limit.expires_after(time_max);
      made->limit.async_wait([made](const error_code& stopped) {
        if (stopped)
          return;
        made->late = true;
        error_code ignored;
        made->socket.close(ignored);
      });
      asio::async_connect(made->socket, at, [=, this](const error_code& wrong, const tcp::endpoint& where) {
        made->limit.cancel();
        if (made->late || ending_)
          return done(nullptr, fmt::format("nobody answers within {}", span_text(time_max)));
        if (wrong)
          return done(nullptr, wrong.message());
        self_ = self;
        done(make_link(std::move(made->socket), where.address().to_string(), self, false), {});
      });
    });
  }

  // ---- names ------------------------------------------------------------------

  void take_name(wire_link& link) { by_name_[link.peer()] = &link; }

  void admit(wire_link& link, bool introduced_already) {
    if (!introduced_)
      return link.end("this program takes no more connections", link_end::closed);
    try {
      auto end = fresh(link.open_inside(introduced_already));
      take_name(link);
      introduced_(std::move(end));
    } catch (const std::system_error& wrong) {
      link.end(wrong.what(), link_end::closed);
    }
  }

  template <class Meanwhile>
  void wait_for_name(wire_link& link, Meanwhile meanwhile) {
    waiting_.emplace(link.peer(), link.shared_from_this());
    meanwhile();
  }

  /// The program of this name has no connection any more: one that has waited takes its place.
  void let_next(const std::string& name) {
    const auto next = waiting_.find(name);
    if (next == waiting_.end() || by_name_.contains(name) || name == self_)
      return;
    const auto link = next->second;
    waiting_.erase(next);
    if (link->accepted())
      admit(*link, true);
    else
      take_name(*link);
    link->go_on();
  }

  void remember_introduction() {
    for (const auto& each : links_)
      if (introduction_.empty() && each->accepted())
        introduction_ = each->own_introduction();
  }

  void keep_ending(const std::string& name, const std::string& why) {
    std::lock_guard guard(mutex_);
    if (endings_.size() >= endings_max)
      endings_.clear();
    endings_[name] = why;
  }

  /// CAF calls a connection by its descriptor, and may hear of the end of one when another has its number already. So
  /// numbers are given in turn, and come again late.
  file_descriptor fresh(file_descriptor end) {
    const auto allowed = static_cast<int>(descriptors_allowed());
    if (next_number_ < allowed / 2 || next_number_ >= allowed)
      next_number_ = allowed / 2;
    file_descriptor given(fcntl(end.number(), F_DUPFD_CLOEXEC, next_number_));
    if (!given)
      return end;
    next_number_ = given.number() + 1;
    return given;
  }

  // ---- time -------------------------------------------------------------------

  /// Time is counted in ticks: when this program was stopped for a while, that is nobody's silence.
  void arm() {
    ticker_.expires_after(tick_);
    ticker_.async_wait([this](const error_code& stopped) {
      if (stopped)
        return;
      for (const auto& each : std::vector(links_.begin(), links_.end()))
        each->pass_time(tick_);
      unreported_ += tick_;
      if (unreported_ >= report_interval) {
        unreported_ = milliseconds(0);
        strangers_.log();
      }
      arm();
    });
  }

  void finish_when_empty() {
    if (ending_ && links_.empty())
      context_.stop();
  }

  const wire_room room_;
  const milliseconds silence_max_;
  const milliseconds tick_;
  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
  std::unique_ptr<asio::ssl::context> tls_;
  tcp::acceptor acceptor_{context_};
  asio::steady_timer ticker_{context_};
  asio::steady_timer pause_{context_};
  asio::steady_timer last_{context_};
  std::string self_;
  std::function<void(file_descriptor)> introduced_;
  std::set<std::shared_ptr<wire_link>> links_;
  /// The connection with each program; the name of one is that of the other side.
  std::map<std::string, wire_link*> by_name_;
  /// Further connections with programs that have one.
  std::multimap<std::string, std::shared_ptr<wire_link>> waiting_;
  std::map<wire_link*, std::function<void()>> dialling_;
  std::map<wire_link*, std::function<void(greeting)>> greeting_;
  /// What CAF says first to those who connect: the same to all.
  std::string introduction_;
  wire_strangers strangers_;
  milliseconds unreported_{0};
  /// Bytes of large payloads that may come now, and who waits for room.
  size_t unread_ = 0;
  std::vector<std::weak_ptr<wire_link>> for_room_;
  int next_number_ = 0;
  bool ending_ = false;
  mutable std::mutex mutex_;
  std::map<std::string, std::string> endings_;
  std::thread thread_;
};

wire_proxy::wire_proxy(const wire_security& security, const wire_pace& pace)
  : impl_(std::make_unique<impl>(security, pace)) {}

wire_proxy::~wire_proxy() {
  impl_->end_all();
}

uint16_t
wire_proxy::listen(const wire_address& at, const std::string& self, std::function<void(file_descriptor)> introduced) {
  try {
    return impl_->listen(at, self, std::move(introduced));
  } catch (const boost::system::system_error& wrong) {
    throw std::runtime_error(fmt::format("cannot listen on {}: {}", to_string(at), wrong.code().message()));
  }
}

void wire_proxy::close() {
  impl_->close();
}

void wire_proxy::dial(
  const endpoints& at, const std::string& self, milliseconds time_max, std::function<void(dialled)> done) {
  impl_->dial(at, self, time_max, std::move(done));
}

void wire_proxy::greet(
  const endpoints& at, const std::string& self, milliseconds time_max, std::function<void(greeting)> done) {
  impl_->greet(at, self, time_max, std::move(done));
}

std::string wire_proxy::why_ended(const std::string& name) const {
  return impl_->why_ended(name);
}

} // namespace levain
