-- What people read: database ceniss. FINAL, labels and periods stand inside, so that any GROUP BY is right.
-- They read the pipeline's tables with the rights of whoever migrates, so that a role needs none but on ceniss.
-- Replaced as a whole at every migration (CREATE OR REPLACE keeps the old view until the new one stands).

CREATE DATABASE IF NOT EXISTS ceniss;

CREATE OR REPLACE DICTIONARY retorno.labels
(
    list     String,
    code     String,
    label_es String,
    label_en String
)
PRIMARY KEY list, code
SOURCE(CLICKHOUSE(DB 'retorno' TABLE 'codes'))
LAYOUT(COMPLEX_KEY_HASHED())
LIFETIME(MIN 0 MAX 300)
COMMENT 'Nombres de los códigos / Labels of the codes';

CREATE OR REPLACE VIEW ceniss.returns
(
    return_id UUID COMMENT 'Identificador del retorno / Return id',
    person UUID COMMENT 'Seudónimo de la persona / Pseudonym of the person',
    {{periodColumns}},
    route String COMMENT 'Ruta: país de retorno y vía / Route: country of return and mode',
    country String COMMENT 'País de retorno, ISO 3166-1; XX: desconocido / Country of return, ISO 3166-1; XX: unknown',
    mode String COMMENT 'Vía: air, land, sea, unknown / Mode: air, land, sea, unknown',
    return_type String COMMENT 'Tipo: deported, assisted, voluntary, unknown / Type: deported, assisted, voluntary, unknown',
    entry_point String COMMENT 'Punto por donde volvió a entrar / Point where the person came back in',
    exit_point String COMMENT 'Punto por donde dice que salió / Point where the person says they left',
    centre String COMMENT 'Centro que lo registró; X-NON: no registrado / Centre that registered it; X-NON: not registered',
    department String COMMENT 'Departamento de origen, ISO 3166-2 / Department of origin, ISO 3166-2',
    municipality String COMMENT 'Municipio de origen, INE / Municipality of origin, INE',
    sex String COMMENT 'Sexo: M, F, U / Sex: M, F, U',
    age Nullable(UInt8) COMMENT 'Edad en años cumplidos; nulo: no declarada / Age in completed years; null: not stated',
    age_group String COMMENT 'Grupo de edad / Age group',
    accompanied String COMMENT 'Acompañamiento: accompanied, unaccompanied, unknown / Accompaniment: accompanied, unaccompanied, unknown',
    reasons Array(String) COMMENT 'Motivos de salida, respuesta múltiple / Reasons for leaving, multiple response',
    nationality String COMMENT 'Nacionalidad, ISO 3166-1 / Nationality, ISO 3166-1',
    registered UInt8 COMMENT '1: registrado en un centro / 1: registered at a centre',
    checkpoint UInt8 COMMENT '1: visto entrar en un puesto / 1: seen entering at a checkpoint',
    method_version UInt8 COMMENT 'Versión del método que lo formó / Version of the method that made it',
    {{labelColumns "route" "country" "entry_point" "exit_point" "centre" "department" "municipality"}}
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT return_id, person, {{periods "day"}},
    route, country, mode, return_type, entry_point, exit_point, centre, department, municipality, sex, age, age_group,
    accompanied, reasons, nationality, registered, checkpoint, method_version,
    {{labels "route" "route" "country" "country" "entry_point" "border_point" "exit_point" "border_point" "centre" "centre" "department" "department" "municipality" "municipality"}}
FROM retorno.returns FINAL
WHERE national = 1
COMMENT 'Una fila por retorno de una persona hondureña o de nacionalidad no declarada / One row for each return of a person of Honduran or unstated nationality';

CREATE OR REPLACE VIEW ceniss.return_counts
(
    {{periodColumns}},
    route String COMMENT 'Ruta: país de retorno y vía / Route: country of return and mode',
    country String COMMENT 'País de retorno / Country of return',
    mode String COMMENT 'Vía / Mode',
    return_type String COMMENT 'Tipo de retorno / Type of return',
    entry_point String COMMENT 'Punto de entrada / Entry point',
    exit_point String COMMENT 'Punto de salida declarado / Exit point as stated',
    centre String COMMENT 'Centro / Centre',
    sex String COMMENT 'Sexo / Sex',
    age_group String COMMENT 'Grupo de edad / Age group',
    registered UInt64 COMMENT 'Retornos registrados en un centro (lo que CENISS publica) / Returns registered at a centre (what CENISS publishes)',
    checkpoint UInt64 COMMENT 'Retornos vistos en un puesto / Returns seen at a checkpoint',
    reconciled UInt64 COMMENT 'Retornos en total; cobertura: registered entre reconciled / Returns in all; coverage: registered over reconciled',
    {{labelColumns "route" "country" "entry_point" "exit_point" "centre"}}
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT {{periods "day"}},
    route, country, mode, return_type, entry_point, exit_point, centre, sex, age_group, registered, checkpoint, reconciled,
    {{labels "route" "route" "country" "country" "entry_point" "border_point" "exit_point" "border_point" "centre" "centre"}}
FROM retorno.return_counts FINAL
COMMENT 'Conteos de retornos: sumables por cualquier columna / Counts of returns: additive by any column';

CREATE OR REPLACE VIEW ceniss.assistance_counts
(
    {{periodColumns}},
    centre String COMMENT 'Centro / Centre',
    kind String COMMENT 'Tipo de asistencia / Kind of assistance',
    sex String COMMENT 'Sexo / Sex',
    age_group String COMMENT 'Grupo de edad / Age group',
    helps UInt64 COMMENT 'Ayudas dadas (no personas) / Helps given (not people)',
    {{labelColumns "centre" "kind"}}
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT {{periods "day"}}, centre, kind, sex, age_group, helps,
    {{labels "centre" "centre" "kind" "assistance_kind"}}
FROM retorno.assistance_counts FINAL
COMMENT 'Conteos de ayudas / Counts of helps';

CREATE OR REPLACE VIEW ceniss.assisted
(
    person UUID COMMENT 'Seudónimo; cuente distintos con uniqExact / Pseudonym; count distinct ones with uniqExact',
    {{periodColumns}},
    helps UInt64 COMMENT 'Ayudas que recibió ese día / Helps received that day'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT person, {{periods "day"}}, helps
FROM (SELECT person, day, count() AS helps FROM retorno.assistance FINAL GROUP BY person, day) AS by_day
COMMENT 'Una fila por persona asistida y día: personas distintas de un periodo / One row for each person helped and day: distinct people of a period';

CREATE OR REPLACE VIEW ceniss.crossing_counts
(
    {{periodColumns}},
    border_point String COMMENT 'Punto fronterizo / Border point',
    direction String COMMENT 'Sentido: entry, exit / Direction: entry, exit',
    document_check String COMMENT 'Control del documento / Document check',
    crossings UInt64 COMMENT 'Cruces / Crossings',
    {{labelColumns "border_point" "document_check"}}
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT {{periods "day"}}, border_point, direction, document_check, crossings,
    {{labels "border_point" "border_point" "document_check" "document_check"}}
FROM retorno.crossing_counts FINAL
COMMENT 'Conteos de cruces en los puestos / Counts of crossings at the posts';

CREATE OR REPLACE VIEW ceniss.sources
(
    source String COMMENT 'Computadora / Computer',
    highest_contiguous_seq UInt64 COMMENT 'Hasta aquí han llegado todos sus registros / Up to here all of its records have arrived',
    highest_seq UInt64 COMMENT 'Número más alto visto / Highest number seen',
    missing UInt64 COMMENT 'Números que faltan por debajo del más alto / Numbers missing below the highest',
    last_seen DateTime64(3, 'America/Tegucigalpa') COMMENT 'Último envío / Last sending',
    clock_offset_seconds Float64 COMMENT 'Adelanto de su reloj en el último envío, s / How far its clock was ahead at the last sending, s'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT source_id AS source,
    maxIf(source_seq, source_seq = place) AS highest_contiguous_seq,
    max(source_seq) AS highest_seq,
    highest_seq - count() AS missing,
    max(sent_at) AS last_seen,
    argMax(clock_offset_ms, (sent_at, source_seq)) / 1000 AS clock_offset_seconds
FROM
(
    SELECT source_id, source_seq, sent_at, clock_offset_ms,
        row_number() OVER (PARTITION BY source_id ORDER BY source_seq) AS place
    FROM retorno.source_records FINAL
)
GROUP BY source_id
COMMENT 'Integridad de cada computadora / Completeness of each computer';

CREATE OR REPLACE VIEW ceniss.codes
(
    list String COMMENT 'Lista / List',
    code String COMMENT 'Código / Code',
    label_es String COMMENT 'Nombre en español / Label in Spanish',
    label_en String COMMENT 'Nombre en inglés / Label in English',
    valid_from Nullable(Date) COMMENT 'Válido desde / Valid from',
    valid_to Nullable(Date) COMMENT 'Válido hasta / Valid to'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT list, code, label_es, label_en, valid_from, valid_to
FROM retorno.codes FINAL
COMMENT 'Listas de códigos / Code lists';

-- The ledger's rows that hold: what an older epoch wrote from the position on where a newer epoch began is void,
-- because the newer one has read those offsets itself.
CREATE OR REPLACE VIEW retorno.accounts
(
    topic String COMMENT 'Tema de Kafka / Kafka topic',
    kafka_partition UInt16 COMMENT 'Partición / Partition',
    epoch UInt32 COMMENT 'Época / Epoch',
    first_offset UInt64 COMMENT 'Primera posición / First offset',
    next_offset UInt64 COMMENT 'Posición siguiente / Next offset',
    read UInt64 COMMENT 'Leídos / Read',
    accepted UInt64 COMMENT 'Aceptados / Accepted',
    duplicate UInt64 COMMENT 'Duplicados / Duplicate',
    superseded UInt64 COMMENT 'Sustituidos / Superseded',
    rejected UInt64 COMMENT 'Rechazados / Rejected',
    flushed_at DateTime64(3, 'America/Tegucigalpa') COMMENT 'Cuándo se escribió / When it was written'
)
AS SELECT topic, kafka_partition, epoch, first_offset, next_offset, read, accepted, duplicate, superseded, rejected, flushed_at
FROM
(
    SELECT *, min(first_offset) OVER (PARTITION BY topic, kafka_partition ORDER BY epoch RANGE BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS taken_from,
        max(epoch) OVER (PARTITION BY topic, kafka_partition) AS newest
    FROM retorno.ledger FINAL
)
WHERE epoch = newest OR first_offset < taken_from
COMMENT 'Cuentas vigentes del libro / Accounts of the ledger that hold';
