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
