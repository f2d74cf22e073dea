#include "tests/simulation/fate_book.hpp"

#include <nlohmann/json.hpp>

namespace levain::simulation {

namespace {

using nlohmann::json;
using std::chrono::milliseconds;

} // namespace

fate_book::fate_book(const plan& script)
  : seed_(script.shape.seed) {
  for (const auto& each : script.items)
    if (const auto* fate = std::get_if<fate_item>(&each))
      fates_[{fate->input, fate->step, fate->attempt, fate->undo}] = *fate;
}

fate_item fate_book::of(int input, const std::string& step, uint32_t attempt, bool undo) const {
  const auto found = fates_.find({input, step, attempt, undo});
  if (found != fates_.end())
    return found->second;
  // Most calls are quick; what one takes depends on nothing that shrinking a plan takes away.
  chance luck(seed_for(seed_, step + (undo ? "/undo" : ""), static_cast<uint64_t>(input) << 32 | attempt));
  const auto after = luck.happens(100) ? luck.between(100, 2'000) : luck.between(0, 120);
  fate_item soon;
  soon.input = input;
  soon.step = step;
  soon.attempt = attempt;
  soon.undo = undo;
  soon.after = milliseconds(after);
  return soon;
}

std::string
good_output(uint64_t call, const std::string& step, int input, timestamp now, bool misfit, std::string_view note) {
  json output{{"call", call}, {"step", step}, {"n", input}};
  output["count"] = misfit ? -1 : static_cast<int64_t>(call % 1000);
  output["score"] = misfit ? 1000 : static_cast<int64_t>(call % 101);
  output["id"] = misfit ? "no id" : to_string(make_uuid_v7(now, {call, call}));
  if (!note.empty())
    output["note"] = note;
  return output.dump();
}

int input_of(const std::string& body) {
  return json::parse(body).at("input").value("n", -1);
}

} // namespace levain::simulation
