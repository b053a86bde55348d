package importer

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

func reasonsOf(got result) string {
	var out []string
	for _, r := range got.records {
		out = append(out, strings.Join(r.GetRegistration().GetReasons(), "+"))
	}
	return strings.Join(out, ",")
}

const kobo = `start,end,today,g_datos/centro,g_datos/fecha,g_datos/sexo,g_datos/edad,g_ruta/pais_retorno,g_ruta/via,g_mot/motivos,g_mot/motivos/economico,g_mot/motivos/violencia,g_mot/motivos/familia,_id,_uuid,_submission_time,_index
2015-02-18T09:00:00.000-06:00,2015-02-18T09:09:00.000-06:00,2015-02-18,CAMR La Lima,2015-02-18,hombre,25,mexico,terrestre,economico violencia,1,1,0,101,uuid:1,2015-02-19T01:00:00,1
2015-02-18T09:10:00.000-06:00,2015-02-18T09:19:00.000-06:00,2015-02-18,CAMR La Lima,2015-02-18,mujer,25,mexico,terrestre,familia,0,0,1,102,uuid:2,2015-02-19T01:01:00,2
2015-02-18T09:20:00.000-06:00,2015-02-18T09:29:00.000-06:00,2015-02-18,CAMR La Lima,2015-02-18,mujer,26,mexico,terrestre,,0,0,0,103,uuid:3,2015-02-19T01:01:00,3
`

// One submission is the same registration however the program for forms names its columns.
func TestPathsOfFormsAreColumns(t *testing.T) {
	cfg := Config{Kind: KindCentre}
	want := mustImport(t, cfg, kobo)
	if len(want.sum.Warnings) != 0 || reasonsOf(want) != "economic+violence,family," || want.records[0].GetRegistration().GetSex() != "M" || want.records[0].GetRegistration().GetCountry() != "MX" {
		t.Fatalf("%s; %v", reasonsOf(want), want.records[0])
	}
	flat := strings.NewReplacer("g_datos/", "", "g_ruta/", "", "g_mot/", "").Replace
	for name, text := range map[string]string{
		"flat":                  flat(kobo),
		"groups with a hyphen":  strings.NewReplacer("g_datos/", "g_datos-", "g_ruta/", "g_ruta-", "g_mot/motivos,", "g_mot-motivos,", "g_mot/", "g_mot-").Replace(kobo),
		"groups with a colon":   strings.NewReplacer("g_datos/", "g_datos:", "g_ruta/", "g_ruta:").Replace(kobo),
		"labels":                strings.NewReplacer("g_datos/", "Datos generales/", "g_ruta/", "Ruta de retorno/", "g_mot/motivos/economico", "Motivos/Económicas", "g_mot/motivos/familia", "Motivos/Reunificación familiar").Replace(kobo),
		"brackets":              strings.NewReplacer("g_mot/motivos/economico", "Motivos [Económicas]", "g_mot/motivos/violencia", "motivos[violencia]").Replace(kobo),
		"underscores":           strings.NewReplacer("motivos/economico", "motivos_economico", "motivos/violencia", "motivos_violencia").Replace(flat(kobo)),
		"words for the answers": strings.NewReplacer("violencia,1,1,0", "violencia,True,True,False", "familia,0,0,1", "familia,FALSE,FALSE,TRUE").Replace(kobo),
		"split only":            strings.NewReplacer("g_mot/motivos,", "g_mot/nota,", "economico violencia,", "x,", "familia,0", "y,0").Replace(kobo),
		"joined only":           strings.NewReplacer("motivos/economico", "a1", "motivos/violencia", "a2", "motivos/familia", "a3").Replace(kobo),
		"deeper":                strings.NewReplacer("g_datos/", "hogar/persona/g_datos/").Replace(kobo),
	} {
		if got := mustImport(t, cfg, text); lines(t, got.records) != lines(t, want.records) {
			t.Errorf("%s: %s %v\n%s", name, reasonsOf(got), got.sum.Warnings, got.raw)
		}
	}
	contrary := mustImport(t, cfg, strings.Replace(kobo, "familia,0,0,1", "familia,0,1,0", 1))
	if account(contrary) != "2, 3 contradiction" {
		t.Errorf("split columns that contradict the joined one: %s", account(contrary))
	}
	others := mustImport(t, cfg, "centro,fecha,g_padre/edad,g_contacto/sexo,sexo,x/sexo\nOmoa,11/01/2015,60,Hombre,Mujer,Hombre\n")
	if x := others.records[0].GetRegistration(); x.Age != nil || x.GetSex() != "F" {
		t.Errorf("the age of the father: %v", x)
	}
	var file *FileError
	if _, err := importText(t, cfg, "centro,fecha,a/sexo,b/sexo\n"); !errors.As(err, &file) || file.Code != "two_columns" {
		t.Errorf("two columns at the ends of paths: %v", err)
	}
}

