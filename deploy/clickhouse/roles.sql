-- For a ClickHouse server: what each command of retorno may do, given once by an administrator before
-- `retorno migrate`. Then give the roles to users, whose names and passwords are yours:
--
--     CREATE USER retorno IDENTIFIED WITH sha256_password BY '…' DEFAULT ROLE retorno_consumer;
--     GRANT retorno_consumer TO retorno;
--
-- The embedded engine has the same roles with the same rights and limits, but for quotas, which it does not know: a
-- user with the name of a role acts in that role.

-- `retorno migrate`. The views of ceniss read the pipeline's tables with the rights of the user who migrated: keep it.
CREATE ROLE IF NOT EXISTS retorno_owner;
-- To replace a view is to rename tables, with the rights that this takes.
GRANT CREATE DATABASE, CREATE TABLE, CREATE VIEW, DROP TABLE, DROP VIEW, DROP DICTIONARY, ALTER, SELECT, INSERT ON retorno.* TO retorno_owner;
GRANT CREATE DATABASE, CREATE TABLE, CREATE VIEW, DROP TABLE, DROP VIEW, SELECT, INSERT ON ceniss.* TO retorno_owner;

-- `retorno consume`, `retorno partition`.
CREATE ROLE IF NOT EXISTS retorno_consumer;
GRANT SELECT, INSERT ON retorno.* TO retorno_consumer;
-- Rows of flushes that another row sums up, and claims of epochs that are over.
GRANT ALTER DELETE ON retorno.ledger TO retorno_consumer;
GRANT ALTER DELETE ON retorno.claims TO retorno_consumer;

-- `retorno verify`, `explain`, `table`: they only read, but for what the verifier has found.
CREATE ROLE IF NOT EXISTS retorno_auditor;
GRANT INSERT ON retorno.verifications TO retorno_auditor;
GRANT SELECT ON retorno.* TO retorno_auditor;
GRANT SELECT ON ceniss.* TO retorno_auditor;
-- How the database fares, for the metrics of the verifier's process. backup_log is there when the server keeps one.
GRANT SELECT ON system.parts TO retorno_auditor;
GRANT SELECT ON system.disks TO retorno_auditor;
GRANT SELECT ON system.backups TO retorno_auditor;
GRANT SELECT ON system.backup_log TO retorno_auditor;

-- `retorno publish`.
CREATE ROLE IF NOT EXISTS retorno_publisher;
GRANT SELECT ON retorno.* TO retorno_publisher;
GRANT SELECT ON ceniss.* TO retorno_publisher;
GRANT INSERT ON retorno.publications TO retorno_publisher;
GRANT INSERT ON retorno.published_counts TO retorno_publisher;
GRANT INSERT ON retorno.vintages TO retorno_publisher;
GRANT INSERT ON retorno.released_files TO retorno_publisher;
GRANT INSERT ON retorno.published_events TO retorno_publisher;
GRANT INSERT ON retorno.published_differences TO retorno_publisher;

-- `retorno serve`: what was published, and nothing that moves when something arrives or is counted.
CREATE ROLE IF NOT EXISTS ceniss_public;
GRANT SELECT(id, period, vintage, status, published_at) ON ceniss.publications TO ceniss_public;
GRANT SELECT ON ceniss.released_files TO ceniss_public;
GRANT SELECT ON ceniss.codes TO ceniss_public;
GRANT SELECT(schema) ON ceniss.state TO ceniss_public;

-- People and BI tools who need counts: those of now with how complete they are, vintages, and code lists. Nothing about one person.
CREATE ROLE IF NOT EXISTS ceniss_counts;
GRANT SELECT ON ceniss.return_counts TO ceniss_counts;
GRANT SELECT ON ceniss.assistance_counts TO ceniss_counts;
GRANT SELECT ON ceniss.crossing_counts TO ceniss_counts;
GRANT SELECT ON ceniss.coverage TO ceniss_counts;
GRANT SELECT ON ceniss.sources TO ceniss_counts;
GRANT SELECT ON ceniss.source_gaps TO ceniss_counts;
GRANT SELECT ON ceniss.keys_with_contradictions TO ceniss_counts;
GRANT SELECT ON ceniss.publications TO ceniss_counts;
GRANT SELECT ON ceniss.published_counts TO ceniss_counts;
GRANT SELECT ON ceniss.revisions TO ceniss_counts;
GRANT SELECT ON ceniss.released_files TO ceniss_counts;
GRANT SELECT ON ceniss.codes TO ceniss_counts;
GRANT SELECT ON ceniss.state TO ceniss_counts;

-- Statisticians who work with single returns and helped persons, too: everything that is for people.
CREATE ROLE IF NOT EXISTS ceniss_micro;
GRANT SELECT ON ceniss.* TO ceniss_micro;

-- The one role that earlier releases had for `retorno serve` and for people. It may read what ceniss_micro may, with a larger quota. Give
-- new users one of the three above.
CREATE ROLE IF NOT EXISTS ceniss_reader;
GRANT SELECT ON ceniss.* TO ceniss_reader;

-- No reader takes the memory or the time that counting needs. Raise the limits for people whose questions are large.
-- `retorno serve` has no quota: it bounds its own questions, and one of its clients must not use up those of all.
CREATE SETTINGS PROFILE IF NOT EXISTS ceniss_public SETTINGS
    max_execution_time = 60 MIN 1 MAX 600,
    max_memory_usage = 400000000 MIN 1 MAX 400000000,
    max_result_bytes = 1000000000 MIN 1 MAX 1000000000
    TO ceniss_public;
CREATE SETTINGS PROFILE IF NOT EXISTS ceniss_counts SETTINGS
    max_execution_time = 60 MIN 1 MAX 600,
    max_memory_usage = 400000000 MIN 1 MAX 4000000000,
    max_result_bytes = 1000000000 MIN 1 MAX 10000000000
    TO ceniss_counts;
CREATE SETTINGS PROFILE IF NOT EXISTS ceniss_micro SETTINGS
    max_execution_time = 60 MIN 1 MAX 600,
    max_memory_usage = 400000000 MIN 1 MAX 4000000000,
    max_result_bytes = 1000000000 MIN 1 MAX 10000000000
    TO ceniss_micro;
CREATE SETTINGS PROFILE IF NOT EXISTS ceniss_reader SETTINGS
    max_execution_time = 60 MIN 1 MAX 600,
    max_memory_usage = 400000000 MIN 1 MAX 4000000000,
    max_result_bytes = 1000000000 MIN 1 MAX 10000000000
    TO ceniss_reader;
CREATE QUOTA IF NOT EXISTS ceniss_counts KEYED BY user_name
    FOR INTERVAL 1 minute MAX queries = 600, execution_time = 300
    TO ceniss_counts;
CREATE QUOTA IF NOT EXISTS ceniss_micro KEYED BY user_name
    FOR INTERVAL 1 minute MAX queries = 300, execution_time = 300
    TO ceniss_micro;
CREATE QUOTA IF NOT EXISTS ceniss_reader KEYED BY user_name
    FOR INTERVAL 1 minute MAX queries = 3000, execution_time = 600
    TO ceniss_reader;
