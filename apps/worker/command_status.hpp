#pragma once

namespace levain {

/// Whether a command that ended with this exit status, 1 to 255, failed in a way that a later attempt may mend. The
/// statuses of sysexits.h decide: those that find fault with what was asked are final. All others may be mended: an
/// interpreter that ends with 1 after an uncaught exception does not know better.
bool may_be_mended(int exit_status);

} // namespace levain
