-- A vintage says how much of the logs recorded decisions had given up by then.

ALTER TABLE retorno.publications
    ADD COLUMN IF NOT EXISTS lost UInt64 COMMENT 'Posiciones de los registros dadas por perdidas por decisión anotada, de todos los periodos / Offsets of the logs given up by a recorded decision, of all periods';
