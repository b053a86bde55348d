-- The pipeline's own tables. Nothing is updated in place: a row is replaced by one of the same sorting key with a
-- larger version. Every partition key is a function of the sorting key, because ClickHouse replaces only inside a
-- partition: a UUIDv7 holds the time it was made. What a consumer takes over is one range of the sorting key, because
-- the Kafka partition leads it: everything about a person meets in one.
--
-- Each flush makes a part of each table, and merging is most of what they cost: a merge waits for about ten parts of a
-- size instead of five, so that a row is written anew less often.

CREATE DATABASE IF NOT EXISTS retorno;

CREATE TABLE IF NOT EXISTS retorno.facts
(
    person                   UUID                   COMMENT 'Clave bajo la que se reúnen los hechos de una persona: seudónimo, o id del registro si no hay documento / Key under which the facts of one person meet: pseudonym, or a record id where there is no document',
    record_id                UUID                   COMMENT 'Identificador del registro (UUIDv7) dado por su fuente / Record id (UUIDv7) given by its source',
    version                  UInt64                 COMMENT 'revisión x 2^40 + resumen del contenido (39 bits) x 2 + no futuro: gana la mayor / revision x 2^40 + content hash (39 bits) x 2 + not future: the largest wins',
    revision                 UInt32                 COMMENT 'Revisión: 1, 2, 3 … / Revision: 1, 2, 3 …',
    content_hash             UInt64                 COMMENT 'xxHash64 de los bytes del registro / xxHash64 of the bytes of the record',
    void_reason              LowCardinality(String) COMMENT 'Motivo de anulación; vacío: vigente / Reason why it is void; empty: it holds',
    future                   UInt8                  COMMENT '1: ocurre más de una hora después de su envío; se retiene y no se cuenta / 1: it lies more than an hour after it was sent; held and not counted',
    kind                     LowCardinality(String) COMMENT 'crossing, registration o assistance / crossing, registration or assistance',
    person_known             UInt8                  COMMENT '1: hay seudónimo de persona / 1: there is a person key',
    source_id                LowCardinality(String) COMMENT 'Computadora que hizo el registro / Computer that made the record',
    source_seq               UInt64                 COMMENT 'Número corrido de la fuente, sin huecos / Gap-free number of the source',
    event_time               DateTime64(3, 'America/Tegucigalpa') COMMENT 'Cuándo ocurrió, según la fuente / When it happened, by the source',
    recorded_time            DateTime64(3, 'America/Tegucigalpa') COMMENT 'Cuándo se registró esta revisión / When this revision was recorded',
    sent_at                  DateTime64(3, 'America/Tegucigalpa') COMMENT 'Cuándo se envió la copia guardada, hora del corredor / When the copy that is kept was sent, broker time',
    arrival                  DateTime64(3, 'America/Tegucigalpa') COMMENT 'Llegada según el método: hora en el puesto, llegada declarada o registro / Arrival by the method: time at the post, arrival stated, or registration',
    direction                LowCardinality(String) COMMENT 'Sentido del cruce / Direction of the crossing',
    border_point             LowCardinality(String) COMMENT 'Punto fronterizo del cruce / Border point of the crossing',
    returned                 UInt8                  COMMENT '1: entrada marcada como retorno / 1: entry marked as a return',
    category                 LowCardinality(String) COMMENT 'Categoría del cruce / Category of the crossing',
    document_check           LowCardinality(String) COMMENT 'Control del documento / Document check',
    sex                      LowCardinality(String) COMMENT 'Sexo / Sex',
    age                      Nullable(UInt8)        COMMENT 'Edad en años cumplidos / Age in completed years',
    nationality              LowCardinality(String) COMMENT 'Nacionalidad, ISO 3166-1 / Nationality, ISO 3166-1',
    country                  LowCardinality(String) COMMENT 'País de retorno, ISO 3166-1 / Country of return, ISO 3166-1',
    mode                     LowCardinality(String) COMMENT 'Vía de retorno / Mode of return',
    return_type              LowCardinality(String) COMMENT 'Tipo de retorno / Type of return',
    centre                   LowCardinality(String) COMMENT 'Centro / Centre',
    entry_point              LowCardinality(String) COMMENT 'Por dónde volvió a entrar / Where the person came back in',
    exit_point               LowCardinality(String) COMMENT 'Por dónde salió de Honduras, según declara / Where the person says they left Honduras',
    programme                LowCardinality(String) COMMENT 'Programa / Programme',
    department               LowCardinality(String) COMMENT 'Departamento de origen, ISO 3166-2 / Department of origin, ISO 3166-2',
    municipality             LowCardinality(String) COMMENT 'Municipio de origen, INE / Municipality of origin, INE',
    destination_department   LowCardinality(String) COMMENT 'Departamento al que va / Department of destination',
    destination_municipality LowCardinality(String) COMMENT 'Municipio al que va / Municipality of destination',
    accompanied              LowCardinality(String) COMMENT 'Acompañamiento de menores / Accompaniment of minors',
    travel_company           LowCardinality(String) COMMENT 'Con quién viajó / Travel company',
    reasons                  Array(LowCardinality(String)) COMMENT 'Motivos de salida / Reasons for leaving',
    intended_country         LowCardinality(String) COMMENT 'País al que se dirigía / Intended country',
    displaced_by_violence    LowCardinality(String) COMMENT 'Desplazamiento por violencia / Displaced by violence',
    intends_to_migrate_again LowCardinality(String) COMMENT 'Intención de migrar de nuevo / Intends to migrate again',
    education                LowCardinality(String) COMMENT 'Nivel educativo, CINE 2011 / Education, ISCED 2011',
    occupation               LowCardinality(String) COMMENT 'Ocupación, CIUO-08 / Occupation, ISCO-08',
    assistance_kind          LowCardinality(String) COMMENT 'Tipo de asistencia / Kind of assistance',
    registration_id          UUID                   COMMENT 'Registro bajo el que se dio la asistencia; ceros: ninguno / Registration under which help was given; zeros: none',
    topic                    LowCardinality(String) COMMENT 'Tema de Kafka de donde se leyó / Kafka topic it was read from',
    kafka_partition          UInt16                 COMMENT 'Partición de Kafka / Kafka partition',
    kafka_offset             UInt64                 COMMENT 'Posición en la partición / Offset in the partition'
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYear(UUIDv7ToDateTime(record_id, 'UTC'))
ORDER BY (kafka_partition, person, record_id)
SETTINGS min_bytes_for_wide_part = 268435456, merge_selector_base = 10
COMMENT 'Hechos: la última revisión de cada registro, sin identidad / Facts: the latest revision of each record, de-identified';

CREATE TABLE IF NOT EXISTS retorno.returns
(
    return_id       UUID                   COMMENT 'Identificador del retorno: el del primer hecho que lo forma / Return id: the record id of its first fact',
    version         UInt64                 COMMENT 'época x 2^40 + número de escritura: gana la mayor / epoch x 2^40 + number of the write: the largest wins',
    is_deleted      UInt8                  COMMENT '1: este retorno ya no existe / 1: this return is no more',
    person          UUID                   COMMENT 'Clave de persona / Person key',
    method_version  UInt8                  COMMENT 'Versión del método / Version of the method',
    day             Date                   COMMENT 'Día de llegada, fecha local / Day of arrival, local date',
    arrival         DateTime64(3, 'America/Tegucigalpa') COMMENT 'Llegada del primer hecho / Arrival of the first fact',
    route           LowCardinality(String) COMMENT 'Ruta: país de retorno y vía / Route: country of return and mode',
    country         LowCardinality(String) COMMENT 'País de retorno / Country of return',
    mode            LowCardinality(String) COMMENT 'Vía de retorno / Mode of return',
    return_type     LowCardinality(String) COMMENT 'Tipo de retorno / Type of return',
    entry_point     LowCardinality(String) COMMENT 'Punto de entrada / Entry point',
    exit_point      LowCardinality(String) COMMENT 'Punto de salida declarado / Exit point as stated',
    centre          LowCardinality(String) COMMENT 'Centro que lo registró / Centre that registered it',
    department      LowCardinality(String) COMMENT 'Departamento de origen / Department of origin',
    municipality    LowCardinality(String) COMMENT 'Municipio de origen / Municipality of origin',
    sex             LowCardinality(String) COMMENT 'Sexo / Sex',
    age             Nullable(UInt8)        COMMENT 'Edad en años cumplidos; nulo: no declarada / Age in completed years; null: not stated',
    age_group       LowCardinality(String) COMMENT 'Grupo de edad / Age group',
    accompanied     LowCardinality(String) COMMENT 'Acompañamiento / Accompaniment',
    reasons         Array(LowCardinality(String)) COMMENT 'Motivos; unknown: no declarados / Reasons; unknown: not stated',
    nationality     LowCardinality(String) COMMENT 'Nacionalidad / Nationality',
    national        UInt8                  COMMENT '1: nacionalidad hondureña o no declarada / 1: nationality Honduran or not stated',
    registered      UInt8                  COMMENT '1: tiene registro en un centro / 1: holds a registration',
    checkpoint      UInt8                  COMMENT '1: tiene cruce de retorno / 1: holds a return crossing',
    kafka_partition UInt16                 COMMENT 'Partición de Kafka que lo cuenta / Kafka partition that counts it'
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYear(UUIDv7ToDateTime(return_id, 'UTC'))
ORDER BY (kafka_partition, return_id, person)
SETTINGS min_bytes_for_wide_part = 134217728, merge_selector_base = 10
COMMENT 'Retornos: una fila por cada llegada de una persona retornada / Returns: one row for each arrival of a returned person';

CREATE TABLE IF NOT EXISTS retorno.return_counts
(
    day             Date                   COMMENT 'Día de llegada, fecha local / Day of arrival, local date',
    route           LowCardinality(String) COMMENT 'Ruta / Route',
    return_type     LowCardinality(String) COMMENT 'Tipo de retorno / Type of return',
    entry_point     LowCardinality(String) COMMENT 'Punto de entrada / Entry point',
    exit_point      LowCardinality(String) COMMENT 'Punto de salida / Exit point',
    centre          LowCardinality(String) COMMENT 'Centro / Centre',
    sex             LowCardinality(String) COMMENT 'Sexo / Sex',
    age_group       LowCardinality(String) COMMENT 'Grupo de edad / Age group',
    kafka_partition UInt16                 COMMENT 'Partición de Kafka que cuenta / Kafka partition that counts',
    country         LowCardinality(String) COMMENT 'País de retorno / Country of return',
    mode            LowCardinality(String) COMMENT 'Vía de retorno / Mode of return',
    registered      UInt64                 COMMENT 'Retornos registrados en un centro / Returns registered at a centre',
    checkpoint      UInt64                 COMMENT 'Retornos vistos en un puesto / Returns seen at a checkpoint',
    reconciled      UInt64                 COMMENT 'Retornos en total / Returns in all',
    version         UInt64                 COMMENT 'época x 2^40 + número de escritura / epoch x 2^40 + number of the write',
    is_deleted      UInt8                  COMMENT '1: la celda quedó en cero / 1: the cell has come to zero',
    -- The periods as ceniss.return_counts spells them, word for word, so that asking for one reads its days alone.
    INDEX by_month formatDateTime(day, '%Y-%m') TYPE minmax,
    INDEX by_quarter concat(toString(toYear(day)), '-Q', toString(toQuarter(day))) TYPE minmax,
    INDEX by_half_year concat(toString(toYear(day)), if(toMonth(day) <= 6, '-S1', '-S2')) TYPE minmax
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYear(day)
ORDER BY (kafka_partition, day, route, return_type, entry_point, exit_point, centre, sex, age_group)
SETTINGS merge_selector_base = 10
COMMENT 'Conteos absolutos de retornos de nacionales / Absolute counts of returns of nationals';

CREATE TABLE IF NOT EXISTS retorno.assistance
(
    record_id       UUID                   COMMENT 'Identificador del registro de ayuda / Record id of the help',
    version         UInt64                 COMMENT 'época x 2^40 + número de escritura / epoch x 2^40 + number of the write',
    is_deleted      UInt8                  COMMENT '1: esta ayuda ya no cuenta / 1: this help no longer counts',
    person          UUID                   COMMENT 'Clave de persona / Person key',
    return_id       UUID                   COMMENT 'Retorno al que pertenece; ceros: ninguno / Return it belongs to; zeros: none',
    day             Date                   COMMENT 'Día de la ayuda, fecha local / Day of the help, local date',
    centre          LowCardinality(String) COMMENT 'Centro / Centre',
    kind            LowCardinality(String) COMMENT 'Tipo de asistencia / Kind of assistance',
    sex             LowCardinality(String) COMMENT 'Sexo según el retorno / Sex as in the return',
    age_group       LowCardinality(String) COMMENT 'Grupo de edad según el retorno / Age group as in the return',
    kafka_partition UInt16                 COMMENT 'Partición de Kafka / Kafka partition'
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYear(UUIDv7ToDateTime(record_id, 'UTC'))
ORDER BY (kafka_partition, record_id, person)
SETTINGS merge_selector_base = 10
COMMENT 'Ayudas dadas, con el retorno al que pertenecen / Helps given, with the return they belong to';

CREATE TABLE IF NOT EXISTS retorno.assistance_counts
(
    day             Date                   COMMENT 'Día de la ayuda, fecha local / Day of the help, local date',
    centre          LowCardinality(String) COMMENT 'Centro / Centre',
    kind            LowCardinality(String) COMMENT 'Tipo de asistencia / Kind of assistance',
    sex             LowCardinality(String) COMMENT 'Sexo / Sex',
    age_group       LowCardinality(String) COMMENT 'Grupo de edad / Age group',
    kafka_partition UInt16                 COMMENT 'Partición de Kafka que cuenta / Kafka partition that counts',
    helps           UInt64                 COMMENT 'Ayudas dadas / Helps given',
    version         UInt64                 COMMENT 'época x 2^40 + número de escritura / epoch x 2^40 + number of the write',
    is_deleted      UInt8                  COMMENT '1: la celda quedó en cero / 1: the cell has come to zero'
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYear(day)
ORDER BY (kafka_partition, day, centre, kind, sex, age_group)
SETTINGS merge_selector_base = 10
COMMENT 'Conteos absolutos de ayudas / Absolute counts of helps';

CREATE TABLE IF NOT EXISTS retorno.crossing_counts
(
    day             Date                   COMMENT 'Día del cruce, fecha local / Day of the crossing, local date',
    border_point    LowCardinality(String) COMMENT 'Punto fronterizo / Border point',
    direction       LowCardinality(String) COMMENT 'Sentido / Direction',
    document_check  LowCardinality(String) COMMENT 'Control del documento / Document check',
    kafka_partition UInt16                 COMMENT 'Partición de Kafka que cuenta / Kafka partition that counts',
    crossings       UInt64                 COMMENT 'Cruces / Crossings',
    version         UInt64                 COMMENT 'época x 2^40 + número de escritura / epoch x 2^40 + number of the write',
    is_deleted      UInt8                  COMMENT '1: la celda quedó en cero / 1: the cell has come to zero'
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYear(day)
ORDER BY (kafka_partition, day, border_point, direction, document_check)
SETTINGS merge_selector_base = 10
COMMENT 'Conteos absolutos de cruces / Absolute counts of crossings';

CREATE TABLE IF NOT EXISTS retorno.source_records
(
    source_id       LowCardinality(String) COMMENT 'Computadora que hace registros / Computer that makes records',
    source_seq      UInt64                 COMMENT 'Número corrido de la fuente / Number given by the source',
    sent_at         DateTime64(3, 'America/Tegucigalpa') COMMENT 'Último envío visto de este número / Latest sending of this number that was seen',
    clock_offset_ms Int64                  COMMENT 'Adelanto del reloj de la fuente entonces, ms / How far the clock of the source was ahead then, ms'
)
ENGINE = ReplacingMergeTree(sent_at)
ORDER BY (source_id, source_seq)
SETTINGS merge_selector_base = 10
COMMENT 'Qué números de cada fuente han llegado / Which numbers of each source have arrived';

CREATE TABLE IF NOT EXISTS retorno.ledger
(
    topic           LowCardinality(String) COMMENT 'Tema de Kafka / Kafka topic',
    kafka_partition UInt16                 COMMENT 'Partición / Partition',
    epoch           UInt32                 COMMENT 'Época de quien leyó / Epoch of the claim that read',
    first_offset    UInt64                 COMMENT 'Primera posición leída / First offset read',
    next_offset     UInt64                 COMMENT 'Posición que sigue a la última leída / Offset after the last one read',
    last_print      UInt64                 COMMENT 'Huella del último registro leído; 0: no se conoce / Fingerprint of the last record read; 0: not known',
    read            UInt64                 COMMENT 'Leídos / Read',
    accepted        UInt64                 COMMENT 'Aceptados / Accepted',
    duplicate       UInt64                 COMMENT 'Duplicados / Duplicate',
    superseded      UInt64                 COMMENT 'Sustituidos por una revisión mayor ya conocida / Superseded by a higher revision already known',
    rejected        UInt64                 COMMENT 'Rechazados / Rejected',
    consumer        LowCardinality(String) COMMENT 'Proceso consumidor / Consumer process',
    flushed_at      DateTime64(3, 'America/Tegucigalpa') COMMENT 'Cuándo se escribió / When it was written'
)
ENGINE = ReplacingMergeTree(next_offset)
ORDER BY (topic, kafka_partition, epoch, first_offset)
COMMENT 'Libro de cuentas: posiciones y cuentas de cada escritura / Ledger: offsets and accounts of each flush';

CREATE TABLE IF NOT EXISTS retorno.codes
(
    list       LowCardinality(String) COMMENT 'Lista de códigos / Code list',
    code       String                 COMMENT 'Código / Code',
    label_es   String                 COMMENT 'Nombre en español / Label in Spanish',
    label_en   String                 COMMENT 'Nombre en inglés / Label in English',
    valid_from Nullable(Date)         COMMENT 'Válido desde; nulo: siempre / Valid from; null: always',
    valid_to   Nullable(Date)         COMMENT 'Válido hasta; nulo: sin fin / Valid to; null: open',
    version    UInt64                 COMMENT 'Versión de la fila / Version of the row'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (list, code)
COMMENT 'Listas de códigos / Code lists';
