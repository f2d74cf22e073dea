#pragma once

#include <algorithm>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/optional/optional.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <cstdint>
#include <string>

#include "actors/gateway/byte_budget.hpp"

namespace levain {

/// A request's body for Boost.Beast. It takes memory, and from a budget, for what has arrived and not for what was
/// announced. Its reader fails with `not_enough_memory` when the budget is used up.
struct arriving_body {
  struct value_type {
    std::string text;
    /// Gets what `text` holds; to be set before the body arrives.
    byte_share share;
  };

  class reader {
  public:
    template <bool IsRequest, class Fields>
    explicit reader(boost::beast::http::header<IsRequest, Fields>&, value_type& body)
      : body_(body) {}

    void init(const boost::optional<std::uint64_t>& length, boost::system::error_code& error) {
      announced_ = length.value_or(0);
      error = {};
    }

    template <class Buffers>
    size_t put(const Buffers& buffers, boost::system::error_code& error) {
      const auto bytes = boost::beast::buffer_bytes(buffers);
      if (!make_room(body_.text.size() + bytes)) {
        error = make_error_code(boost::system::errc::not_enough_memory);
        return 0;
      }
      for (const auto each : boost::beast::buffers_range_ref(buffers))
        body_.text.append(static_cast<const char*>(each.data()), each.size());
      error = {};
      return bytes;
    }

    void finish(boost::system::error_code& error) { error = {}; }

  private:
    bool make_room(size_t bytes) {
      if (bytes <= body_.share.bytes())
        return true;
      // Twice as much as there is, so that bytes are moved a few times only; never more than will come.
      auto wanted = std::max({bytes, 2 * body_.share.bytes(), bytes_min});
      if (announced_ >= bytes)
        wanted = std::min<size_t>(wanted, announced_);
      if (!body_.share.grow_to(wanted) && !body_.share.grow_to(bytes))
        return false;
      body_.text.reserve(body_.share.bytes());
      return true;
    }

    static constexpr size_t bytes_min = 256;

    value_type& body_;
    /// 0 when the length is not known before.
    std::uint64_t announced_ = 0;
  };
};

} // namespace levain
