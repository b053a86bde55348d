-- A message that stood in another partition than its key's is sent again to its key's partition: two rows of the same numbers
-- are then two places.

ALTER TABLE retorno.redriven
    ADD COLUMN IF NOT EXISTS elsewhere UInt16 COMMENT 'Partición en que se leyó de nuevo, más 1, si no es la misma; si no, 0 / Partition in which it was read again, plus 1, if it is another one; else 0',
    MODIFY ORDER BY (topic, kafka_partition, kafka_offset, again, elsewhere);
