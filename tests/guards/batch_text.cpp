#include "tests/guards/batch_text.hpp"

#include <stdexcept>

#include "persistence/audit_writing.hpp"
#include "persistence/batch_writing.hpp"
#include "persistence/event_columns.hpp"

namespace levain::test {

namespace {

size_t bytes_of(const std::vector<std::string>& parameters) {
  size_t bytes = 0;
  for (const auto& each : parameters)
    bytes += each.size();
  return bytes;
}

} // namespace

size_t write_batch_text(const std::vector<run_append>& batch) {
  const batch_writing writing(batch);
  if (writing.nothing_to_write())
    throw std::logic_error("nothing of the batch could be sent");
  std::vector<std::pair<run_id, const event_record*>> events;
  std::vector<const audit_row*> inserts;
  std::vector<const audit_row*> updates;
  for (const run_append& append : batch) {
    for (const event_record& event : append.events)
      events.emplace_back(append.run, &event);
    if (append.insert)
      inserts.push_back(&*append.insert);
    if (append.update)
      updates.push_back(&*append.update);
  }
  size_t bytes = bytes_of(event_parameters(events));
  if (!inserts.empty())
    bytes += bytes_of(audit_rows_parameters(inserts));
  if (!updates.empty())
    bytes += bytes_of(audit_rows_parameters(updates));
  return bytes;
}

} // namespace levain::test
