#include "tests/simulation/trial.hpp"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include "tests/simulation/auditor/auditor.hpp"
#include "tests/simulation/trace.hpp"
#include "tests/simulation/world.hpp"

namespace levain::simulation {

namespace {

/// What the engine logs as an error is a defect that it found itself.
class complaint_sink : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
public:
  std::function<void(spdlog::level::level_enum, std::string)> tell;

protected:
  void sink_it_(const spdlog::details::log_msg& said) override {
    if (tell)
      tell(said.level, std::string(said.payload.data(), said.payload.size()));
  }
  void flush_() override {}
};

/// Nobody in a world sends what a program of ours would be cut off for.
bool is_complaint(const std::string& text) {
  return text.starts_with("peer_cut_off");
}

/// Listens to what the engine logs while it lives.
class log_watch {
public:
  explicit log_watch(std::function<void(spdlog::level::level_enum, std::string)> tell, bool everything)
    : before_(spdlog::default_logger()) {
    auto sink = std::make_shared<complaint_sink>();
    sink->tell = std::move(tell);
    auto logger = std::make_shared<spdlog::logger>("simulation", std::move(sink));
    logger->set_level(everything ? spdlog::level::info : spdlog::level::warn);
    // What speaks for workers has a log of its own.
    auto of_workers = logger->clone(workers);
    spdlog::drop(workers);
    spdlog::register_logger(std::move(of_workers));
    spdlog::set_default_logger(std::move(logger));
  }
  ~log_watch() {
    spdlog::set_default_logger(before_);
    spdlog::drop(workers);
  }

private:
  static constexpr const char* workers = "levain_worker";
  std::shared_ptr<spdlog::logger> before_;
};

} // namespace

verdict try_plan(const plan& x, telling how) {
  check_plan(x);
  auditor judge;
  trace seen(judge);
  seen.keeps_lines = how != telling::verdict_only;
  verdict found;
  world* here = nullptr;
  const log_watch listening(
    [&](spdlog::level::level_enum level, const std::string& text) {
      if (here == nullptr)
        return; // A world that comes to its end.
      if (level >= spdlog::level::err || is_complaint(text))
        seen.saw_complaint(here->now(), here->acting(), text);
      else if (how == telling::lines_and_logs)
        seen.note(here->now(), "log: " + text);
    },
    how == telling::lines_and_logs);
  world all(x, seen);
  here = &all;
  all.run();
  here = nullptr;
  found.seen = all.seen();
  found.messages = all.messages();
  found.lasted = all.lasted();
  found.trace_hash = seen.hash() ^ all.fingerprint();
  found.violations = judge.violations();
  found.lines = seen.lines();
  return found;
}

} // namespace levain::simulation