func TestAnswersWithSpecifications(t *testing.T) {
	for _, c := range []struct{ cell, want string }{
		{"Otro: busca a su esposo", "other"},
		{"otra (estudiar inglés, quizá)", "other"},
		{"Económicas (desempleo)", "economic"},
		{"Violencia: maras, extorsión", "violence"},
		{"Económicas, Otro: ver a su madre, y descansar", "economic+other"},
		{"Otro: ver a su madre; Violencia", "violence+other"},
		{"Económico. Violencia", "economic+violence"},
		{"ECONOMICO/VIOLENCIA", "economic+violence"},
		{"Estudios y trabajo", "economic+study"},
		{"economico violencia", "unknown_code"}, // of no form: may be one answer of its own
		{"1", "unknown_code"},
		{"huracán: Mitch", "unknown_code"},
	} {
		got := mustImport(t, Config{Kind: KindCentre}, "Centro;Fecha;Motivos\nOmoa;11/01/2015;\""+c.cell+"\"\n")
		result := reasonsOf(got)
		if got.sum.Rejected == 1 {
			result = got.rejected[0][4]
		}
		if result != c.want {
			t.Errorf("%s: %s, want %s", c.cell, result, c.want)
		}
	}
}

func TestOneOfTwoColumnsIsDropped(t *testing.T) {
	const text = "Centro;Fecha;Sexo;Edad;Sexo\nOmoa;11/01/2015;Hombre;25;Mujer\n"
	for _, c := range []struct {
		columns map[string]string
		want    string
	}{
		{map[string]string{"Sexo#2": "-"}, "M"},
		{map[string]string{"Sexo#1": "-"}, "F"},
		{map[string]string{"sexo#2": "sex", "SEXO#1": "-"}, "F"},
		{nil, "two_columns"},
		{map[string]string{"Sexo": "-"}, "column_twice"},
	} {
		got, err := importText(t, Config{Kind: KindCentre, Columns: c.columns}, text)
		var file *FileError
		if errors.As(err, &file) {
			if file.Code != c.want || !strings.Contains(file.EN, "Sexo#2") || !strings.Contains(file.ES, "Sexo#2") {
				t.Errorf("%v: %v", c.columns, file.EN)
			}
			continue
		}
		if err != nil || sexes(got.records) != c.want {
			t.Errorf("%v: %s, %v", c.columns, sexes(got.records), err)
		}
	}
	named := mustImport(t, Config{Kind: KindCentre, Columns: map[string]string{"Motivo #2": "-"}}, "Centro;Fecha;Motivo;Motivo #2\nOmoa;11/01/2015;Salud;x\n")
	if reasonsOf(named) != "health" {
		t.Errorf("a column whose own name ends in a number: %s", reasonsOf(named))
	}
}

func TestARowOfSeveralIsRefused(t *testing.T) {
	const help = "Centro;Fecha;Tipo de ayuda;Cantidad\n"
	got := mustImport(t, Config{Kind: KindCentre}, help+"Omoa;22/02/2015;Alimentación;3\nOmoa;22/02/2015;Alimentación;1\nOmoa;22/02/2015;Kit de aseo;\nOmoa;22/02/2015;Ropa;1,00\nOmoa;22/02/2015;Ropa;0\nOmoa;22/02/2015;Ropa;varios\n")
	if account(got) != "3, 2 several_in_one_row, 6 several_in_one_row, 7 several_in_one_row" {
		t.Errorf("help: %s", account(got))
	}
	people := mustImport(t, Config{Kind: KindCheckpoint}, "Puesto;Fecha;Movimiento;Número de personas\nCorinto;22/02/2015;Entrada;14\nCorinto;22/02/2015;Entrada;1\n")
	if account(people) != "1, 2 several_in_one_row" {
		t.Errorf("people: %s", account(people))
	}
	dropped := mustImport(t, Config{Kind: KindCentre, Columns: map[string]string{"Cantidad": "-"}}, help+"Omoa;22/02/2015;Alimentación;3\n")
	if account(dropped) != "1" {
		t.Errorf("dropped: %s", account(dropped))
	}
}

