-- Workspaces that upstream no longer shows: once is a suspicion, twice, apart in time, is a deletion (invariant 9).
ALTER TABLE workspaces ADD COLUMN missing_since timestamptz;
