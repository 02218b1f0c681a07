-- What nobody searches by is in detail, as JSON.
CREATE TABLE models (
	id             BIGINT PRIMARY KEY CHECK (id > 0),
	project        BIGINT NOT NULL REFERENCES projects (id) DEFERRABLE INITIALLY DEFERRED,
	name           TEXT NOT NULL CHECK (name <> ''),
	created        BIGINT NOT NULL,
	updated        BIGINT NOT NULL,
	status         TEXT NOT NULL CHECK (status IN ('training', 'trained', 'train_failed', 'copying', 'copied', 'copy_failed',
		'starting', 'running', 'start_failed', 'stopping', 'stopped')),
	message        TEXT NOT NULL,
	ours           BOOLEAN NOT NULL,
	progress       DOUBLE PRECISION NOT NULL CHECK (progress BETWEEN 0 AND 1),
	stage          TEXT NOT NULL,
	min_units      BIGINT NOT NULL CHECK (min_units >= 0),
	max_units      BIGINT NOT NULL CHECK (max_units >= 0),
	train_dataset  BIGINT NOT NULL,
	train_revision BIGINT NOT NULL,
	test_dataset   BIGINT NOT NULL,
	test_revision  BIGINT NOT NULL,
	weights        TEXT NOT NULL,
	detail         TEXT NOT NULL,
	UNIQUE (project, name),
	UNIQUE (project, created)
);
CREATE INDEX models_status ON models (status);
CREATE INDEX models_train ON models (train_dataset, train_revision);
CREATE INDEX models_test ON models (test_dataset, test_revision);
CREATE INDEX models_weights ON models (weights);
