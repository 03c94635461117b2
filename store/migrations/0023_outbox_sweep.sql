-- What is delivered, or given up, is forgotten after a while: found without looking at what is kept.
CREATE INDEX deliveries_ended ON web.deliveries (coalesce(delivered_at, occurred_at)) WHERE next_at IS NULL;
