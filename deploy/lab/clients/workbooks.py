"""Reads the bulletin's workbooks with calamine, by pandas: both forms have the same sheets with the same cells, a plain count is a number, and the
key of the registered total stands behind it."""
import io
import sys
import urllib.request

import pandas


def sheets(number, lang, form):
    address = f"{sys.argv[1]}/bulletin/2016-S1?vintage={number}&lang={lang}&format={form}"
    with urllib.request.urlopen(address) as answer:
        book = pandas.read_excel(io.BytesIO(answer.read()), sheet_name=None, header=None, engine="calamine")
    return {name: [[v for v in row if not pandas.isna(v)] for row in sheet.values.tolist()] for name, sheet in book.items()}


for number, total in (1, "27,090 [p]"), (2, 27086), (3, "27,326 [r]"):
    for lang in "es", "en":
        one, other = sheets(number, lang, "xlsx"), sheets(number, lang, "ods")
        assert list(one) == list(other), (list(one), list(other))
        for name in one:
            assert one[name] == other[name], (number, lang, name)
        row = next(row for row in other["T1"] if row[:1] == ["Total"])
        assert row[1] == total, row
        assert row[-1].startswith("T1:S.returns.registered._T."), row
print('ok', 'both forms of three bulletins')
