-- Who may write for a Kafka partition, and which flush is under way. Both are said before anything else is written, so
-- that of two processes which believe they own a partition at least one sees the other.

CREATE TABLE IF NOT EXISTS retorno.claims
(
    kafka_partition UInt16                 COMMENT 'Partición de Kafka / Kafka partition',
    epoch           UInt32                 COMMENT 'Época que se toma / Epoch that is taken',
    claim           UUID                   COMMENT 'Quién la toma: aleatorio, uno por asignación / Who takes it: random, one for each assignment',
    kind            LowCardinality(String) COMMENT 'claim: toma de la época; flush: la última escritura anunciada / claim: the epoch is taken; flush: the latest flush announced',
    flush           UInt64                 COMMENT 'Número de la escritura en la época / Number of the flush in the epoch',
    topics          Array(LowCardinality(String)) COMMENT 'Temas / Topics',
    next_offsets    Array(UInt64)          COMMENT 'Posición de cada tema tras la escritura / Offset of each topic after the flush',
    consumer        LowCardinality(String) COMMENT 'Proceso consumidor / Consumer process',
    claimed_at      DateTime64(3, 'America/Tegucigalpa') COMMENT 'Cuándo / When'
)
ENGINE = ReplacingMergeTree(flush)
ORDER BY (kafka_partition, epoch, claim, kind)
COMMENT 'Quién cuenta cada partición y qué escritura anunció / Who counts each partition, and which flush was announced';
