#include "tests/support/bad_command_lines.hpp"

namespace levain::test {

namespace {

const std::string nobody_listens = "http://127.0.0.1:9";
const std::string some_tenant = "3f2b8c1e-5d4a-4b6f-9e8d-7c6b5a493827";

bad_command_line daemon(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"--embedded", "DIR/database"});
  return {"levaind", std::move(arguments)};
}

bad_command_line daemon_with(std::string variable, std::string value) {
  return {"levaind", {"--embedded", "DIR/database"}, {{std::move(variable), std::move(value)}}};
}

bad_command_line configured(std::string text) {
  return {"levaind", {"--config", "DIR/levaind.toml", "--embedded", "DIR/database"}, {}, std::move(text)};
}

bad_command_line worker(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"--node", "127.0.0.1:9"});
  return {"levain-worker", std::move(arguments)};
}

bad_command_line load(std::string option, std::string value) {
  return {"levain-load", {"--embedded", "DIR/database", std::move(option), std::move(value)}};
}

} // namespace

const std::vector<bad_command_line>& bad_arguments() {
  static const std::vector<bad_command_line> all{
    {"levaind"},
    {"levaind", {"--embedded", "DIR/database", "--database", "postgresql:///levain"}},
    {"levaind", {"--database", "postgresql:///levain?host=/nowhere"}},
    {"levaind", {"--database", "mysql://localhost/levain"}},
    {"levaind", {"--embedded", "DIR/file/database"}},
    daemon({"--listen", "7400"}),
    daemon({"--listen", "0.0.0.0:7400"}),
    daemon({"--listen", "127.0.0.1:70000"}),
    daemon({"--var", "forecasting_url"}),
    daemon({"--var", "a=1", "--var", "a=2"}),
    daemon({"--runs-running-max", "0"}),
    daemon({"--runs-running-max", "many"}),
    daemon({"--lease-duration", "5"}),
    daemon({"--heartbeat-interval", "4s"}),
    daemon({"--log-level", "loud"}),
    daemon({"--cluster", "7500"}),
    daemon({"--cluster", "127.0.0.1:70000"}),
    daemon({"--cluster", "127.0.0.1:7500", "--cluster-advertise", "127.0.0.1:0"}),
    daemon({"--cluster", "0.0.0.0:7500"}),
    daemon({"--cluster", "0.0.0.0:7500", "--cluster-insecure"}),
    daemon({"--cluster", "bakehouse:7500"}),
    daemon({"--cluster-advertise", "127.0.0.1:7500"}),
    daemon({"--cluster-ca", "DIR/file"}),
    daemon({"--cluster-insecure"}),
    daemon({"--cluster", "127.0.0.1:7500", "--cluster-certificate", "DIR/file"}),
    daemon(
      {"--cluster", "127.0.0.1:7500", "--cluster-certificate", "DIR/none", "--cluster-key", "DIR/none", "--cluster-ca",
       "DIR/none"}),
    daemon(
      {"--cluster", "127.0.0.1:7500", "--cluster-certificate", "DIR/file", "--cluster-key", "DIR/file", "--cluster-ca",
       "DIR/file"}),
    daemon({"--cluster", "127.0.0.1:7500", "--cluster-heartbeat-interval", "1500ms"}),
    daemon({"--cluster", "127.0.0.1:7500", "--cluster-silence-max", "500ms"}),
    daemon({"--cluster", "127.0.0.1:7500", "--routed-max", "0"}),
    daemon({"--runs-max", "5"}),
    {"levaind", {"--config", "DIR/none.toml", "--embedded", "DIR/database"}},
    {"levain"},
    {"levain", {"strat"}},
    {"levain", {"list", "--url", nobody_listens}},
    {"levain", {"list", "--tenant", "bakery", "--url", nobody_listens}},
    {"levain", {"list", "--tenant", some_tenant, "--url", nobody_listens}},
    {"levain", {"attention", "--url", nobody_listens}},
    {"levain", {"show", "--tenant", some_tenant}},
    {"levain", {"start", "daily_bakery", "--tenant", some_tenant, "--input", "{day: 1}", "--url", nobody_listens}},
    {"levain", {"start", "daily_bakery", "--tenant", some_tenant, "--input", "@DIR/none", "--url", nobody_listens}},
    {"levain", {"start", "daily_bakery", "--tenant", some_tenant, "--priority", "urgent", "--url", nobody_listens}},
    {"levain", {"history", "--tenant", some_tenant, "--from", "tomorrow", "--url", nobody_listens}},
    {"levain", {"workflow", "register", "DIR/none", "--url", nobody_listens}},
    {"levain", {"status", "--url", "ftp://127.0.0.1"}},
    {"levain", {"node"}},
    {"levain", {"node", "drain", "--url", nobody_listens}},
    {"levain", {"node", "undrain", "", "--url", nobody_listens}},
    {"levain", {"nodes", "--url", nobody_listens}},
    {"levain", {"certs"}},
    {"levain", {"certs", "DIR/certs", "--node", "../oven"}},
    {"levain", {"certs", "DIR/certs", "--node", "ca"}},
    {"levain", {"certs", "DIR/certs", "--days", "0"}},
    {"levain", {"certs", "DIR/file"}},
    {"levain", {"verify", "--all"}},
    {"levain", {"verify", "--database", "postgresql:///levain?host=/nowhere"}},
    {"levain", {"migrate", "down"}},
    {"levain", {"indexes", "make"}},
    {"levain", {"retention", "--older-than", "1h", "--database", "postgresql:///levain?host=/nowhere"}},
    {"levain", {"retention", "--older-than", "90d", "--batch", "0"}},
    {"levain", {"migrate", "status", "--embedded", "DIR"}},
    {"levain-bakery"},
    {"levain-bakery", {"--state", "DIR/state", "--fail", "baking"}},
    {"levain-bakery", {"--state", "DIR/state", "--fail", "insights:2"}},
    {"levain-bakery", {"--state", "DIR/state", "--slow", "insights:soon"}},
    {"levain-bakery", {"--state", "DIR/state", "--host", "0.0.0.0"}},
    {"levain-bakery", {"--state", "DIR/file"}},
    {"levain-bakery", {"--state", "DIR/state", "--prot", "80"}},
    worker({}),
    {"levain-worker", {"--node", "7500", "--bakery", "all"}},
    {"levain-worker", {"--bakery", "all"}},
    worker({"--bakery", "baking"}),
    worker({"--bakery", "insights,insights"}),
    worker({"--exec", "bake"}),
    worker({"--exec", "2bake=true"}),
    worker({"--exec", "bake="}),
    worker({"--exec", "bake=DIR/none"}),
    worker({"--exec", "bake=DIR/file"}),
    worker({"--exec", "bake=no-such-program"}),
    worker({"--bakery", "insights", "--at-once", "0"}),
    worker({"--bakery", "insights", "--at-once", "10001"}),
    worker({"--bakery", "insights", "--at-once", "forecasting=2"}),
    worker({"--bakery", "insights", "--fail", "baking"}),
    worker({"--bakery", "insights", "--certificate", "DIR/none.pem"}),
    worker({"--bakery", "insights", "--state", "DIR/file"}),
    worker({"--bakery", "insights", "--reconnect-interval-initial", "1m"}),
    worker({"--bakery", "insights", "--log-level", "loud"}),
    worker({"--bakery", "insights", "--colour"}),
    {"levain-load"},
    {"levain-load", {"--runs", "10"}},
    {"levain-load", {"--embedded", "DIR/database", "--database", "postgresql:///levain"}},
    {"levain-load", {"--embedded", "DIR/file/database"}},
    {"levain-load", {"--database", "postgresql:///levain?host=/nowhere"}},
    {"levain-load", {"--daemon", nobody_listens}},
    {"levain-load", {"--daemon", "127.0.0.1:7400"}},
    load("--rate", "0"),
    {"levain-load", {"--embedded", "DIR/database", "--rate", "5", "--in-flight", "7"}},
    load("--duration", "5"),
    load("--interval", "0s"),
    load("--tenants", "0"),
    load("--priorities", "urgent=1"),
    load("--shape", "ring"),
    load("--steps", "201"),
    load("--repeat-rate", "2"),
    {"levain-load", {"--embedded", "DIR/database", "--fail-rate", "0.7", "--fail-final-rate", "0.7"}},
    load("--workflow", "DIR/none"),
    load("--writers", "0"),
    {"levain-load", {"stress"}},
    {"levain-load", {"soak"}},
    {"levain-load", {"soak", "--embedded", "DIR/database", "--duration", "soon"}},
    {"levain-load", {"soak", "--embedded", "DIR/database", "--body-bytes", "1048577"}},
    {"levain-load", {"bench", "--only", "bread"}},
    {"levain-load", {"bench", "--compare", "DIR/nothing.json"}},
  };
  return all;
}

