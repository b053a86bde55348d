-- Each row of the ledger says what its flush must have left behind, so that a takeover believes only what adds up.
--
-- Facts are kept revision by revision: a row lies at the place in Kafka where its record was read, so that the rows of a
-- range of offsets are always the records accepted there, however many revisions came later.

ALTER TABLE retorno.facts
    ADD COLUMN IF NOT EXISTS place UInt64 COMMENT 'Lugar en Kafka: registro (15 bits), tema (1 bit), posición (48 bits) / Place in Kafka: log (15 bits), topic (1 bit), offset (48 bits)',
    MODIFY ORDER BY (kafka_partition, person, record_id, place),
    MODIFY COMMENT 'Hechos: cada revisión aceptada de cada registro, sin identidad; la vigente es la de mayor version / Facts: each accepted revision of each record, de-identified; the one of the largest version holds';

-- Each copy of a numbered record that was read, by its place in Kafka.
CREATE TABLE IF NOT EXISTS retorno.sendings
(
    kafka_partition UInt16                 COMMENT 'Partición de Kafka en que se leyó; 65535: no se sabe / Kafka partition in which it was read; 65535: not known',
    place           UInt64                 COMMENT 'Lugar en Kafka, como en retorno.facts / Place in Kafka, as in retorno.facts',
    source_id       LowCardinality(String) COMMENT 'Computadora que hace registros / Computer that makes records',
    source_seq      UInt64                 COMMENT 'Número corrido de la fuente / Number given by the source',
    sent_at         DateTime64(3, 'America/Tegucigalpa') COMMENT 'Cuándo se envió esta copia / When this copy was sent',
    clock_offset_ms Int64                  COMMENT 'Adelanto del reloj de la fuente entonces, ms / How far the clock of the source was ahead then, ms'
)
ENGINE = ReplacingMergeTree
ORDER BY (kafka_partition, place)
SETTINGS merge_selector_base = 10
COMMENT 'Qué copias de los números de cada fuente han llegado / Which copies of the numbers of each source have arrived';

-- If this step was broken off after the table was dropped, it is run again with an empty one.
CREATE TABLE IF NOT EXISTS retorno.source_records
(
    source_id       LowCardinality(String) COMMENT 'Como en retorno.sendings / As in retorno.sendings',
    source_seq      UInt64                 COMMENT 'Como en retorno.sendings / As in retorno.sendings',
    sent_at         DateTime64(3, 'America/Tegucigalpa') COMMENT 'Como en retorno.sendings / As in retorno.sendings',
    clock_offset_ms Int64                  COMMENT 'Como en retorno.sendings / As in retorno.sendings'
)
ENGINE = ReplacingMergeTree(sent_at)
ORDER BY (source_id, source_seq)
COMMENT 'Lo que retorno.sendings reemplaza / What retorno.sendings replaces';

INSERT INTO retorno.sendings SELECT 65535, cityHash64(source_id, source_seq), source_id, source_seq, sent_at, clock_offset_ms FROM retorno.source_records FINAL;

DROP TABLE retorno.source_records;

ALTER TABLE retorno.redriven
    ADD COLUMN IF NOT EXISTS read_partition UInt16 DEFAULT kafka_partition COMMENT 'Partición en que se leyó de nuevo / Partition in which it was read again',
    ADD COLUMN IF NOT EXISTS place UInt64 COMMENT 'Lugar en Kafka en que se leyó de nuevo, como en retorno.facts / Place in Kafka at which it was read again, as in retorno.facts';

ALTER TABLE retorno.ledger
    ADD COLUMN IF NOT EXISTS log UInt16 COMMENT 'Registro: 0, o el número de veces que se aceptó el tema como hecho de nuevo / Log: 0, or how many times the topic was accepted as made again',
    ADD COLUMN IF NOT EXISTS control UInt64 COMMENT 'Posiciones sin registro: marcas de transacción y transacciones anuladas / Offsets without a record: transaction markers and aborted transactions',
    ADD COLUMN IF NOT EXISTS lost UInt64 COMMENT 'Posiciones dadas por perdidas por decisión anotada / Offsets given up by a recorded decision',
    ADD COLUMN IF NOT EXISTS bound UInt8 COMMENT '1: las tres columnas siguientes dicen lo que la escritura dejó / 1: the three columns that follow say what the flush left behind',
    ADD COLUMN IF NOT EXISTS facts_sum UInt64 COMMENT 'Suma de control de las filas de retorno.facts de estas posiciones; son accepted filas / Checksum of the rows of retorno.facts of these offsets; they are accepted rows',
    ADD COLUMN IF NOT EXISTS sendings UInt64 COMMENT 'Filas de retorno.sendings de estas posiciones / Rows of retorno.sendings of these offsets',
    ADD COLUMN IF NOT EXISTS redriven UInt64 COMMENT 'Filas de retorno.redriven de estas posiciones / Rows of retorno.redriven of these offsets',
    MODIFY ORDER BY (topic, kafka_partition, epoch, first_offset, log);

ALTER TABLE retorno.claims
    ADD COLUMN IF NOT EXISTS logs Array(UInt16) COMMENT 'Registro de cada tema / Log of each topic';

-- From where each epoch has read. The ledger sums up what lies before, and so does not tell.
CREATE TABLE IF NOT EXISTS retorno.takeovers
(
    kafka_partition UInt16                 COMMENT 'Partición de Kafka / Kafka partition',
    epoch           UInt32                 COMMENT 'Época / Epoch',
    claim           UUID                   COMMENT 'Quién la tomó, como en retorno.claims / Who took it, as in retorno.claims',
    topic           LowCardinality(String) COMMENT 'Tema / Topic',
    log             UInt16                 COMMENT 'Registro / Log',
    read_from       UInt64                 COMMENT 'Desde qué posición leyó / Offset from which it read',
    consumer        LowCardinality(String) COMMENT 'Proceso consumidor / Consumer process',
    taken_at        DateTime64(3, 'America/Tegucigalpa') COMMENT 'Cuándo / When'
)
ENGINE = ReplacingMergeTree
ORDER BY (kafka_partition, epoch, claim, topic)
COMMENT 'Quién tomó cada partición y desde dónde leyó / Who took over each partition and from where it read';

-- What cannot be counted again from Kafka must survive a power cut of the host.
ALTER TABLE retorno.published_counts MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1;

ALTER TABLE retorno.publications MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1;
