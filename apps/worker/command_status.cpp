#include "apps/worker/command_status.hpp"

#include <sysexits.h>

namespace levain {

bool may_be_mended(int exit_status) {
  switch (exit_status) {
  case EX_USAGE:
  case EX_DATAERR:
  case EX_NOINPUT:
  case EX_NOUSER:
  case EX_NOHOST:
  case EX_CANTCREAT:
  case EX_NOPERM:
  case EX_CONFIG:
    return false;
  default:
    return true;
  }
}

} // namespace levain
