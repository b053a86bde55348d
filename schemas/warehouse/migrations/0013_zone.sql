-- Every time of ours says its zone; this one took the server's.

ALTER TABLE retorno.migrations MODIFY COLUMN applied_at DateTime('America/Tegucigalpa') COMMENT 'Cuándo se aplicó / When it was applied';
