-- What people read: database ceniss. FINAL, labels and periods stand inside, so that any GROUP BY is right.
-- They read the pipeline's tables with the rights of the user who migrates, so that a role needs none but on ceniss.
-- Replaced as a whole at every migration (CREATE OR REPLACE keeps the old view until the new one stands).

CREATE DATABASE IF NOT EXISTS ceniss;

CREATE OR REPLACE VIEW ceniss.returns
(
    return_id UUID COMMENT 'Identificador del retorno / Return id',
    person UUID COMMENT 'Seudónimo de la persona / Pseudonym of the person',
    {{periodColumns}},
    {{attributeColumns "returned"}},
    registered UInt8 COMMENT '1: registrado en un centro / 1: registered at a centre',
    checkpoint UInt8 COMMENT '1: visto entrar en un puesto / 1: seen entering at a checkpoint',
    method_version UInt8 COMMENT 'Versión del método que lo formó / Version of the method that made it',
    {{labelColumns "route" "country" "entry_point" "exit_point" "centre" "department" "municipality"}}
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT return_id, person, {{periods "day"}},
    {{attributes "returned"}}, registered, checkpoint, method_version,
    {{labels "route" "route" "country" "country" "entry_point" "border_point" "exit_point" "border_point" "centre" "centre" "department" "department" "municipality" "municipality"}}
FROM retorno.returns FINAL
WHERE national = 1
COMMENT 'Una fila por retorno de una persona hondureña o de nacionalidad no declarada / One row for each return of a person of Honduran or unstated nationality';

CREATE OR REPLACE VIEW ceniss.return_counts
(
    {{periodColumns}},
    {{attributeColumns "counted"}},
    registered UInt64 COMMENT 'Retornos registrados en un centro (lo que CENISS publica) / Returns registered at a centre (what CENISS publishes)',
    checkpoint UInt64 COMMENT 'Retornos vistos en un puesto / Returns seen at a checkpoint',
    reconciled UInt64 COMMENT 'Retornos en total; cobertura: registered entre reconciled / Returns in all; coverage: registered over reconciled',
    {{labelColumns "route" "country" "entry_point" "exit_point" "centre"}}
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT {{periods "day"}},
    {{attributes "counted"}}, registered, checkpoint, reconciled,
    {{labels "route" "route" "country" "country" "entry_point" "border_point" "exit_point" "border_point" "centre" "centre"}}
FROM retorno.return_counts FINAL
-- Periods and partitions follow from the day, which is part of the key: what is passed over cannot hold another row of
-- a key that is read.
SETTINGS use_skip_indexes_if_final_exact_mode = 0, do_not_merge_across_partitions_select_final = 1
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

-- The ledger's rows that hold. What an older epoch wrote beyond the offset at which a newer epoch began is void, because
-- the newer one has read those offsets itself. A row that lies inside a longer one of the same epoch is void, because the
-- longer one sums up the flushes that it covers.
CREATE OR REPLACE VIEW retorno.accounts
(
    topic String COMMENT 'Tema de Kafka / Kafka topic',
    kafka_partition UInt16 COMMENT 'Partición / Partition',
    log UInt16 COMMENT 'Registro: 0, o el número de veces que se aceptó el tema como hecho de nuevo / Log: 0, or how many times the topic was accepted as made again',
    epoch UInt32 COMMENT 'Época / Epoch',
    first_offset UInt64 COMMENT 'Primera posición / First offset',
    next_offset UInt64 COMMENT 'Posición siguiente / Next offset',
    last_print UInt64 COMMENT 'Huella del último registro leído / Fingerprint of the last record read',
    read UInt64 COMMENT 'Leídos / Read',
    accepted UInt64 COMMENT 'Aceptados / Accepted',
    duplicate UInt64 COMMENT 'Duplicados / Duplicate',
    superseded UInt64 COMMENT 'Sustituidos / Superseded',
    rejected UInt64 COMMENT 'Rechazados / Rejected',
    control UInt64 COMMENT 'Posiciones sin registro / Offsets without a record',
    lost UInt64 COMMENT 'Posiciones dadas por perdidas por decisión anotada / Offsets given up by a recorded decision',
    bound UInt8 COMMENT '1: las columnas que siguen se conocen / 1: the columns that follow are known',
    facts_sum UInt64 COMMENT 'Suma de control de sus hechos / Checksum of its facts',
    sendings UInt64 COMMENT 'Sus envíos / Its sendings',
    redriven UInt64 COMMENT 'Sus reenviados / Its redriven ones',
    flushed_at DateTime64(3, 'America/Tegucigalpa') COMMENT 'Cuándo se escribió / When it was written'
)
AS SELECT topic, kafka_partition, log, epoch, first_offset, next_offset, last_print, read, accepted, duplicate, superseded, rejected,
    control, lost, bound, facts_sum, sendings, redriven, flushed_at
FROM
(
    SELECT *, count() OVER before AS earlier, max(next_offset) OVER before AS reached
    FROM
    (
        SELECT *, min(first_offset) OVER (PARTITION BY topic, kafka_partition, log ORDER BY epoch RANGE BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS taken_from,
            max(epoch) OVER (PARTITION BY topic, kafka_partition, log) AS newest
        FROM retorno.ledger FINAL
    )
    WHERE epoch = newest OR next_offset <= taken_from
    WINDOW before AS (PARTITION BY topic, kafka_partition, log, epoch ORDER BY first_offset, next_offset DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
)
WHERE earlier = 0 OR next_offset > reached
COMMENT 'Cuentas vigentes del libro / Accounts of the ledger that hold';

-- The offsets that recorded decisions gave up. One that no consumer has applied gives up nothing: the ledger has no lost
-- offsets there.
CREATE OR REPLACE VIEW retorno.given_up
(
    topic String COMMENT 'Tema de Kafka / Kafka topic',
    kafka_partition UInt16 COMMENT 'Partición / Partition',
    log UInt16 COMMENT 'Registro, como en retorno.accounts / Log, as in retorno.accounts',
    first_offset UInt64 COMMENT 'Primera posición / First offset',
    next_offset UInt64 COMMENT 'Posición siguiente a la última / Offset after the last one',
    decided_at DateTime64(3, 'America/Tegucigalpa') COMMENT 'Cuándo se decidió / When it was decided'
)
AS SELECT toString(d.topic) AS topic, d.kafka_partition AS kafka_partition, d.of_log AS log, d.begin AS first_offset, d.upto AS next_offset, d.newest AS decided_at
FROM
(
    SELECT topic, kafka_partition, toUInt16(log + (action = 'new_log')) AS of_log, to_offset AS upto,
        max(if(action = 'skip', position, 0)) AS begin, max(decided_at) AS newest
    FROM retorno.decisions GROUP BY topic, kafka_partition, of_log, upto
) AS d
INNER JOIN (SELECT topic, kafka_partition, log, first_offset, next_offset FROM retorno.accounts WHERE lost > 0) AS a
    ON a.topic = d.topic AND a.kafka_partition = d.kafka_partition AND a.log = d.of_log
WHERE d.begin < d.upto AND a.first_offset <= d.begin AND d.upto <= a.next_offset
COMMENT 'Tramos de los registros dados por perdidos / Stretches of the logs that were given up';

-- The revision of each record that holds.
CREATE OR REPLACE VIEW retorno.latest_facts
AS SELECT * FROM retorno.facts ORDER BY kafka_partition, person, record_id, version DESC LIMIT 1 BY kafka_partition, person, record_id
COMMENT 'La revisión vigente de cada registro / The revision of each record that holds';

-- Where a computer stands: the post or centre of most of its facts. A tie goes to the larger code, so that the set of facts
-- alone decides.
CREATE OR REPLACE VIEW retorno.source_places
(
    source String COMMENT 'Computadora / Computer',
    kind String COMMENT 'Dónde está: border_point, centre / Where it stands: border_point, centre',
    place String COMMENT 'Código del punto o centro / Code of the point or centre'
)
AS SELECT source_id AS source, argMax(of_kind, (n, of_kind, of_place)) AS kind, argMax(of_place, (n, of_kind, of_place)) AS place
FROM
(
    SELECT source_id, if(kind = 'crossing', 'border_point', 'centre') AS of_kind,
        multiIf(kind = 'crossing' AND border_point != '', border_point, kind != 'crossing' AND centre != '', centre, 'X-UNK') AS of_place,
        count() AS n
    FROM retorno.latest_facts
    GROUP BY source_id, of_kind, of_place
)
GROUP BY source_id
COMMENT 'Lugar de cada computadora, según sus hechos / Place of each computer, by its facts';

-- Each number that has arrived beside the one before it. They are sorted (n log n) and not joined.
-- When a copy was sent its computer says. What lies an hour after everything that was read, by the consumers' clock in the
-- ledger, or before 2000, is not believed: one wrong year would measure every other computer against it. An unbelieved
-- copy counts as sent then, so that what is missing before it may be of any month since the last one that is believed.
CREATE OR REPLACE VIEW retorno.source_numbers
(
    source String COMMENT 'Computadora / Computer',
    seq UInt64 COMMENT 'Número del registro / Number of the record',
    sent_at DateTime64(3, 'America/Tegucigalpa') COMMENT 'Su último envío que puede ser; si ninguno, la última lectura y una hora / Its latest sending that can be; if none can, the last reading and an hour',
    believed UInt8 COMMENT '1: dijo una hora de envío que puede ser / 1: it told a time of sending that can be',
    clock_offset_ms Int64 COMMENT 'Adelanto del reloj entonces, ms / How far the clock was ahead then, ms',
    previous UInt64 COMMENT 'Número anterior que ha llegado; 0: ninguno / Number before it that has arrived; 0: none',
    previous_sent_at Nullable(DateTime64(3, 'America/Tegucigalpa')) COMMENT 'Último envío de ese, o de uno anterior a él si el suyo no puede ser / Latest sending of that one, or of one before it if its own cannot be',
    gap UInt8 COMMENT '1: entre ambos faltan números / 1: numbers are missing between the two'
)
AS WITH (SELECT if(count() = 0, toDateTime64('2100-01-01 00:00:00', 3, 'UTC'), max(flushed_at) + INTERVAL 1 HOUR) FROM retorno.ledger) AS read_by
SELECT source_id AS source, source_seq AS seq, if(can_be, claimed, read_by) AS sent_at, can_be AS believed, clock_offset_ms,
    lagInFrame(source_seq, 1, 0) OVER neighbours AS previous,
    anyLast(if(can_be, toNullable(claimed), NULL)) OVER earlier AS previous_sent_at,
    source_seq > previous + 1 AS gap
FROM
(
    -- Of the copies of a number the latest one; of two at the same moment the one whose clock was further ahead.
    SELECT source_id, source_seq, sent_at AS claimed, claimed BETWEEN toDateTime64('2000-01-01 00:00:00', 3, 'UTC') AND read_by AS can_be, clock_offset_ms
    FROM retorno.sendings
    ORDER BY source_id, source_seq, can_be DESC, claimed DESC, clock_offset_ms DESC LIMIT 1 BY source_id, source_seq
)
WINDOW neighbours AS (PARTITION BY source_id ORDER BY source_seq ROWS BETWEEN 1 PRECEDING AND CURRENT ROW),
    earlier AS (PARTITION BY source_id ORDER BY source_seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
COMMENT 'Los números que han llegado de cada computadora, con el anterior / The numbers that have arrived of each computer, with the one before';

-- The latest heartbeat of each agent. A secret or a code list is foreign when it is not that of most agents; of as many the one
-- that is later in the alphabet counts as theirs. The secrets compared are those in force on one day, the latest heartbeat's.
CREATE OR REPLACE VIEW retorno.agents
AS SELECT *, secret != argMax(secret, (of_secret, secret)) OVER () AS foreign_secret, lists != argMax(lists, (of_lists, lists)) OVER () AS foreign_lists
FROM
(
    SELECT *, count() OVER (PARTITION BY secret) AS of_secret, count() OVER (PARTITION BY lists) AS of_lists
    FROM
    (
        SELECT *, arraySort(arrayFilter(s -> s.1 <= newest, arrayZip(mapKeys(secrets), mapValues(secrets)))) AS in_force,
            if(empty(in_force), '', in_force[-1].2) AS secret
        FROM retorno.heartbeats FINAL, (SELECT toString(toDate(max(at))) AS newest FROM retorno.heartbeats) AS latest
    ) AS b
) AS b
COMMENT 'El último latido de cada agente / The latest heartbeat of each agent';

CREATE OR REPLACE VIEW ceniss.sources
(
    source String COMMENT 'Computadora / Computer',
    highest_contiguous_seq UInt64 COMMENT 'Hasta aquí han llegado todos sus registros / Up to here all of its records have arrived',
    highest_seq UInt64 COMMENT 'Número más alto visto / Highest number seen',
    missing UInt64 COMMENT 'Números que faltan hasta el más alto, visto o dicho por su latido / Numbers missing up to the highest, seen or told by its heartbeat',
    last_seen DateTime64(3, 'America/Tegucigalpa') COMMENT 'Último envío cuya hora puede ser; 1970: ninguna puede ser / Last sending whose time can be; 1970: none can',
    clock_offset_seconds Float64 COMMENT 'Adelanto de su reloj en el último envío, s / How far its clock was ahead at the last sending, s',
    kind String COMMENT 'Dónde está: border_point, centre, unknown / Where it stands: border_point, centre, unknown',
    place String COMMENT 'Código del punto o centro de la mayoría de sus hechos; X-UNK: no se sabe / Code of the point or centre of most of its facts; X-UNK: not known',
    first_seen DateTime64(3, 'America/Tegucigalpa') COMMENT 'Primer envío, por el último de cada número / First sending, by the latest one of each number',
    received UInt64 COMMENT 'Números distintos que han llegado / Distinct numbers that have arrived',
    gaps UInt64 COMMENT 'Huecos: tramos seguidos de números que faltan / Gaps: stretches of missing numbers',
    silent_hours Float64 COMMENT 'Horas desde su último envío hasta el último de todas las computadoras (nunca el reloj del servidor) / Hours from its last sending to the last one of all computers (never the clock of the server)',
    usual_pause_hours Float64 COMMENT 'Su pausa usual: percentil 99 de las pausas entre horas con envíos / Its usual pause: 99th percentile of the pauses between hours with sendings',
    longest_pause_hours Float64 COMMENT 'Su pausa más larga entre horas con envíos / Its longest pause between hours with sendings',
    silent UInt8 COMMENT '1: calla desde hace más de 24 horas y más del doble de su pausa usual; un archivo importado nunca / 1: silent for more than 24 hours and more than twice its usual pause; an imported file never is',
    clock_offset_min_seconds Float64 COMMENT 'Menor adelanto de su reloj, s; negativo: atrasado / Least its clock was ahead, s; negative: behind',
    clock_offset_max_seconds Float64 COMMENT 'Mayor adelanto de su reloj, s / Most its clock was ahead, s',
    impossible_times UInt64 COMMENT 'Números cuya hora de envío no puede ser: más de una hora después de lo último que se leyó, o antes de 2000 / Numbers whose time of sending cannot be: more than an hour after what was read last, or before 2000',
    place_es String COMMENT 'Nombre del lugar en español / Name of the place in Spanish',
    place_en String COMMENT 'Nombre del lugar en inglés / Name of the place in English',
    heartbeat_at Nullable(DateTime64(3, 'America/Tegucigalpa')) COMMENT 'Último latido de su agente; nulo: ninguno / Last heartbeat of its agent; null: none',
    last_number UInt64 COMMENT 'Último número que su agente dio, según el latido / Last number that its agent gave, by the heartbeat',
    unsent UInt64 COMMENT 'De ellos, los que ningún servidor había confirmado / Those of them that no broker had acknowledged',
    oldest_unsent Nullable(DateTime64(3, 'America/Tegucigalpa')) COMMENT 'Cuándo se guardó el primero de esos; nulo: no hay / When the first of those was saved; null: there is none',
    agent_clock_offset_seconds Nullable(Float64) COMMENT 'Adelanto de su reloj en el latido, s; nulo: no lo sabe / How far its clock was ahead at the heartbeat, s; null: it does not know',
    disk_free_bytes UInt64 COMMENT 'Espacio libre de su disco, bytes / Free space of its disk, bytes',
    disk_low UInt8 COMMENT '1: quedan menos de 50 MB o menos de un décimo / 1: less than 50 MB, or less than a tenth, is free',
    damaged UInt32 COMMENT 'Lugares de su carpeta que no tienen lo que se escribió / Places of its folder that do not hold what was written',
    agent_version String COMMENT 'Versión del programa / Version of the program',
    secret_fingerprint String COMMENT 'Huella de la clave de identidad vigente el día del último latido de todos / Fingerprint of the identity secret in force on the day of the last heartbeat of all',
    foreign_secret UInt8 COMMENT '1: no es la de la mayoría; sus personas no se enlazan con las de otros / 1: it is not that of most; its persons link with none of the others',
    lists_fingerprint String COMMENT 'Huella de sus listas de códigos / Fingerprint of its code lists',
    foreign_lists UInt8 COMMENT '1: no es la de la mayoría / 1: it is not that of most',
    forms_missing UInt32 COMMENT 'Formularios de papel numerados que no están digitados ni anulados / Numbered paper forms that are neither captured nor void',
    documents_met UInt32 COMMENT 'Registros, desde que el agente se inició, con un documento que otro puesto halló falso o que se reportó robado / Records, since its agent was started, whose document another post had found false or was reported stolen',
    stop_reason String COMMENT 'Por qué no envía: login, partition_count, topic_missing, copy, configuration; vacío: envía / Why it does not send: login, partition_count, topic_missing, copy, configuration; empty: it does'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT if(n.source = '', b.source_id, n.source) AS source, highest_contiguous_seq, n.highest_seq AS highest_seq,
    greatest(n.highest_seq, b.last_seq) - n.received AS missing, n.last_seen AS last_seen, clock_offset_seconds,
    if(p.kind = '', 'unknown', p.kind) AS kind,
    if(p.place = '', 'X-UNK', p.place) AS place,
    first_seen, n.received AS received, n.gaps + (b.last_seq > n.highest_seq) AS gaps,
    if(received = 0, 0, (toUnixTimestamp64Milli(max(n.last_seen) OVER ()) - toUnixTimestamp64Milli(n.last_seen)) / 3600000) AS silent_hours,
    if(empty(pauses), 0, arrayReduce('quantileExact(0.99)', pauses)) AS usual_pause_hours,
    if(empty(pauses), 0, arrayMax(pauses)) AS longest_pause_hours,
    silent_hours > greatest(24, 2 * usual_pause_hours) AND NOT startsWith(source, 'import-') AS silent,
    clock_offset_min_seconds, clock_offset_max_seconds, impossible_times,
    if(kind = 'centre', {{label "place" "centre" "es"}}, {{label "place" "border_point" "es"}}) AS place_es,
    if(kind = 'centre', {{label "place" "centre" "en"}}, {{label "place" "border_point" "en"}}) AS place_en,
    if(b.source_id = '', NULL, b.at) AS heartbeat_at, b.last_seq AS last_number, b.unsent AS unsent, b.oldest_unsent AS oldest_unsent,
    b.clock_offset_ms / 1000 AS agent_clock_offset_seconds, b.disk_free AS disk_free_bytes, b.disk_low AS disk_low, b.damaged AS damaged, b.version AS agent_version,
    b.secret AS secret_fingerprint, b.foreign_secret AS foreign_secret, b.lists AS lists_fingerprint, b.foreign_lists AS foreign_lists,
    b.forms_missing AS forms_missing, b.documents_met AS documents_met, b.stopped AS stop_reason
FROM
(
    SELECT source,
        if(gaps = 0, highest_seq, minIf(previous, gap)) AS highest_contiguous_seq,
        max(seq) AS highest_seq, count() AS received, countIf(gap) AS gaps,
        minIf(sent_at, believed) AS first_seen, maxIf(sent_at, believed) AS last_seen, countIf(NOT believed) AS impossible_times,
        argMax(clock_offset_ms, (believed, sent_at, seq)) / 1000 AS clock_offset_seconds,
        min(clock_offset_ms) / 1000 AS clock_offset_min_seconds, max(clock_offset_ms) / 1000 AS clock_offset_max_seconds,
        arraySort(groupUniqArrayIf(intDiv(toUnixTimestamp64Milli(sent_at), 3600000), believed)) AS hours,
        arrayPopFront(arrayDifference(hours)) AS pauses
    FROM retorno.source_numbers
    GROUP BY source
) AS n
FULL JOIN retorno.agents AS b ON b.source_id = n.source
LEFT JOIN retorno.source_places AS p ON p.source = n.source
COMMENT 'Integridad de cada computadora / Completeness of each computer';

CREATE OR REPLACE VIEW ceniss.source_gaps
(
    source String COMMENT 'Computadora / Computer',
    first_missing UInt64 COMMENT 'Primer número que falta / First number that is missing',
    last_missing UInt64 COMMENT 'Último número que falta / Last number that is missing',
    missing UInt64 COMMENT 'Cuántos faltan / How many are missing',
    after Nullable(DateTime64(3, 'America/Tegucigalpa')) COMMENT 'Último envío del número anterior; nulo: falta desde el 1 / Latest sending of the number before; null: missing from 1 on',
    before DateTime64(3, 'America/Tegucigalpa') COMMENT 'Último envío del número siguiente; si no ha llegado ninguno, el latido que dice que los hay / Latest sending of the number after; when none has arrived, the heartbeat that tells of them',
    month String COMMENT 'Mes al que se atribuye: el del más temprano de los dos envíos / Month it is put down to: that of the earlier one of the two sendings',
    last_month String COMMENT 'Mes del más tardío de los dos envíos / Month of the later one of the two sendings',
    kind String COMMENT 'Dónde está: border_point, centre, unknown / Where it stands: border_point, centre, unknown',
    place String COMMENT 'Código del punto o centro; X-UNK: no se sabe / Code of the point or centre; X-UNK: not known'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT n.source AS source, first_missing, last_missing, missing, after, before, month, last_month,
    if(p.kind = '', 'unknown', p.kind) AS kind, if(p.place = '', 'X-UNK', p.place) AS place
FROM
(
    SELECT source, previous + 1 AS first_missing, seq - 1 AS last_missing, seq - previous - 1 AS missing,
        previous_sent_at AS after, sent_at AS before,
        formatDateTime(least(ifNull(previous_sent_at, sent_at), sent_at), '%Y-%m') AS month,
        formatDateTime(greatest(ifNull(previous_sent_at, sent_at), sent_at), '%Y-%m') AS last_month
    FROM
    (
        SELECT source, seq, sent_at, previous, previous_sent_at FROM retorno.source_numbers WHERE gap
        UNION ALL
        SELECT b.source_id, b.last_seq + 1, b.at, n.highest, n.highest_sent_at
        FROM retorno.heartbeats AS b FINAL
        LEFT JOIN
        (
            SELECT source, max(seq) AS highest, argMaxIf(toNullable(sent_at), seq, believed) AS highest_sent_at FROM retorno.source_numbers GROUP BY source
        ) AS n ON n.source = b.source_id
        WHERE b.last_seq > n.highest
    )
) AS n
LEFT JOIN retorno.source_places AS p ON p.source = n.source
COMMENT 'Una fila por hueco en la numeración de una computadora: registros hechos que no han llegado / One row for each gap in the numbers of a computer: records made that have not arrived';

-- Person keys whose records cannot all be of one person: they differ in sex, or by more years of age than lie between them.
-- Counting back its completed years from each record gives a day until which the person was born; those days of one person
-- lie within a year, and within three when an age is told wrong by one or two.
CREATE OR REPLACE VIEW retorno.contradicting_keys
(
    person UUID COMMENT 'Clave de persona / Person key',
    by_sex UInt8 COMMENT '1: de ambos sexos / 1: of both sexes',
    by_age UInt8 COMMENT '1: de edades que no pueden ser de una persona / 1: of ages that cannot be one person\'s'
)
AS SELECT person, uniqExactIf(sex, sex IN ('M', 'F')) > 1 AS by_sex, ifNull(max(born) - min(born) > 1095, 0) AS by_age
FROM
(
    SELECT person, sex, toInt32(toDate(event_time)) - intDiv(toInt32(age) * 36525, 100) AS born
    FROM retorno.latest_facts WHERE person_known AND void_reason = '' AND NOT future
)
GROUP BY person HAVING by_sex OR by_age
COMMENT 'Claves que varias personas comparten, según sus registros / Keys that several people share, by their records';

CREATE OR REPLACE VIEW retorno.linked_records
(
    source String COMMENT 'Computadora / Computer',
    month String COMMENT 'Mes del registro, 2016-01 / Month of the record, 2016-01',
    records UInt64 COMMENT 'Registros con clave de persona / Records with a person key',
    contradicting_records UInt64 COMMENT 'De ellos, los de claves que se contradicen / Those of keys that contradict themselves',
    keys UInt64 COMMENT 'Claves de persona distintas / Distinct person keys',
    contradicting_keys UInt64 COMMENT 'De ellas, las que se contradicen / Those that contradict themselves',
    by_sex UInt64 COMMENT 'De ellas, por el sexo / Of these, by sex',
    by_age UInt64 COMMENT 'De ellas, por la edad / Of these, by age'
)
AS SELECT f.source AS source, month, count() AS records, countIf(c.by_sex OR c.by_age) AS contradicting_records, uniqExact(f.person) AS keys,
    uniqExactIf(f.person, c.by_sex OR c.by_age) AS contradicting_keys, uniqExactIf(f.person, c.by_sex) AS by_sex, uniqExactIf(f.person, c.by_age) AS by_age
FROM
(
    SELECT person, toString(source_id) AS source, formatDateTime(event_time, '%Y-%m') AS month
    FROM retorno.latest_facts WHERE person_known AND void_reason = '' AND NOT future
) AS f
LEFT JOIN retorno.contradicting_keys AS c ON c.person = f.person
GROUP BY source, month
COMMENT 'Registros que una clave enlaza, por fuente y mes / Records that a key links, by source and month';

CREATE OR REPLACE VIEW ceniss.keys_with_contradictions
(
    month String COMMENT 'Mes del registro, 2016-01 / Month of the record, 2016-01',
    half_year String COMMENT 'Semestre, 2016-S1 / Half-year, 2016-S1',
    year UInt16 COMMENT 'Año / Year',
    source String COMMENT 'Computadora o archivo importado / Computer or imported file',
    kind String COMMENT 'Dónde está: border_point, centre, unknown / Where it stands: border_point, centre, unknown',
    place String COMMENT 'Código del punto o centro de la mayoría de sus hechos; X-UNK: no se sabe / Code of the point or centre of most of its facts; X-UNK: not known',
    records UInt64 COMMENT 'Registros con clave de persona; sumable / Records with a person key; additive',
    contradicting_records UInt64 COMMENT 'De ellos, los de claves cuyos registros, de cualquier fuente y mes, difieren en el sexo o en más años de edad de los que pasaron; sumable / Those of keys whose records, of whatever source and month, differ in sex or by more years of age than went by; additive',
    keys UInt64 COMMENT 'Claves de persona distintas; NO sumable / Distinct person keys; NOT additive',
    contradicting_keys UInt64 COMMENT 'De ellas, las que se contradicen; NO sumable / Those that contradict themselves; NOT additive',
    by_sex UInt64 COMMENT 'De ellas, por el sexo; NO sumable / Of these, by sex; NOT additive',
    by_age UInt64 COMMENT 'De ellas, por la edad; NO sumable / Of these, by age; NOT additive'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT month, concat(substring(month, 1, 4), if(substring(month, 6, 2) <= '06', '-S1', '-S2')) AS half_year, toUInt16(substring(month, 1, 4)) AS year,
    n.source AS source, if(p.kind = '', 'unknown', p.kind) AS kind, if(p.place = '', 'X-UNK', p.place) AS place,
    records, contradicting_records, keys, contradicting_keys, by_sex, by_age
FROM retorno.linked_records AS n
LEFT JOIN retorno.source_places AS p ON p.source = n.source
COMMENT 'Claves de persona que varias personas comparten, por fuente y mes: cuentas de claves, nunca una clave / Person keys that several people share, by source and month: counts of keys, never a key';

CREATE OR REPLACE VIEW ceniss.coverage
(
    month String COMMENT 'Mes de llegada, 2016-01 / Month of arrival, 2016-01',
    half_year String COMMENT 'Semestre, 2016-S1 / Half-year, 2016-S1',
    year UInt16 COMMENT 'Año / Year',
    centre String COMMENT 'Centro; X-NON: no registrado; X-UNK: no se sabe / Centre; X-NON: not registered; X-UNK: not known',
    entry_point String COMMENT 'Punto por donde volvió a entrar; X-UNK: no se sabe / Point where the person came back in; X-UNK: not known',
    registered UInt64 COMMENT 'Retornos registrados en un centro; sumable / Returns registered at a centre; additive',
    checkpoint UInt64 COMMENT 'Retornos vistos en un puesto; sumable / Returns seen at a checkpoint; additive',
    both UInt64 COMMENT 'Retornos en ambas series; sumable / Returns in both series; additive',
    reconciled UInt64 COMMENT 'Retornos en una u otra serie; sumable / Returns in either series; additive',
    coverage Nullable(Float64) COMMENT 'registered entre reconciled; NO sumable: divida las sumas. Por centro no dice nada: quien tiene centro está registrado / registered over reconciled; NOT additive: divide the sums. By centre it says nothing: who has a centre is registered',
    checkpoint_coverage Nullable(Float64) COMMENT 'checkpoint entre reconciled; NO sumable: divida las sumas. Por centro: parte de sus registrados que vio un puesto / checkpoint over reconciled; NOT additive: divide the sums. By centre: share of its registered that a post saw',
    late UInt64 COMMENT 'Retornos cuyo registro de apertura, el primero por llegada, se hizo más de 72 horas después de la llegada; sumable / Returns whose opening record, the first by arrival, was made more than 72 hours after the arrival; additive',
    missing UInt64 COMMENT 'Registros que faltan de las computadoras de ese punto (con centre X-UNK) o centro (con entry_point X-UNK); sumable; registros, no retornos / Records missing of the computers of that point (with centre X-UNK) or centre (with entry_point X-UNK); additive; records, not returns',
    gaps UInt64 COMMENT 'Huecos que forman esos registros; sumable / Gaps that those records form; additive',
    lost UInt64 COMMENT 'Posiciones dadas por perdidas por decisión anotada, en el mes del hecho que las precede en su registro, con centre y entry_point X-UNK; sumable; los registros numerados de ellas están también en missing / Offsets given up by a recorded decision, in the month of the fact before them in their log, with centre and entry_point X-UNK; additive; their numbered records are in missing, too',
    {{labelColumns "centre" "entry_point"}}
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT month, concat(substring(month, 1, 4), if(substring(month, 6, 2) <= '06', '-S1', '-S2')) AS half_year,
    toUInt16(substring(month, 1, 4)) AS year, centre, entry_point,
    sum(r) AS registered, sum(c) AS checkpoint, registered + checkpoint - reconciled AS both, sum(k) AS reconciled,
    if(reconciled = 0, NULL, registered / reconciled) AS coverage,
    if(reconciled = 0, NULL, checkpoint / reconciled) AS checkpoint_coverage,
    sum(l) AS late, sum(m) AS missing, sum(g) AS gaps, sum(o) AS lost,
    {{labels "centre" "centre" "entry_point" "border_point"}}
FROM
(
    SELECT formatDateTime(day, '%Y-%m') AS month, centre, entry_point, registered AS r, checkpoint AS c, reconciled AS k, 0 AS l, 0 AS m, 0 AS g, 0 AS o
    FROM retorno.return_counts FINAL
    UNION ALL
    SELECT formatDateTime(day, '%Y-%m') AS month, centre, entry_point, 0, 0, 0, 1, 0, 0, 0
    FROM retorno.returns FINAL
    WHERE national = 1 AND UUIDv7ToDateTime(return_id, 'UTC') > arrival + INTERVAL 72 HOUR
    UNION ALL
    SELECT month, if(kind = 'centre', place, 'X-UNK') AS centre, if(kind = 'border_point', place, 'X-UNK') AS entry_point, 0, 0, 0, 0, missing, 1, 0
    FROM ceniss.source_gaps
    UNION ALL
    SELECT formatDateTime(multiIf(countIf(there AND kafka_offset < first_offset) > 0, argMaxIf(arrival, kafka_offset, there AND kafka_offset < first_offset),
            countIf(there AND kafka_offset >= next_offset) > 0, argMinIf(arrival, kafka_offset, there AND kafka_offset >= next_offset), decided_at), '%Y-%m') AS month,
        'X-UNK', 'X-UNK', 0, 0, 0, 0, 0, 0, next_offset - first_offset - countIf(there AND kafka_offset >= first_offset AND kafka_offset < next_offset)
    FROM
    (
        SELECT toString(topic) AS topic, kafka_partition, toUInt16(bitShiftRight(place, 49)) AS log, kafka_offset, arrival, 1 AS there
        FROM retorno.facts WHERE kafka_partition IN (SELECT kafka_partition FROM retorno.given_up)
    ) AS f
    RIGHT JOIN retorno.given_up AS d ON f.topic = d.topic AND f.kafka_partition = d.kafka_partition AND f.log = d.log
    GROUP BY d.topic, d.kafka_partition, d.log, first_offset, next_offset, decided_at
)
GROUP BY month, centre, entry_point
COMMENT 'Cobertura por mes, centro y punto de entrada: cada conteo puede decir qué tan completo es / Coverage by month, centre and entry point: each count can say how complete it is';

-- A row that was written twice because the answer was lost is one publication.
CREATE OR REPLACE VIEW ceniss.publications
(
    id UUID COMMENT 'Publicación / Publication',
    period String COMMENT 'Periodo, 2016-S1 / Period, 2016-S1',
    vintage UInt64 COMMENT 'Edición del periodo: 1, 2, … / Vintage of the period: 1, 2, …',
    newest UInt8 COMMENT '1: la más reciente del periodo / 1: the newest of the period',
    status String COMMENT 'Estado: provisional, final, revision / Status: provisional, final, revision',
    as_of DateTime64(3, 'America/Tegucigalpa') COMMENT 'Cuándo se contó / When it was counted',
    published_at DateTime64(3, 'America/Tegucigalpa') COMMENT 'Cuándo se publicó / When it was published',
    first_day Date COMMENT 'Primer día / First day',
    last_day Date COMMENT 'Último día / Last day',
    method_version UInt8 COMMENT 'Versión del método / Version of the method',
    registered UInt64 COMMENT 'Retornos registrados en un centro / Returns registered at a centre',
    checkpoint UInt64 COMMENT 'Retornos vistos en un puesto / Returns seen at a checkpoint',
    reconciled UInt64 COMMENT 'Retornos en total / Returns in all',
    coverage Nullable(Float64) COMMENT 'registered entre reconciled / registered over reconciled',
    late UInt64 COMMENT 'Retornos cuyo registro de apertura se hizo más de 72 horas después de la llegada / Returns whose opening record was made more than 72 hours after the arrival',
    missing UInt64 COMMENT 'Registros que entonces faltaban y pueden ser del periodo / Records that were missing then and may be of the period',
    lost UInt64 COMMENT 'Posiciones que hasta entonces se dieron por perdidas por decisión anotada, de todos los periodos / Offsets that recorded decisions had given up by then, of all periods',
    silent UInt64 COMMENT 'Computadoras que callaban entonces y cuyo último envío es del periodo / Computers that were silent then and whose last sending is of the period',
    reason String COMMENT 'Por qué corrige una edición anterior / Why it revises an earlier vintage',
    accepted String COMMENT 'Por qué se publicó aunque faltaban registros / Why it was published although records were missing',
    software String COMMENT 'Versión del programa / Version of the program',
    cells UInt64 COMMENT 'Filas en ceniss.published_counts / Rows in ceniss.published_counts',
    checksum UInt64 COMMENT 'Suma de control de esas filas / Checksum of these rows',
    topics Array(String) COMMENT 'Posición del libro: temas / Position of the ledger: topics',
    kafka_partitions Array(UInt16) COMMENT 'Sus particiones / Their partitions',
    next_offsets Array(UInt64) COMMENT 'Hasta dónde se había contado cada una / How far each was counted',
    logs Array(UInt16) COMMENT 'Registro de cada una: 0, 1 … / Log of each: 0, 1 …',
    code_lists String COMMENT 'SHA-256 de las listas de códigos / SHA-256 of the code lists'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT id, period, v.vintage AS vintage, vintage = max(vintage) OVER (PARTITION BY period) AS newest, status, as_of, published_at, first_day, last_day, method_version,
    registered, checkpoint, reconciled, if(reconciled = 0, NULL, registered / reconciled) AS coverage, late, missing, lost, silent, reason, accepted, software, cells, checksum,
    topics, kafka_partitions, next_offsets, logs, code_lists
FROM (SELECT DISTINCT * FROM retorno.publications) AS once
INNER JOIN (SELECT publication, max(vintage) AS vintage FROM retorno.vintages GROUP BY publication) AS v ON v.publication = once.id
COMMENT 'Una fila por edición publicada de un periodo; nunca cambia / One row for each published vintage of a period; it never changes';

CREATE OR REPLACE VIEW ceniss.released_files
(
    publication UUID COMMENT 'Publicación / Publication',
    path String COMMENT 'Nombre del archivo / Name of the file',
    body String COMMENT 'Sus bytes / Its bytes'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT DISTINCT publication, path, body FROM retorno.released_files WHERE publication IN (SELECT id FROM retorno.publications)
COMMENT 'Forma pública de cada edición: lo único que sale de la casa / Public form of each vintage: all that leaves the house';

-- A row that was written twice because the answer was lost is one difference.
CREATE OR REPLACE VIEW ceniss.revisions
(
    publication UUID COMMENT 'Publicación / Publication',
    period String COMMENT 'Periodo publicado, 2016-S1 / Published period, 2016-S1',
    vintage UInt64 COMMENT 'Edición / Vintage',
    since UInt64 COMMENT 'Edición con la que se compara / Vintage it is compared with',
    measure String COMMENT 'Qué se cuenta: returns, helps, people, people_by_kind, crossings / What is counted: returns, helps, people, people_by_kind, crossings',
    cell String COMMENT 'Columnas que no se suman, con su código: exit_point=L-COR|time_period=2016-S1 / Columns that are not summed over, with their code: exit_point=L-COR|time_period=2016-S1',
    before Int64 COMMENT 'Conteo de la edición anterior / Count of the earlier vintage',
    after Int64 COMMENT 'Conteo de esta edición / Count of this vintage',
    change Int64 COMMENT 'after menos before / after minus before',
    late Int64 COMMENT 'Por registros que no se habían leído / By records that had not been read',
    correction Int64 COMMENT 'Por revisiones de registros / By revisions of records',
    void Int64 COMMENT 'Por anulaciones / By voids',
    method Int64 COMMENT 'Por otra versión del método / By another version of the method',
    code_list Int64 COMMENT 'Por otras listas de códigos / By other code lists',
    other Int64 COMMENT 'Por otras razones, o por muy pocas personas para decirlo / For other reasons, or by too few persons to say'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT DISTINCT d.publication AS publication, p.period AS period, p.vintage AS vintage, d.since AS since, d.measure AS measure, d.cell AS cell, d.before AS before, d.after AS after,
    after - before AS change, d.late AS late, d.correction AS correction, d.void AS void, d.method AS method, d.code_list AS code_list, d.other AS other
FROM retorno.published_differences AS d
INNER JOIN ceniss.publications AS p ON p.id = d.publication
COMMENT 'Celdas que cambiaron entre dos ediciones de un periodo, y por qué; las razones suman el cambio / Cells that changed between two vintages of a period, and why; the reasons add up to the change';

CREATE OR REPLACE VIEW ceniss.published_counts
(
    publication UUID COMMENT 'Publicación / Publication',
    period String COMMENT 'Periodo publicado, 2016-S1 / Published period, 2016-S1',
    vintage UInt64 COMMENT 'Edición / Vintage',
    newest UInt8 COMMENT '1: la más reciente del periodo / 1: the newest of the period',
    status String COMMENT 'Estado: provisional, final / Status: provisional, final',
    as_of DateTime64(3, 'America/Tegucigalpa') COMMENT 'Cuándo se contó / When it was counted',
    month String COMMENT 'Mes de llegada, 2016-01 / Month of arrival, 2016-01',
    route String COMMENT 'Ruta / Route',
    country String COMMENT 'País de retorno / Country of return',
    mode String COMMENT 'Vía / Mode',
    return_type String COMMENT 'Tipo de retorno / Type of return',
    entry_point String COMMENT 'Punto de entrada / Entry point',
    exit_point String COMMENT 'Punto de salida declarado / Exit point as stated',
    centre String COMMENT 'Centro / Centre',
    sex String COMMENT 'Sexo / Sex',
    age_group String COMMENT 'Grupo de edad / Age group',
    registered UInt64 COMMENT 'Retornos registrados en un centro / Returns registered at a centre',
    checkpoint UInt64 COMMENT 'Retornos vistos en un puesto / Returns seen at a checkpoint',
    reconciled UInt64 COMMENT 'Retornos en total / Returns in all',
    {{labelColumns "route" "country" "entry_point" "exit_point" "centre"}}
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT c.publication AS publication, p.period AS period, p.vintage AS vintage, p.newest AS newest, p.status AS status, p.as_of AS as_of, c.month AS month,
    c.route AS route, c.country AS country, c.mode AS mode, c.return_type AS return_type, c.entry_point AS entry_point, c.exit_point AS exit_point,
    c.centre AS centre, c.sex AS sex, c.age_group AS age_group, c.registered AS registered, c.checkpoint AS checkpoint, c.reconciled AS reconciled,
    {{labels "route" "route" "country" "country" "entry_point" "border_point" "exit_point" "border_point" "centre" "centre"}}
FROM retorno.published_counts AS c
INNER JOIN ceniss.publications AS p ON p.id = c.publication
COMMENT 'Conteos como se publicaron, por edición y mes; sumables dentro de una edición / Counts as published, by vintage and month; additive within one vintage';

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

-- What a process that may read nothing but ceniss must know of the pipeline.
CREATE OR REPLACE VIEW ceniss.state
(
    schema UInt32 COMMENT 'Último paso del esquema que se aplicó / Latest step of the schema that was applied',
    counted_at DateTime64(3, 'America/Tegucigalpa') COMMENT 'Cuándo se contó por última vez; 1970: nunca / When something was counted last; 1970: never'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT max(number) AS schema, max(at) AS counted_at
FROM
(
    SELECT number, toDateTime64(0, 3, 'America/Tegucigalpa') AS at FROM retorno.migrations
    UNION ALL
    SELECT 0, flushed_at FROM retorno.ledger
) AS both
COMMENT 'Estado del sistema: una sola fila / State of the system: a single row';

-- What became of each record, once: a dead letter that was sent again counts at the offset to which it was sent.
CREATE OR REPLACE VIEW retorno.record_accounts
(
    topic String COMMENT 'Tema de Kafka / Kafka topic',
    kafka_partition UInt16 COMMENT 'Partición / Partition',
    records UInt64 COMMENT 'Registros leídos, sin contar dos veces los reenviados / Records read, those sent again not counted twice',
    accepted UInt64 COMMENT 'Aceptados / Accepted',
    duplicate UInt64 COMMENT 'Duplicados / Duplicate',
    superseded UInt64 COMMENT 'Sustituidos / Superseded',
    rejected UInt64 COMMENT 'Rechazados, también tras reenviarlos / Rejected, also after they were sent again',
    redriven UInt64 COMMENT 'De ellos, los que se apartaron y se enviaron de nuevo: cuentan como lo que llegaron a ser / Of these, set aside and sent again: they count as what they became'
)
AS WITH
    linked AS
    (
        -- What a message says of itself holds if what was set aside there, or earlier in that partition, had the same content.
        SELECT copies.topic AS topic, copies.kafka_partition AS first_in, copies.read_partition AS read_in, copies.again AS again,
            copies.account AS account, if(copies.content = 0 OR named.content = copies.content, copies.kafka_offset, earliest.at) AS root
        FROM (SELECT * FROM retorno.redriven FINAL WHERE again != kafka_offset OR elsewhere != 0) AS copies
        LEFT JOIN
        (
            SELECT topic, kafka_partition, kafka_offset, content FROM retorno.redriven FINAL WHERE again = kafka_offset AND elsewhere = 0
        ) AS named ON named.topic = copies.topic AND named.kafka_partition = copies.kafka_partition AND named.kafka_offset = copies.kafka_offset
        LEFT JOIN
        (
            SELECT topic, kafka_partition, content, toNullable(min(kafka_offset)) AS at FROM retorno.redriven FINAL
            WHERE again = kafka_offset AND elsewhere = 0 GROUP BY topic, kafka_partition, content
        ) AS earliest ON earliest.topic = copies.topic AND earliest.kafka_partition = copies.kafka_partition AND earliest.content = copies.content
        WHERE root IS NOT NULL AND (read_in != first_in OR root < again)
    ),
    messages AS
    (
        -- Where a message was read first, and then where it was read again. Of these places one counts: the first at which it
        -- was understood, else the last.
        SELECT topic, arrayPushFront(arraySort(place -> (place.2, place.1), groupArray((read_in, again, toString(account)))),
                (first_in, assumeNotNull(root), 'rejected')) AS places,
            arrayFirstIndex(place -> place.3 != 'rejected', places) AS understood, if(understood > 0, understood, length(places)) AS counts
        FROM linked WHERE (topic, first_in, root) NOT IN (SELECT topic, read_in, again FROM linked)
        GROUP BY topic, first_in, root
    )
SELECT topic, kafka_partition, read_all - copies AS records, accepted_all - accepted_again AS accepted,
    duplicate_all - duplicate_again AS duplicate, superseded_all - superseded_again AS superseded,
    rejected_all - rejected_again AS rejected, letters AS redriven
FROM
(
    SELECT topic, kafka_partition, sum(read) AS read_all, sum(accepted) AS accepted_all, sum(duplicate) AS duplicate_all,
        sum(superseded) AS superseded_all, sum(rejected) AS rejected_all
    FROM retorno.accounts GROUP BY topic, kafka_partition
) AS accounted
LEFT JOIN
(
    SELECT topic, place.1 AS kafka_partition, countIf(number = counts) AS letters, countIf(number != counts) AS copies,
        countIf(number != counts AND place.3 = 'accepted') AS accepted_again, countIf(number != counts AND place.3 = 'duplicate') AS duplicate_again,
        countIf(number != counts AND place.3 = 'superseded') AS superseded_again, countIf(number != counts AND place.3 = 'rejected') AS rejected_again
    FROM messages ARRAY JOIN places AS place, arrayEnumerate(places) AS number
    GROUP BY topic, kafka_partition
) AS again USING (topic, kafka_partition)
COMMENT 'Qué fue de cada registro, una sola vez / What became of each record, once';

-- Labels stood here before they stood in the views: a dictionary logs in to the server by itself, as a user that may have a
-- password or not exist.
DROP DICTIONARY IF EXISTS retorno.labels;
