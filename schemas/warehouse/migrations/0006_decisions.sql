-- A partition that has stopped waits for a decision of a person. Both are kept: the stop as consumers see it, and the
-- decision with who made it and why, for ever.

CREATE TABLE IF NOT EXISTS retorno.stops
(
    kafka_partition UInt16                 COMMENT 'Partición de Kafka / Kafka partition',
    topic           LowCardinality(String) COMMENT 'Tema; vacío: todos / Topic; empty: all of them',
    reason          LowCardinality(String) COMMENT 'Motivo, como en retorno_stream_stopped / Reason, as in retorno_stream_stopped',
    detail          String                 COMMENT 'Explicación / Explanation',
    position        UInt64                 COMMENT 'Posición en que se detuvo: la siguiente por leer / Offset at which it stopped: the next one to read',
    found           Int64                  COMMENT 'Siguiente posición que se puede leer; -1: no se sabe / Next offset that can be read; -1: not known',
    since           DateTime64(3, 'America/Tegucigalpa') COMMENT 'Desde cuándo / Since when',
    cleared         UInt8                  COMMENT '1: ya no está detenida / 1: it has stopped no longer',
    consumer        LowCardinality(String) COMMENT 'Proceso que lo vio / Process that saw it',
    seen_at         DateTime64(3, 'America/Tegucigalpa') COMMENT 'Cuándo se anotó / When it was written down'
)
ENGINE = ReplacingMergeTree(seen_at)
ORDER BY (kafka_partition, topic)
COMMENT 'Particiones que se detuvieron / Partitions that have stopped';

CREATE TABLE IF NOT EXISTS retorno.decisions
(
    id              UUID                   COMMENT 'Decisión / Decision',
    kafka_partition UInt16                 COMMENT 'Partición de Kafka / Kafka partition',
    topic           LowCardinality(String) COMMENT 'Tema / Topic',
    log             UInt16                 COMMENT 'Registro / Log',
    position        UInt64                 COMMENT 'Posición en que estaba detenida / Offset at which it had stopped',
    action          LowCardinality(String) COMMENT 'skip: se sigue en to_offset; new_log: el tema hecho de nuevo se lee desde su comienzo / skip: reading goes on at to_offset; new_log: the topic made again is read from its begin',
    to_offset       UInt64                 COMMENT 'Dónde se sigue / Where reading goes on',
    who             String                 COMMENT 'Quién decidió / Who decided',
    why             String                 COMMENT 'Por qué / Why',
    decided_at      DateTime64(3, 'America/Tegucigalpa') COMMENT 'Cuándo / When'
)
ENGINE = MergeTree
ORDER BY (kafka_partition, topic, log, position, decided_at, id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Decisiones sobre particiones detenidas; nunca cambian / Decisions about partitions that had stopped; they never change';
