-- A vintage keeps the events that it counted, so that the next one can say of each cell why it changed, from the facts.

CREATE TABLE IF NOT EXISTS retorno.published_events
(
    publication UUID                   COMMENT 'Publicación / Publication',
    measure     LowCardinality(String) COMMENT 'Qué se cuenta / What is counted',
    month       LowCardinality(String) COMMENT 'Mes, 2016-01 / Month, 2016-01',
    person      UUID                   COMMENT 'Clave de persona; de un cruce, su registro / Person key; of a crossing, its record',
    record      UUID                   COMMENT 'Registro que lo hizo; ceros: varios / Record that made it; zeros: several',
    codes       Array(LowCardinality(String)) COMMENT 'Códigos, en el orden de las columnas de la medida / Codes, in the order of the columns of the measure'
)
ENGINE = MergeTree
ORDER BY (publication, measure, person)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Eventos que contó cada edición, sin identidad / Events that each vintage counted, de-identified';

CREATE TABLE IF NOT EXISTS retorno.published_differences
(
    publication UUID                   COMMENT 'Publicación / Publication',
    since       UInt64                 COMMENT 'Edición con la que se compara / Vintage it is compared with',
    measure     LowCardinality(String) COMMENT 'Qué se cuenta / What is counted',
    cell        String                 COMMENT 'Columnas que no se suman, con su código / Columns that are not summed over, with their code',
    before      Int64                  COMMENT 'Conteo de la edición anterior / Count of the earlier vintage',
    after       Int64                  COMMENT 'Conteo de esta edición / Count of this vintage',
    late        Int64                  COMMENT 'Por registros que no se habían leído / By records that had not been read',
    correction  Int64                  COMMENT 'Por revisiones de registros / By revisions of records',
    void        Int64                  COMMENT 'Por anulaciones / By voids',
    method      Int64                  COMMENT 'Por otra versión del método / By another version of the method',
    code_list   Int64                  COMMENT 'Por otras listas de códigos / By other code lists',
    other       Int64                  COMMENT 'Por otras razones, o por muy pocas personas para decirlo / For other reasons, or by too few persons to say'
)
ENGINE = MergeTree
ORDER BY (publication, measure, cell)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Celdas que cambiaron entre dos ediciones, y por qué / Cells that changed between two vintages, and why';

ALTER TABLE retorno.publications
    ADD COLUMN IF NOT EXISTS code_lists String COMMENT 'SHA-256 de las listas de códigos / SHA-256 of the code lists',
    ADD COLUMN IF NOT EXISTS logs Array(UInt16) COMMENT 'Registro de cada posición: 0, 1 … / Log of each position: 0, 1 …';
