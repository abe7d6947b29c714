-- How many deliveries a tenant had of late, over all replicas: the newest first.
CREATE INDEX webhook_deliveries_at ON webhook_deliveries (tenant_id, at DESC);
