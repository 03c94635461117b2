-- migrate:up
-- The day on which a project was taken over by an opening entry; NULL for one that came here by the ordinary way.

ALTER TABLE venture.view_projects ADD COLUMN opened_on date;
