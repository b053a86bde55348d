-- For a ClickHouse server: rights of statisticians and BI tools, given once by an administrator after
-- `retorno migrate`. The views of ceniss read the pipeline's tables with the rights of the user who migrated, so the
-- role needs none of its own there. The embedded engine has the same as user `ceniss`, without a password.
CREATE ROLE IF NOT EXISTS ceniss_reader;
GRANT SELECT ON ceniss.* TO ceniss_reader;
