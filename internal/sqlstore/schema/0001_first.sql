-- Times are milliseconds since the Unix epoch, made by the program. Foreign
-- keys are checked at commit, so that callers may delete in any order.

CREATE TABLE projects (
	id      BIGINT PRIMARY KEY CHECK (id > 0),
	service TEXT NOT NULL CHECK (service IN ('custom-labels', 'lookout')),
	account TEXT NOT NULL,
	region  TEXT NOT NULL,
	name    TEXT NOT NULL CHECK (name <> ''),
	created BIGINT NOT NULL,
	UNIQUE (service, account, region, name)
);
CREATE INDEX projects_by_time ON projects (service, account, region, created DESC, name);

CREATE TABLE datasets (
	id       BIGINT PRIMARY KEY CHECK (id > 0),
	project  BIGINT NOT NULL REFERENCES projects (id) DEFERRABLE INITIALLY DEFERRED,
	split    TEXT NOT NULL CHECK (split IN ('train', 'test')),
	created  BIGINT NOT NULL,
	updated  BIGINT NOT NULL,
	status   TEXT NOT NULL CHECK (status IN ('creating', 'created', 'create_failed', 'updating', 'updated', 'update_failed')),
	source   TEXT NOT NULL CHECK (source IN ('manifest', 'dataset', 'nothing')),
	message  TEXT NOT NULL,
	ours     BOOLEAN NOT NULL,
	revision BIGINT NOT NULL CHECK (revision >= 0),
	UNIQUE (project, split),
	CHECK (status IN ('create_failed', 'update_failed') OR message = '' AND NOT ours)
);

CREATE TABLE revisions (
	dataset  BIGINT NOT NULL REFERENCES datasets (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
	number   BIGINT NOT NULL CHECK (number > 0),
	created  BIGINT NOT NULL,
	cause    TEXT NOT NULL,
	caller   TEXT NOT NULL,
	entries  BIGINT NOT NULL CHECK (entries >= 0),
	labeled  BIGINT NOT NULL CHECK (labeled BETWEEN 0 AND entries),
	errors   BIGINT NOT NULL CHECK (errors BETWEEN 0 AND entries),
	normal   BIGINT NOT NULL CHECK (normal >= 0),
	anomaly  BIGINT NOT NULL CHECK (anomaly >= 0),
	labels   TEXT NOT NULL,
	bucket   TEXT NOT NULL,
	next_seq BIGINT NOT NULL CHECK (next_seq >= 0),
	report   TEXT NOT NULL,
	PRIMARY KEY (dataset, number),
	CHECK (normal + anomaly <= entries)
);

-- The segments of a revision, apart from it because they are large and most
-- readers of a revision want its numbers only.
CREATE TABLE revision_segments (
	dataset  BIGINT NOT NULL,
	number   BIGINT NOT NULL,
	segments BLOB NOT NULL,
	PRIMARY KEY (dataset, number),
	FOREIGN KEY (dataset, number) REFERENCES revisions (dataset, number) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE tags (
	resource TEXT NOT NULL,
	name     TEXT NOT NULL,
	value    TEXT NOT NULL,
	PRIMARY KEY (resource, name)
);

CREATE TABLE tokens (
	account   TEXT NOT NULL,
	region    TEXT NOT NULL,
	operation TEXT NOT NULL,
	value     TEXT NOT NULL,
	params    TEXT NOT NULL,
	answer    BLOB NOT NULL,
	used      BIGINT NOT NULL,
	PRIMARY KEY (account, region, operation, value)
);
CREATE INDEX tokens_used ON tokens (used);

CREATE TABLE settings (
	name  TEXT PRIMARY KEY,
	value TEXT NOT NULL
);

-- A job may be claimed once it is due: a queued one when its time has come, a
-- running one when the lease of the worker that runs it has ended.
CREATE TABLE jobs (
	id       BIGINT PRIMARY KEY CHECK (id > 0),
	kind     TEXT NOT NULL,
	name     TEXT NOT NULL,
	args     TEXT NOT NULL,
	state    TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
	queued   BIGINT NOT NULL,
	due      BIGINT NOT NULL,
	attempt  BIGINT NOT NULL CHECK (attempt >= 0),
	failures BIGINT NOT NULL CHECK (failures BETWEEN 0 AND attempt),
	worker   TEXT NOT NULL,
	cancel   BOOLEAN NOT NULL,
	message  TEXT NOT NULL,
	ended    BIGINT NOT NULL,
	CHECK ((state = 'running') = (worker <> '')),
	CHECK ((state IN ('queued', 'running')) = (ended = 0))
);
CREATE UNIQUE INDEX jobs_live_name ON jobs (name) WHERE name <> '' AND state IN ('queued', 'running');
CREATE INDEX jobs_live_due ON jobs (due) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_ended ON jobs (ended) WHERE state NOT IN ('queued', 'running');
