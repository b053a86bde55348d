-- A dead letter that was sent again is one record at two offsets. It is accounted for as what it became; here stands
-- which offset is the earlier one.

CREATE TABLE IF NOT EXISTS retorno.redriven
(
    topic           LowCardinality(String) COMMENT 'Tema de Kafka del mensaje apartado / Kafka topic of the message that was set aside',
    kafka_partition UInt16                 COMMENT 'Su partición / Its partition',
    kafka_offset    UInt64                 COMMENT 'Su posición: allí no se cuenta más / Its offset: it is accounted for there no longer',
    again           UInt64                 COMMENT 'Posición a la que se envió de nuevo / Offset to which it was sent again',
    account         LowCardinality(String) COMMENT 'En qué cuenta terminó allí / Account in which it ended there'
)
ENGINE = ReplacingMergeTree
ORDER BY (topic, kafka_partition, kafka_offset, again)
COMMENT 'Mensajes apartados que se enviaron de nuevo / Dead letters that were sent again';
