-- Anybody can write a header that says where a message was read first. Each message that is set aside leaves a row of its
-- own here (again = kafka_offset), and a later one is its copy only if it has the same content.

ALTER TABLE retorno.redriven
    ADD COLUMN IF NOT EXISTS content UInt64 COMMENT 'xxHash64 de la clave y del valor; 0: no se sabe / xxHash64 of key and value; 0: not known',
    MODIFY COLUMN kafka_offset UInt64 COMMENT 'Posición en que se leyó primero, según dice su cabecera / Offset at which it was read first, as its header says',
    MODIFY COLUMN again UInt64 COMMENT 'Posición en que se leyó de nuevo; la misma: se apartó allí / Offset at which it was read again; the same one: it was set aside there',
    MODIFY COMMENT 'Mensajes que se apartaron, y los que dicen ser uno de ellos enviado de nuevo / Messages that were set aside, and those that say they are one of them sent again';

ALTER TABLE retorno.ledger
    MODIFY COLUMN redriven UInt64 COMMENT 'Posiciones de estas con fila en retorno.redriven / Of these offsets, those with a row in retorno.redriven';