func TestRowsThatDifferInOneColumnAreNamed(t *testing.T) {
	const head = "No.;Centro;Fecha;Hora;Sexo;Edad;Motivos;Hijo;Identidad\n"
	row := func(no int, hour, reason, child, dni string) string {
		return fmt.Sprintf("%d;Omoa;11/06/2015;%s;Hombre;25;%s;%s;%s\n", no, hour, reason, child, dni)
	}
	const a, b = "0501-1985-07321", "0501-1985-07322"
	cfg := Config{Kind: KindCentre, Secret: testSecret(t)}
	for name, c := range map[string]struct{ text, want string }{
		"one row a reason":          {row(1, "9:20", "Salud", "", a) + row(2, "9:20", "Violencia", "", a) + row(3, "9:20", "Familia", "", a), "one_column_apart Motivos  2"},
		"without a document":        {row(1, "9:20", "Salud", "", "") + row(2, "9:21", "Salud", "", "") + row(3, "9:20", "Familia", "", ""), "one_column_apart Motivos  1"},
		"one row a child":           {row(1, "9:20", "Salud", "Ana", a) + row(2, "9:20", "Salud", "Luis", a), "one_column_apart Hijo  1"},
		"another person":            {row(1, "9:20", "Salud", "", a) + row(2, "9:20", "Salud", "", b), ""},
		"another time":              {row(1, "9:20", "Salud", "", a) + row(2, "19:20", "Salud", "", a), ""},
		"no time and no document":   {row(1, "", "Salud", "", "") + row(2, "", "Familia", "", ""), ""},
		"several columns":           {row(1, "9:20", "Salud", "Ana", a) + row(2, "9:20", "Familia", "Luis", a), ""},
		"the same row another time": {row(1, "9:20", "Salud", "", a) + row(2, "9:20", "Salud", "", a), ""},
	} {
		got := mustImport(t, cfg, head+c.text)
		var kept []Warning
		for _, w := range got.sum.Warnings {
			if w.Code == "one_column_apart" {
				kept = append(kept, w)
			}
		}
		if s := warnings(Summary{Warnings: kept}); s != c.want {
			t.Errorf("%s: %q, want %q", name, s, c.want)
		}
	}
	help := mustImport(t, cfg, "Centro;Fecha;Hora;Tipo de ayuda;Identidad\nOmoa;21/06/2015;9:20;Ropa;"+a+"\nOmoa;21/06/2015;9:20;Alimentación;"+a+"\n")
	if len(help.sum.Warnings) != 0 {
		t.Errorf("help: %v", help.sum.Warnings)
	}
}

// wide is a text in four bytes a character, with the letter at one of them.
func wide(text string, at int) string {
	out := bytes.Repeat([]byte{0}, 4*len(text))
	for i := range len(text) {
		out[4*i+at] = text[i]
	}
	return string(out)
}

