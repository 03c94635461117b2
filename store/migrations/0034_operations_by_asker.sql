-- What somebody asked without waiting, the newest first.
CREATE INDEX operations_by_asker ON web.operations (asker, asked_at DESC, id DESC);
