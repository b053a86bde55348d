-- A vintage says why it was published although records were missing, and why it revises an earlier one; and it has a public
-- form, which alone leaves the house. The files are written before the publication, so that one that was torn has none.

ALTER TABLE retorno.publications
    ADD COLUMN IF NOT EXISTS published_at DateTime64(3, 'America/Tegucigalpa') DEFAULT as_of COMMENT 'Cuándo se publicó / When it was published',
    ADD COLUMN IF NOT EXISTS silent UInt64 COMMENT 'Computadoras que callan desde entonces y cuyo último envío es del periodo / Computers silent since, whose last sending is of the period',
    ADD COLUMN IF NOT EXISTS reason String COMMENT 'Por qué corrige una edición anterior / Why it revises an earlier vintage',
    ADD COLUMN IF NOT EXISTS accepted String COMMENT 'Por qué se publicó aunque faltaban registros / Why it was published although records were missing',
    ADD COLUMN IF NOT EXISTS software String COMMENT 'Versión del programa / Version of the program',
    MODIFY COLUMN status LowCardinality(String) COMMENT 'Estado: provisional, final, revision / Status: provisional, final, revision';

CREATE TABLE IF NOT EXISTS retorno.released_files
(
    publication UUID   COMMENT 'Publicación / Publication',
    path        String COMMENT 'Nombre del archivo / Name of the file',
    body        String COMMENT 'Sus bytes / Its bytes'
)
ENGINE = MergeTree
ORDER BY (publication, path)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Forma pública de cada edición / Public form of each vintage';
