-- What became of work that a run stopped: an attempt that never began, a worker that was lost with one in hand, a run that was
-- ended at once, and a person who has dealt with what an ended run left behind.

alter type run_event_kind add value 'attempt_withdrawn';
alter type run_event_kind add value 'delivery_lost';
alter type run_event_kind add value 'terminate_requested';
alter type run_event_kind add value 'attention_resolved';
