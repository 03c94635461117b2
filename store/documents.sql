-- Documents: every statement of store/document_register.py, by name.

-- name: keep
SELECT venture.keep_document($1, $2, $3, $4, $5);

-- name: kept
SELECT sha256, size, media_type, kept_at FROM venture.documents
 WHERE sha256 = ANY ($1::text[]) AND disposed_at IS NULL ORDER BY sha256;

-- name: page
SELECT sha256, size, media_type, kept_at FROM venture.documents
 WHERE sha256 > $1 AND disposed_at IS NULL ORDER BY sha256 LIMIT $2;

-- name: has_brought
SELECT EXISTS (SELECT FROM venture.document_uploads WHERE sha256 = $1 AND uploader = $2);

-- name: note_read
SELECT venture.note_document_read($1, $2, $3, $4);

-- name: reads
SELECT id, sha256, reader, session, stream, at FROM venture.document_reads
 WHERE id > $1 AND ($2::text IS NULL OR sha256 = $2) ORDER BY id LIMIT $3;

-- name: dispose
SELECT venture.dispose_document($1, $2, $3);

-- name: disposed
SELECT sha256, at FROM venture.document_disposals WHERE stream = $1 ORDER BY at, sha256;

-- name: since
SELECT position FROM venture.documents_since;
