-- Of the program that tests build as the next version: a new column, its index,
-- and a change of every row, while the present version goes on beside it.
ALTER TABLE tags ADD COLUMN changed BIGINT DEFAULT 0;
CREATE INDEX tags_by_change ON tags (changed);
UPDATE settings SET value = value;
