-- Vintages: what was published for a period, as it was counted then. Both tables are append only; nothing in them is ever
-- changed. The counts are written first and the publication last, so that one that was torn is seen by nobody.

CREATE TABLE IF NOT EXISTS retorno.published_counts
(
    publication UUID                   COMMENT 'Publicación / Publication',
    month       String                 COMMENT 'Mes de llegada, 2016-01 / Month of arrival, 2016-01',
    route       LowCardinality(String) COMMENT 'Ruta / Route',
    country     LowCardinality(String) COMMENT 'País de retorno / Country of return',
    mode        LowCardinality(String) COMMENT 'Vía de retorno / Mode of return',
    return_type LowCardinality(String) COMMENT 'Tipo de retorno / Type of return',
    entry_point LowCardinality(String) COMMENT 'Punto de entrada / Entry point',
    exit_point  LowCardinality(String) COMMENT 'Punto de salida / Exit point',
    centre      LowCardinality(String) COMMENT 'Centro / Centre',
    sex         LowCardinality(String) COMMENT 'Sexo / Sex',
    age_group   LowCardinality(String) COMMENT 'Grupo de edad / Age group',
    registered  UInt64                 COMMENT 'Retornos registrados en un centro / Returns registered at a centre',
    checkpoint  UInt64                 COMMENT 'Retornos vistos en un puesto / Returns seen at a checkpoint',
    reconciled  UInt64                 COMMENT 'Retornos en total / Returns in all'
)
ENGINE = MergeTree
ORDER BY (publication, month, route, return_type, entry_point, exit_point, centre, sex, age_group)
COMMENT 'Conteos de cada publicación, por mes / Counts of each publication, by month';

CREATE TABLE IF NOT EXISTS retorno.publications
(
    id               UUID                   COMMENT 'Publicación / Publication',
    period           String                 COMMENT 'Periodo, 2016-S1 / Period, 2016-S1',
    first_day        Date                   COMMENT 'Primer día / First day',
    last_day         Date                   COMMENT 'Último día / Last day',
    as_of            DateTime64(3, 'America/Tegucigalpa') COMMENT 'Cuándo se contó / When it was counted',
    status           LowCardinality(String) COMMENT 'Estado: provisional, final / Status: provisional, final',
    method_version   UInt8                  COMMENT 'Versión del método / Version of the method',
    registered       UInt64                 COMMENT 'Retornos registrados en un centro / Returns registered at a centre',
    checkpoint       UInt64                 COMMENT 'Retornos vistos en un puesto / Returns seen at a checkpoint',
    reconciled       UInt64                 COMMENT 'Retornos en total / Returns in all',
    late             UInt64                 COMMENT 'De ellos, los que se anotaron más de 72 horas después de la llegada / Of these, those first written down more than 72 hours after the arrival',
    missing          UInt64                 COMMENT 'Registros que entonces faltaban de las computadoras y pueden ser del periodo / Records that were missing of the computers then and may be of the period',
    cells            UInt64                 COMMENT 'Filas de published_counts que le pertenecen / Rows of published_counts that belong to it',
    checksum         UInt64                 COMMENT 'O exclusivo de cityHash64 de esas filas / Exclusive or of cityHash64 of these rows',
    topics           Array(LowCardinality(String)) COMMENT 'Posición del libro: temas / Position of the ledger: topics',
    kafka_partitions Array(UInt16)          COMMENT 'Sus particiones / Their partitions',
    next_offsets     Array(UInt64)          COMMENT 'Hasta dónde se había contado cada una / How far each was counted'
)
ENGINE = MergeTree
ORDER BY (period, as_of, id)
COMMENT 'Publicaciones: una fila por edición de un periodo / Publications: one row for each vintage of a period';
