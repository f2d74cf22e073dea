#include <levain/worker.hpp>

int main(int argc, char** argv) {
  levain::worker worker({.nodes = {argc > 1 ? argv[1] : "127.0.0.1:7500"}});
  worker.offer("greeting", 4, [](levain::worker_step& step) -> levain::worker_result {
    return nlohmann::json{{"text", "Hello " + step.input().value("name", "world")}};
  });
  worker.run();
}
