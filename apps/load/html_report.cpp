#include "apps/load/html_report.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <set>
#include <stdexcept>

#include <fmt/format.h>

#include "apps/load/html_style.hpp"
#include "apps/load/html_text.hpp"
#include "apps/load/result_plots.hpp"
#include "apps/terminal/paint.hpp"

namespace levain::load {

namespace {

using results = std::vector<named_result>;

/// A ratio nearer to one than this is no news.
constexpr double news_min = 0.05;
/// Rows in a table of tenants, errors and the like; what is beyond is counted.
constexpr size_t rows_max = 30;

/// A figure of the summary.
struct summary_figure {
  const char* label;
  const char* unit;
  bool more_is_better;
  std::function<std::optional<double>(const load_result&)> of;
};

std::optional<double> latency(const load_result& result, double latency_figures::*figure) {
  return result.latency_ms.count == 0 ? std::nullopt : std::optional(result.latency_ms.*figure);
}

std::optional<double> micros(const std::optional<double>& milliseconds) {
  return milliseconds ? std::optional(*milliseconds * 1000) : std::nullopt;
}

const std::vector<summary_figure>& summary() {
  using r = load_result;
  using l = latency_figures;
  static const std::vector<summary_figure> figures = {
    {"runs", "", true, [](const r& x) { return std::optional(static_cast<double>(x.runs)); }},
    {"rate", "runs/s", true, [](const r& x) { return std::optional(x.runs_per_s); }},
    {"steps", "steps/s", true, [](const r& x) { return std::optional(x.steps_per_s); }},
    {"latency p50", "ms", false, [](const r& x) { return latency(x, &l::p50); }},
    {"latency p99", "ms", false, [](const r& x) { return latency(x, &l::p99); }},
    {"latency p99.9", "ms", false, [](const r& x) { return latency(x, &l::p999); }},
    {"longest", "ms", false, [](const r& x) { return latency(x, &l::max); }},
    {"write-ahead log", "bytes/run", false, [](const r& x) { return x.wal_bytes_per_run; }},
    {"commits", "a run", false, [](const r& x) { return x.commits_per_run; }},
    {"transactions", "a run", false, [](const r& x) { return x.batches_per_run; }},
    {"events", "a transaction", true, [](const r& x) { return x.rows_per_batch; }},
    {"CPU, engine", "µs/run", false, [](const r& x) { return micros(x.engine_cpu_ms_per_run); }},
    {"CPU, PostgreSQL", "µs/run", false, [](const r& x) { return micros(x.postgres_cpu_ms_per_run); }},
    {"peak memory", "MiB", false,
     [](const r& x) {
       return x.peak_rss_bytes ? std::optional(static_cast<double>(*x.peak_rss_bytes) / 1024 / 1024) : std::nullopt;
     }},
  };
  return figures;
}

std::string tile(const summary_figure& figure, const results& all) {
  const auto first = figure.of(all.front().result);
  std::string html = fmt::format(
    "<div class=\"tile\"><div class=\"label\">{}</div><div class=\"value\">{} <small>{}</small></div>",
    html_text(figure.label), first ? short_number(*first) : "–", html_text(figure.unit));
  for (size_t i = 1; i < all.size(); ++i) {
    const auto other = figure.of(all[i].result);
    html += fmt::format("<div class=\"other\"><span class=\"c{}\">{}</span>", i, other ? short_number(*other) : "–");
    if (first && other && *first > 0) {
      const double ratio = *other / *first;
      const char* news = std::abs(ratio - 1) < news_min         ? "quiet"
                         : (ratio > 1) == figure.more_is_better ? "good"
                                                                : "bad";
      html += fmt::format(" <span class=\"{}\">× {:.2f}</span>", news, ratio);
    }
    html += "</div>";
  }
  return html + "</div>";
}

std::string tiles(const results& all) {
  std::string html = "<section class=\"tiles\">";
  for (const auto& figure : summary()) {
    const auto is_known = [&figure](const named_result& each) { return figure.of(each.result).has_value(); };
    if (std::any_of(all.begin(), all.end(), is_known))
      html += tile(figure, all);
  }
  return html + "</section>";
}

using texts = std::map<std::string, std::string>;

/// One row for each name that any result has, one column for each result.
std::string
table_card(const std::string& title, const results& all, const std::function<texts(const load_result&)>& of) {
  std::vector<texts> columns;
  std::set<std::string> names;
  for (const auto& each : all) {
    columns.push_back(of(each.result));
    for (const auto& [name, value] : columns.back())
      names.insert(name);
  }
  if (names.empty())
    return "";
  std::string html = fmt::format("<div class=\"card\"><h3>{}</h3><div class=\"scroll\"><table>", html_text(title));
  if (all.size() > 1) {
    html += "<tr><th></th>";
    for (size_t i = 0; i < all.size(); ++i)
      html += fmt::format("<td class=\"c{}\">{}</td>", i, html_text(all[i].name));
    html += "</tr>";
  }
  size_t shown = 0;
  for (const auto& name : names) {
    if (++shown > rows_max)
      break;
    html += fmt::format("<tr><th>{}</th>", html_text(name));
    for (const auto& column : columns) {
      const auto at = column.find(name);
      html += fmt::format("<td>{}</td>", at == column.end() ? "–" : html_text(at->second));
    }
    html += "</tr>";
  }
  html += "</table></div>";
  if (names.size() > rows_max)
    html += fmt::format("<p class=\"quiet\">and {} more</p>", names.size() - rows_max);
  return html + "</div>";
}

std::string millis(double value) {
  return terminal::span_text(duration(static_cast<int64_t>(value * 1000)));
}

/// Settings by names as people write them: `in flight` for `in_flight`.
texts spoken(const texts& from) {
  texts made;
  for (const auto& [name, value] : from) {
    auto words = name;
    std::replace(words.begin(), words.end(), '_', ' ');
    made[words] = value;
  }
  return made;
}

texts counts(const std::map<std::string, uint64_t>& from) {
  texts made;
  for (const auto& [name, count] : from)
    made[name] = std::to_string(count);
  return made;
}

texts groups(const std::map<std::string, load_group>& from) {
  texts made;
  for (const auto& [name, group] : from)
    made[name] = fmt::format(
      "{} {}, p50 {}, p99 {}", group.runs, group.runs == 1 ? "run" : "runs", millis(group.latency_ms.p50),
      millis(group.latency_ms.p99));
  return made;
}

texts latencies(const load_result& x) {
  texts made;
  const auto add = [&made](const char* name, const latency_figures& figures) {
    if (figures.count > 0)
      made[name] = fmt::format(
        "p50 {}, p90 {}, p99 {}, p99.9 {}, longest {}, mean {}", millis(figures.p50), millis(figures.p90),
        millis(figures.p99), millis(figures.p999), millis(figures.max), millis(figures.mean));
  };
  add("a run", x.latency_ms);
  add("its start", x.start_ms);
  return made;
}

std::string proof_row(const char* name, const std::optional<uint64_t>& count) {
  const auto* look = !count ? "quiet" : *count == 0 ? "good" : "bad";
  return fmt::format(
    "<tr><th>{}</th><td class=\"{}\">{}</td></tr>", name, look, count ? std::to_string(*count) : "not looked at");
}

std::string proof_card(const named_result& each) {
  const auto& x = each.result;
  const bool looked = x.lost || x.duplicates || x.audit_differences;
  uint64_t errors = 0;
  for (const auto& [what, count] : x.errors)
    errors += count;
  const auto [look, verdict] =
    !x.proven() ? std::pair("bad", "not proven: something was lost, doubled, different or failed")
    : looked    ? std::pair("good", "proven: every accepted run is there, once, as its journal says")
                : std::pair("quiet", "no proof was asked for");
  return fmt::format(
    "<div class=\"card\"><h3>{}</h3><p class=\"{}\">{}</p><table>{}{}{}<tr><th>errors</th><td class=\"{}\">{}</td></tr>"
    "</table></div>",
    html_text(each.name), look, verdict, proof_row("lost", x.lost), proof_row("doubled", x.duplicates),
    proof_row("rows that differ from their journal", x.audit_differences), errors == 0 ? "quiet" : "bad", errors);
}

std::string heading(const results& all) {
  const auto& first = all.front().result;
  std::string html = fmt::format(
    "<h1>{}</h1><p class=\"quiet\">{}</p>",
    all.size() > 1          ? "Levain: results compared"
    : first.kind == "floor" ? "Levain: the floor"
                            : "Levain: a load",
    all.size() > 1 ? "ratios are to the first"
                   : html_text(fmt::format("{}, began {}, {:.1f} s", all.front().name, first.began_at, first.seconds)));
  if (all.size() == 1)
    return html;
  html += "<div class=\"keys\">";
  for (size_t i = 0; i < all.size(); ++i)
    html += fmt::format(
      "<div class=\"key c{}\"><span>{} <span class=\"quiet\">{}, {:.1f} s</span></span></div>", i,
      html_text(all[i].name), html_text(all[i].result.began_at), all[i].result.seconds);
  return html + "</div>";
}

std::string plot_card(const plot& drawn) {
  return fmt::format("<div class=\"card\"><h3>{}</h3>{}</div>", html_text(drawn.title), svg_plot(drawn));
}

} // namespace

std::string html_report(const results& all) {
  if (all.empty() || all.size() > results_on_page_max)
    throw std::invalid_argument(fmt::format("a report is on 1 to {} results, not {}", results_on_page_max, all.size()));
  std::string html = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                     "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
                     "<title>Levain load</title><style>";
  html += html_style;
  html += "</style></head>\n<body><main>\n" + heading(all) + '\n' + tiles(all) +
          "\n<h2>Over time</h2><section class=\"plots\">";
  html += plot_card(rate_plot(all)) + plot_card(in_flight_plot(all)) + plot_card(latency_plot(all)) +
          plot_card(memory_plot(all));
  html += "</section>\n<h2>Latency</h2><section class=\"plots\">";
  html += plot_card(histogram_plot(all)) + plot_card(quantile_plot(all));
  html += "</section>\n<h2>Proof</h2><section class=\"tables\">";
  for (const auto& each : all)
    html += proof_card(each);
  html += "</section>\n<h2>Details</h2><section class=\"tables\">";
  html += table_card("Latencies", all, latencies);
  html += table_card("How runs ended", all, [](const load_result& x) { return counts(x.endings); });
  html += table_card("Refused", all, [](const load_result& x) { return counts(x.refused); });
  html += table_card("Errors", all, [](const load_result& x) { return counts(x.errors); });
  html += table_card("Priorities", all, [](const load_result& x) { return groups(x.priorities); });
  html += table_card("Tenants", all, [](const load_result& x) { return groups(x.tenants); });
  html += table_card("Settings", all, [](const load_result& x) { return spoken(x.settings); });
  html += table_card("Machine", all, [](const load_result& x) { return spoken(x.machine); });
  return html + "</section>\n</main></body></html>\n";
}

void write_html_report(const std::string& file, const results& all) {
  const auto page = html_report(all);
  std::ofstream out(file);
  out << page;
  out.close();
  if (!out)
    throw std::runtime_error("cannot write the report to " + file);
}

} // namespace levain::load
