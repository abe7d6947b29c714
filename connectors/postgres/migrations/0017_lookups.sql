-- What look-ups over a tenant's whole history are read by.
CREATE INDEX runs_by_time ON runs (tenant_id, synced_at);
CREATE INDEX sanitization_audit_by_time ON sanitization_audit_log (tenant_id, at);

-- How much was read for it: what a tenant uses is counted by these rows. Unknown for those of before.
ALTER TABLE sanitization_audit_log ADD COLUMN bytes_in bigint NOT NULL DEFAULT 0;
