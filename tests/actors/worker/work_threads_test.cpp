#include "actors/worker/work_threads.hpp"

#include <boost/test/unit_test.hpp>

#include <future>
#include <set>
#include <thread>
#include <vector>

using namespace levain;

BOOST_AUTO_TEST_SUITE(work_threads_test)

BOOST_AUTO_TEST_CASE(as_many_run_at_once_as_are_asked_for) {
  work_threads threads;
  constexpr int count = 8;
  std::promise<void> door;
  const auto open = door.get_future().share();
  std::vector<std::promise<void>> entered(count);
  std::vector<std::promise<void>> left(count);
  for (int i = 0; i < count; ++i)
    threads.run([&entered, &left, open, i] {
      entered[static_cast<size_t>(i)].set_value();
      open.wait();
      left[static_cast<size_t>(i)].set_value();
    });
  // Each of them is inside while all others are.
  for (auto& each : entered)
    each.get_future().wait();
  door.set_value();
  for (auto& each : left)
    each.get_future().wait();
}

BOOST_AUTO_TEST_CASE(what_comes_one_after_the_other_needs_few_threads) {
  std::set<std::thread::id> used;
  {
    work_threads threads;
    for (int i = 0; i < 1000; ++i) {
      std::promise<std::thread::id> done;
      threads.run([&done] { done.set_value(std::this_thread::get_id()); });
      used.insert(done.get_future().get());
    }
  }
  // A thread may be asked anew before it has said that it is free.
  BOOST_TEST(used.size() < 100U);
}

BOOST_AUTO_TEST_CASE(a_function_that_does_not_return_keeps_nobody_from_going) {
  auto door = std::make_shared<std::promise<void>>();
  std::promise<void> entered;
  auto left = std::make_shared<std::promise<void>>();
  {
    work_threads threads;
    threads.run([&entered, open = door->get_future().share(), left] {
      entered.set_value();
      open.wait();
      left->set_value();
    });
    entered.get_future().wait();
  }
  auto gone = left->get_future();
  door->set_value();
  gone.wait();
}

BOOST_AUTO_TEST_CASE(after_the_stop_nothing_is_begun) {
  work_threads threads;
  threads.stop();
  bool begun = false;
  threads.run([&begun] { begun = true; });
  threads.stop();
  BOOST_TEST(!begun);
}

BOOST_AUTO_TEST_SUITE_END()
