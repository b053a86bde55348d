-- What the verifier has found: a full pass row by row, so that a verifier that is started again goes on where another was,
-- and so that a publication can ask whether the numbers agree.

CREATE TABLE IF NOT EXISTS retorno.verifications
(
    kind            LowCardinality(String) COMMENT 'began, part, ended: una pasada completa que empieza, una partición comparada, su fin; increment: la última pasada incremental / began, part, ended: a full pass that begins, a partition compared, its end; increment: the latest incremental pass',
    pass            UUID                   COMMENT 'Pasada; ceros: la incremental / Pass; zeros: the incremental one',
    kafka_partition UInt16                 COMMENT 'Partición de Kafka de la parte / Kafka partition of the part',
    began           DateTime64(3, 'America/Tegucigalpa') COMMENT 'Cuándo empezó la pasada / When the pass began',
    at              DateTime64(3, 'America/Tegucigalpa') COMMENT 'Cuándo se anotó esto / When this was recorded',
    rows            UInt64                 COMMENT 'Filas comparadas / Rows compared',
    different       UInt64                 COMMENT 'Filas que difieren / Rows that differ',
    detail          String                 COMMENT 'JSON: hasta dónde llegaban el libro y las celdas, o qué se halló / JSON: where the ledger and the cells stood, or what was found'
)
ENGINE = ReplacingMergeTree(at)
ORDER BY (kind, pass, kafka_partition)
COMMENT 'Pasadas del verificador / Passes of the verifier';

-- Which number each vintage of a period has. Rows are only added, and the first publication to take a number keeps it.
CREATE TABLE IF NOT EXISTS retorno.vintages
(
    period      String                 COMMENT 'Periodo, 2016-S1 / Period, 2016-S1',
    vintage     UInt64                 COMMENT 'Edición del periodo: 1, 2, … / Vintage of the period: 1, 2, …',
    publication UUID                   COMMENT 'Publicación que toma el número; el último que toma es el suyo / Publication that takes the number; the last one it takes is its own',
    claimed_at  DateTime64(3, 'America/Tegucigalpa') COMMENT 'Cuándo / When'
)
ENGINE = MergeTree
ORDER BY (period, vintage, publication)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Números de las ediciones / Numbers of the vintages';

-- Publications from before have the numbers that they were shown with.
INSERT INTO retorno.vintages
SELECT period, row_number() OVER (PARTITION BY period ORDER BY as_of, id), id, as_of
FROM (SELECT DISTINCT period, as_of, id FROM retorno.publications)
WHERE id NOT IN (SELECT publication FROM retorno.vintages);
