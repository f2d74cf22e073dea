-- The four metrics are 0 to 100, also when others write them.
--
-- Not valid: rows that are there already are left as they are, and the table is not read while it is locked.

alter table orchestration_runs
  add constraint fulfillment_rate_is_0_to_100 check (fulfillment_rate between 0 and 100) not valid,
  add constraint on_time_delivery_rate_is_0_to_100 check (on_time_delivery_rate between 0 and 100) not valid,
  add constraint cost_accuracy_is_0_to_100 check (cost_accuracy between 0 and 100) not valid,
  add constraint quality_score_is_0_to_100 check (quality_score between 0 and 100) not valid;
