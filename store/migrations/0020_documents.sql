-- Documents: what is kept of them beside their bytes, which lie in a folder or a bucket under their digest. Nothing here is
-- ever changed: a row says that the bytes were whole and durable when it was written, who brought them, and who looked.

CREATE TABLE venture.documents (
  sha256     text COLLATE "C" NOT NULL PRIMARY KEY,
  size       bigint           NOT NULL,
  media_type text             NOT NULL,
  kept_at    timestamptz      NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT a_digest CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  CONSTRAINT a_size CHECK (size > 0)
);

CREATE TABLE venture.document_uploads (
  sha256   text COLLATE "C" NOT NULL REFERENCES venture.documents,
  uploader text COLLATE "C" NOT NULL,  -- person:P-n or service:name
  session  text             NOT NULL,  -- by what they came in
  at       timestamptz      NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (sha256, uploader)
);

CREATE TABLE venture.document_reads (
  id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  sha256   text COLLATE "C" NOT NULL REFERENCES venture.documents,
  reader   text COLLATE "C" NOT NULL,
  session  text             NOT NULL,
  stream   text COLLATE "C" NOT NULL,  -- the file by which it was read; empty: the reader had brought it
  at       timestamptz      NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX document_reads_document ON venture.document_reads (sha256, id);

-- From which position on the wall clock takes no attachment whose bytes are not here.
CREATE TABLE venture.documents_since (
  position bigint  NOT NULL,
  one      boolean NOT NULL PRIMARY KEY DEFAULT true CHECK (one)
);
INSERT INTO venture.documents_since (position) SELECT coalesce(max(position), 0) FROM venture.entries;

CREATE FUNCTION venture.keep_document(digest text, bytes bigint, type text, who text, by_session text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO venture.documents (sha256, size, media_type) VALUES (digest, bytes, type) ON CONFLICT (sha256) DO NOTHING;
  INSERT INTO venture.document_uploads (sha256, uploader, session) VALUES (digest, who, by_session)
  ON CONFLICT (sha256, uploader) DO NOTHING;
END $$;

CREATE FUNCTION venture.note_document_read(digest text, who text, by_session text, of_stream text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO venture.document_reads (sha256, reader, session, stream) VALUES (digest, who, by_session, of_stream);
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA venture FROM PUBLIC;
