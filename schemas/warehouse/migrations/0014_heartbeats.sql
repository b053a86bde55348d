-- What the computers at posts and centres last said of themselves. The later one holds, by time and then by number: any number of
-- consumers may write the same heartbeats in any order.

CREATE TABLE IF NOT EXISTS retorno.heartbeats
(
    source_id       String                 COMMENT 'Computadora / Computer',
    at              DateTime64(3, 'America/Tegucigalpa') COMMENT 'Cuándo se hizo, hora del servidor según la computadora / When it was made, broker time as the computer knows it',
    last_seq        UInt64                 COMMENT 'Último número que dio / Last number that it gave',
    place           UInt128 MATERIALIZED bitShiftLeft(toUInt128(toUnixTimestamp64Milli(at)), 64) + last_seq COMMENT 'Vale el mayor / The largest holds',
    run             String                 COMMENT 'Arranque del agente / Run of the agent',
    unsent          UInt64                 COMMENT 'Números que ningún servidor había confirmado / Numbers that no broker had acknowledged',
    oldest_unsent   Nullable(DateTime64(3, 'America/Tegucigalpa')) COMMENT 'Cuándo se guardó el primero de esos / When the first of those was saved',
    clock_offset_ms Nullable(Int64)        COMMENT 'Adelanto de su reloj, ms; nulo: no lo sabe / How far its clock was ahead, ms; null: it does not know',
    disk_free       UInt64                 COMMENT 'Espacio libre, bytes / Free space, bytes',
    disk_low        UInt8                  COMMENT '1: queda poco / 1: little is left',
    damaged         UInt32                 COMMENT 'Lugares dañados de su carpeta / Damaged places of its folder',
    version         String                 COMMENT 'Versión del programa / Version of the program',
    secrets         Map(String, String)    COMMENT 'Huellas de las claves de identidad por su primer día / Fingerprints of the identity secrets by their first day',
    lists           String                 COMMENT 'Huella de las listas de códigos / Fingerprint of the code lists',
    forms_missing   UInt32                 COMMENT 'Formularios de papel que faltan / Paper forms that are missing',
    documents_met   UInt32                 COMMENT 'Registros de este arranque con un documento que se sabía falso o robado / Records of this run whose document was known to be false or stolen',
    stopped         String                 COMMENT 'Por qué no envía; vacío: envía / Why it does not send; empty: it does'
)
ENGINE = ReplacingMergeTree(place)
ORDER BY source_id
COMMENT 'El último latido de cada computadora / The latest heartbeat of each computer';
