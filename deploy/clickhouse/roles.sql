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

-- `retorno publish`.
CREATE ROLE IF NOT EXISTS retorno_publisher;
GRANT SELECT ON retorno.* TO retorno_publisher;
GRANT SELECT ON ceniss.* TO retorno_publisher;
GRANT INSERT ON retorno.publications TO retorno_publisher;
GRANT INSERT ON retorno.published_counts TO retorno_publisher;
GRANT INSERT ON retorno.vintages TO retorno_publisher;
GRANT INSERT ON retorno.released_files TO retorno_publisher;

-- `retorno serve`, statisticians and BI tools: the published database and nothing else.
CREATE ROLE IF NOT EXISTS ceniss_reader;
GRANT SELECT ON ceniss.* TO ceniss_reader;

-- No reader takes the memory or the time that counting needs. Raise the limits for people whose questions are large.
CREATE SETTINGS PROFILE IF NOT EXISTS ceniss_reader SETTINGS
    max_execution_time = 60 MIN 1 MAX 600,
    max_memory_usage = 400000000 MIN 1 MAX 4000000000,
    max_result_bytes = 1000000000 MIN 1 MAX 10000000000
    TO ceniss_reader;
CREATE QUOTA IF NOT EXISTS ceniss_reader KEYED BY user_name
    FOR INTERVAL 1 minute MAX queries = 3000, execution_time = 600
    TO ceniss_reader;
