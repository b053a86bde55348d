-- A dead letter that was sent again, once or more often, is one record at several offsets. It is accounted for as what it
-- became; here stands where it was read first, and each offset to which it was sent again.

CREATE TABLE IF NOT EXISTS retorno.redriven
(
    topic           LowCardinality(String) COMMENT 'Tema de Kafka del mensaje apartado / Kafka topic of the message that was set aside',
    kafka_partition UInt16                 COMMENT 'Su partición / Its partition',
    kafka_offset    UInt64                 COMMENT 'Posición en que se leyó primero: allí no se cuenta más / Offset at which it was read first: it is accounted for there no longer',
    again           UInt64                 COMMENT 'Posición a la que se envió de nuevo / Offset to which it was sent again',
    account         LowCardinality(String) COMMENT 'En qué cuenta terminó allí / Account in which it ended there'
)
ENGINE = ReplacingMergeTree
ORDER BY (topic, kafka_partition, kafka_offset, again)
COMMENT 'Mensajes apartados que se enviaron de nuevo / Dead letters that were sent again';
