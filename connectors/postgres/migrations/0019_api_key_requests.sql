-- By which request a key was issued: sent again, it makes no second key. SHA-256 of what the client chose, which is kept nowhere.
ALTER TABLE api_keys
    ADD COLUMN request bytea CHECK (octet_length(request) = 32),
    ADD CONSTRAINT api_keys_request_key UNIQUE (tenant_id, request);
