#define BOOST_TEST_MODULE levain
#include <boost/test/unit_test.hpp>
