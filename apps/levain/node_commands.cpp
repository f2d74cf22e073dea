#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "apps/levain/commands.hpp"
#include "apps/terminal/run_text.hpp"
#include "apps/terminal/table.hpp"
#include "persistence/span_text.hpp"

namespace levain {

namespace {

using nlohmann::ordered_json;
using terminal::cell;
using terminal::ink;

cell state_of(const ordered_json& node) {
  if (!node.value("alive", false))
    return {"dead", ink::bad};
  // As its readiness: what it has left is on its way, or it has nothing left.
  if (node.value("draining", false))
    return {node.value("shards", size_t{0}) == 0 ? "drained" : "draining", ink::warning};
  if (node.contains("lacks") && node["lacks"].is_string())
    return {"lacking", ink::bad};
  return {"alive", ink::good};
}

cell number(const ordered_json& node, const char* name) {
  return {terminal::value_text(node.at(name)), ink::plain, true};
}

cell span(const ordered_json& node, const char* name) {
  return {span_text(std::chrono::milliseconds(node.at(name).get<int64_t>())), ink::plain, true};
}

exit_status show_nodes(const command_line& line, bool all) {
  const auto found = client_of(line).get("/v1/operator/nodes");
  terminal::table table(
    {"NAME", "ID", "STATE", "VERSION", "HTTP", "GATE", "SHARDS", "RUNS", "WAITING", "SLOTS FREE", "ENDED/S", "LAG",
     "WORKERS", "SILENT", "AGE"});
  size_t dead = 0;
  for (const auto& each : found.at("nodes")) {
    // What a dead node still owns is worth knowing; that it was here once is not.
    if (!all && !each.at("alive").get<bool>() && each.at("shards") == 0) {
      ++dead;
      continue;
    }
    table.add(
      {{each.at("name").get<std::string>(), ink::strong},
       {each.at("id").get<std::string>()},
       state_of(each),
       {each.at("version").get<std::string>()},
       {each.at("address").get<std::string>()},
       {each.at("cluster_address").get<std::string>()},
       number(each, "shards"),
       number(each, "runs_live"),
       number(each, "runs_waiting"),
       number(each, "slots_free"),
       {fmt::format("{:.1f}", each.at("runs_ended_per_second").get<double>()), ink::plain, true},
       span(each, "append_wait_ms"),
       number(each, "workers"),
       span(each, "silent_ms"),
       span(each, "age_ms")});
  }
  const auto left_out = table.fit(
    line.out.live ? line.out.width : 0, {"ID", "VERSION", "AGE", "ENDED/S", "LAG", "WORKERS", "SLOTS FREE", "GATE"},
    "HTTP", line.out.look);
  auto text = table.empty() ? std::string("no nodes\n") : table.text(line.out.look);
  for (const auto& each : found.at("nodes"))
    if (each.value("alive", false) && each.contains("lacks") && each["lacks"].is_string())
      text += line.out.look(
        ink::bad, fmt::format(
                    "{} lacks {}, which unfinished runs need; it holds no shards as long as others can\n",
                    terminal::harmless(each.at("name").get<std::string>()),
                    terminal::harmless(each["lacks"].get<std::string>())));
  if (!left_out.empty())
    text += line.out.look(ink::quiet, fmt::format("left out for want of room: {}\n", fmt::join(left_out, ", ")));
  if (dead > 0)
    text += line.out.look(ink::quiet, fmt::format("dead nodes without shards: {} (--all shows them)\n", dead));
  if (const auto free = found.at("shards_free").get<size_t>(); free > 0)
    text += line.out.look(
      ink::bad, fmt::format("{} {} nobody's\n", terminal::counted(free, "shard"), free == 1 ? "is" : "are"));
  answer(line, found, text);
  return exit_status::done;
}

exit_status mark(const command_line& line, const std::string& node, const std::string& wish) {
  if (node.empty())
    throw command_failed(exit_status::wrong_command_line, "which node? Give its id or its name, as levain nodes shows");
  const auto marked = client_of(line).post("/v1/operator/nodes/" + percent_encoded(node) + "/" + wish, "");
  const auto what = marked.at("draining").get<bool>() ? line.out.look(ink::warning, "draining")
                                                      : line.out.look(ink::good, "draining no more");
  answer(
    line, marked,
    fmt::format(
      "{}  {}  {}\n", terminal::harmless(marked.at("name").get<std::string>()), marked.at("id").get<std::string>(),
      what));
  return exit_status::done;
}

} // namespace

void add_node_commands(CLI::App& app, command_line& line) {
  auto* nodes = app.add_subcommand("nodes", "List the nodes that share the database");
  add_daemon_options(*nodes, line);
  auto all = std::make_shared<bool>(false);
  nodes->add_flag("--all", *all, "Dead nodes too that own nothing any more");
  nodes->callback([&line, all] { line.chosen = [&line, all] { return show_nodes(line, *all); }; });

  auto* one = app.add_subcommand("node", "Say what a node is to do");
  one->require_subcommand(1);
  const std::pair<const char*, const char*> wishes[] = {
    {"drain", "Let a node hold no shards as long as others can"},
    {"undrain", "Let a node hold shards again"},
  };
  for (const auto& [name, what] : wishes) {
    auto named = std::make_shared<std::string>();
    auto* command = one->add_subcommand(name, what);
    command->add_option("NODE", *named, "Its id, or a name that only one living node has")->required();
    add_daemon_options(*command, line);
    command->callback([&line, named, wish = std::string(name)] {
      line.chosen = [&line, named, wish] { return mark(line, *named, wish); };
    });
  }
}

} // namespace levain