func TestFilesOfOtherFormsAreNamed(t *testing.T) {
	data := []cells{{"Centro", "Fecha", "Sexo"}, {"Omoa", "30/06/2015", "Hombre"}, {"Omoa", "30/06/2015", "Mujer"}}
	zeros := strings.Repeat("0", 8<<20)
	for _, c := range []struct{ name, text, code, says string }{
		{"xls", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1" + strings.Repeat("\x00", 600), "other_form", ".xls"},
		{"ods", zipOf(t, "mimetype", "application/vnd.oasis.opendocument.spreadsheet", "content.xml", "<x/>"), "other_form", ".ods"},
		{"ods by its type", zipOf(t, "mimetype", "application/vnd.oasis.opendocument.spreadsheet"), "other_form", ".ods"},
		{"docx", zipOf(t, "word/document.xml", "<x/>"), "other_form", ".docx"},
		{"xlsb", zipOf(t, "xl/workbook.bin", "x"), "other_form", ".xlsb"},
		{"zip", zipOf(t, "export.csv", "Centro;Fecha\n"), "other_form", "ZIP"},
		{"pdf", "%PDF-1.7\n", "other_form", "PDF"},
		{"html", "\xEF\xBB\xBF \r\n<html><body><table><tr><td>Centro</td></tr></table>", "other_form", "HTML"},
		{"table", "<TABLE border=1><tr><td>Centro", "other_form", "HTML"},
		{"xml", "<?xml version=\"1.0\"?>\n<registros><r/></registros>", "other_form", "XML"},
		{"xml of Excel", "<?xml version=\"1.0\"?>\n<?mso-application progid=\"Excel.Sheet\"?>\n<Workbook/>", "other_form", "2003"},
		{"json", "[{\"centro\": \"Omoa\"}]", "other_form", "JSON"},
		{"json lines", "{\"centro\": \"Omoa\"}\n{\"centro\": \"Omoa\"}\n", "other_form", "JSON"},
		{"parquet", "PAR1\x15\x04", "other_form", "Parquet"},
		{"photo of a list", "\xFF\xD8\xFF\xE0\x00\x10JFIF\x00" + strings.Repeat("\x80", 100), "other_form", "image"},
		{"screenshot", "\x89PNG\r\n\x1A\n\x00\x00\x00\rIHDR", "other_form", "image"},
		{"program", "\x7FELF\x02\x01\x01\x00" + strings.Repeat("\xC3\x00", 300), "other_form", "program"},
		{"program of Windows", "MZ\x90\x00\x03\x00" + strings.Repeat("\x00", 60) + "PE", "other_form", "program"},
		{"feather", "ARROW1\x00\x00\xFF\xFF\xFF\xFF", "other_form", "Feather"},
		{"R", "RDX3\nX\n\x00\x00\x00\x03", "other_form", ".RData"},
		{"SAS, all of its mark", strings.Repeat("\x00", 12) + "\xC2\xEA\x81\x60\xB3\x14\x11\xCF\xBD\x92\x08\x00\x09\xC7\x31\x8C\x18\x1F\x10\x11" + strings.Repeat("\x00", 300), "other_form", "sas7bdat"},
		{"SPSS, portable", "ASCII SPSS PORT FILE" + strings.Repeat("\x00", 180), "other_form", ".por"},
		{"SPSS, portable, in lines", strings.Repeat("EBCDIC SPSS PORT FILE                   ASCII SPSS PORT FILE                    \r\n", 2), "other_form", ".por"},
		{"SPSS, portable, by its tag", strings.Repeat("0", 456) + "SPSSPORTA8/20150630", "other_form", ".por"},
		{"UTF-32", "\xFF\xFE\x00\x00C\x00\x00\x00;\x00\x00\x00", "other_form", "UTF-32"},
		{"UTF-32, highest byte first", "\x00\x00\xFE\xFF\x00\x00\x00C\x00\x00\x00;", "other_form", "UTF-32"},
		{"UTF-32 without a mark", wide("Centro;Fecha", 0), "other_form", "UTF-32"},
		{"UTF-32 without a mark, highest byte first", wide("Centro;Fecha", 3), "other_form", "UTF-32"},
		{"SYLK", "ID;PWXL;N;E\r\nP;PGeneral\r\n", "other_form", ".slk"},
		{"SYLK of LibreOffice", "ID;PCALCOOO32\nB;X8;Y20\n", "other_form", ".slk"},
		{"DIF", "TABLE\r\n0,1\r\n\"EXCEL\"\r\n", "other_form", ".dif"},
		{"COPY of PostgreSQL", "COPY public.registros (centro, fecha, sexo) FROM stdin;\nOmoa\t2015-06-30\tH\n\\.\n", "other_form", ".sql"},
		{"pg_dump", "--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 15.3\n\nSET statement_timeout = 0;\n", "other_form", ".sql"},
		{"pg_dump with a long preface", "--\n-- PostgreSQL database dump\n--\n" + strings.Repeat("-- Dumped\n", 200), "other_form", ".sql"},
		{"mysqldump", "-- MySQL dump 10.13  Distrib 8.0.33\n--\n/*!40101 SET NAMES utf8 */;\nDROP TABLE IF EXISTS `r`;\n", "other_form", ".sql"},
		{"phpMyAdmin", "-- phpMyAdmin SQL Dump\n-- version 5.2\n", "other_form", ".sql"},
		{"SQL Server", "\xEF\xBB\xBFUSE [SIAMIR]\r\nGO\r\n/****** Object:  Table ******/\r\nSET ANSI_NULLS ON\r\nGO\r\n", "other_form", ".sql"},
		{"SQLite", "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n", "other_form", ".sql"},
		{"rows of Oracle", "REM INSERTING into REGISTROS\r\nSET DEFINE OFF;\r\nInsert into REGISTROS (CENTRO) values ('Omoa');\r\n", "other_form", ".sql"},
		{"SAS", strings.Repeat("\x00", 12) + "\xC2\xEA\x81\x60\xB3\x14\x11\xCF", "other_form", "sas7bdat"},
		{"dbf", "\x03\x73\x06\x1E\x05\x00\x00\x00\xC1\x00\x36\x00" + strings.Repeat("\x00", 20), "other_form", ".dbf"},
		{"access", "\x00\x01\x00\x00Standard ACE DB\x00", "other_form", "Access"},
		{"gz in gz", packed(t, packed(t, "x")), "other_form", ".gz"},
		{"json in gz", packed(t, "[{\"a\": 1}]"), "other_form", "JSON"},
		{"cut gz", packed(t, strings.Repeat("Centro;Fecha\n", 900))[:40], "damaged", "gzip"},
		{"cut xlsx", book(t, nil, "A", data)[:900], "damaged", "ZIP"},
		{"no parts", zipOf(t, "xl/workbook.xml", "<workbook/>"), "damaged", "XLSX"},
		{"large gz", packed(t, zeros), "too_large_unpacked", "1048576"},
		{"large xlsx", zipOf(t, "xl/workbook.xml", "", "xl/worksheets/sheet1.xml", zeros), "too_large_unpacked", "1048576"},
		{"xlsx that lies", lying(t, 8<<20), "", ""},
		{"two sheets", book(t, nil, "2015-S1", data, "2015-S2", data), "several_sheets", "2015-S1, 2015-S2"},
		{"merged data", book(t, func(f *excelize.File) { _ = f.MergeCell("A", "A2", "A3") }, "A", data), "merged_cells", "A2:A3"},
		{"empty book", book(t, nil, "A", []cells{}), "empty", ""},
		{"no header", book(t, nil, "A", []cells{{"x", "y"}, {1, 2}}), "no_header", ""},
	} {
		_, err := importText(t, Config{Kind: KindCentre, unpackedLimit: 1 << 20}, c.text)
		var file *FileError
		if !errors.As(err, &file) {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if c.code != "" && (file.Code != c.code || !strings.Contains(file.ES, c.says) || !strings.Contains(file.EN, c.says)) {
			t.Errorf("%s: %s %s / %s", c.name, file.Code, file.ES, file.EN)
		}
		if c.code == "" && file.Code != "damaged" && file.Code != "too_large_unpacked" {
			t.Errorf("%s: %s", c.name, file.Code)
		}
	}
	named := Config{Kind: KindCentre, Sheet: "2015-S2"}
	if got := mustImport(t, named, book(t, nil, "2015-S1", data[:2], "2015-S2", data)); got.sum.Accepted != 2 {
		t.Errorf("a named sheet: %+v", got.sum)
	}
	named.Sheet = "2016"
	var file *FileError
	if _, err := importText(t, named, book(t, nil, "2015-S1", data)); !errors.As(err, &file) || file.Code != "no_such_sheet" {
		t.Errorf("a sheet that is not there: %v", err)
	}
}

// Text that merely begins like another form is text.
func TestTextIsNotTakenForAnotherForm(t *testing.T) {
	for _, first := range []string{"[Datos]", "{centro}", "<Centro>", "0001", "#Centro", "PK;x", "%;x",
		"ID;PAIS", "ID;P", "TABLE;0,1", "-- Registro de retornados --", "SET;x", "Set 2015", "Insert;into", "Use;", "BEGIN", "USE EL FORMATO;;\nx", "Copia de registros", "/* registros */"} {
		got := mustImport(t, Config{Kind: KindCentre}, first+"\nCentro;Fecha\nOmoa;30/06/2015\n")
		if got.sum.Accepted != 1 {
			t.Errorf("%s: %+v", first, got.sum)
		}
	}
}
