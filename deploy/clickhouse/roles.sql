-- Rights on a ClickHouse server, given once by an administrator after `retorno migrate`. (The embedded engine has the
-- reader as user `ceniss`, without a password.)

-- Statisticians and BI tools: every view of ceniss, and nothing else. The views read the pipeline's tables with the
-- rights of the user who migrated.
CREATE ROLE IF NOT EXISTS ceniss_reader;
GRANT SELECT ON ceniss.* TO ceniss_reader;
ALTER ROLE ceniss_reader SETTINGS readonly = 2;

-- The pipeline: consume, verify, serve and migrate.
CREATE ROLE IF NOT EXISTS retorno_pipeline;
GRANT CREATE DATABASE, CREATE TABLE, CREATE VIEW, CREATE DICTIONARY, DROP VIEW, DROP DICTIONARY, ALTER TABLE, SELECT, INSERT, dictGet ON retorno.* TO retorno_pipeline;
GRANT CREATE DATABASE, CREATE VIEW, DROP VIEW, SELECT ON ceniss.* TO retorno_pipeline;
GRANT SYSTEM RELOAD DICTIONARY ON *.* TO retorno_pipeline;
GRANT SET DEFINER ON * TO retorno_pipeline;