const std::vector<bad_command_line>& bad_environments() {
  static const std::vector<bad_command_line> all{
    daemon_with("LEVAIN_DATABASE", "postgresql:///levain"),
    daemon_with("LEVAIN_LISTEN", "localhost"),
    daemon_with("LEVAIN_RUNS_WAITING_MAX", "-1"),
    daemon_with("LEVAIN_RUNS_BYTES_MAX", "1GiB"),
    daemon_with("LEVAIN_CALLS_BYTES_MAX", "0"),
    daemon_with("LEVAIN_STOP_GRACE", "soon"),
    daemon_with("LEVAIN_LOG_LEVEL", "LOUD"),
    daemon_with("LEVAIN_CONFIG", "DIR/none.toml"),
    {"levain-worker", {}, {{"LEVAIN_WORKER_NODE", "127.0.0.1:9,here"}, {"LEVAIN_WORKER_BAKERY", "all"}}},
    {"levain-worker", {"--node", "127.0.0.1:9", "--bakery", "all"}, {{"LEVAIN_WORKER_AT_ONCE", "many"}}},
    {"levain", {"list"}, {{"LEVAIN_TENANT", "bakery"}, {"LEVAIN_URL", nobody_listens}}},
    {"levain", {"status"}, {{"LEVAIN_URL", "7400"}}},
    {"levain", {"migrate", "status"}, {{"LEVAIN_DATABASE", "postgresql:///levain?host=/nowhere"}}},
  };
  return all;
}

const std::vector<bad_command_line>& bad_configurations() {
  static const std::vector<bad_command_line> all{
    configured("runs-runing-max = 5\n"),     configured("runs-running-max = \"five\"\n"),
    configured("batch-runs-max = 0\n"),      configured("lease-duration = \"1 second\"\n"),
    configured("listen = \"everywhere\"\n"), configured("[limits]\nruns-running-max = 5\n"),
    configured("writers = 1025\n"),
  };
  return all;
}

} // namespace levain::test
