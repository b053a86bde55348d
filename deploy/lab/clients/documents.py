"""Reads documents as a reader of PDF does: the text of each page, and that of the pages of what is attached. JSON by path."""
import io
import json
import sys

import pypdf


def text(reader):
    return "\n".join(page.extract_text() for page in reader.pages)


found = {}
for path in sys.argv[1:]:
    reader = pypdf.PdfReader(path)
    attached = {name: text(pypdf.PdfReader(io.BytesIO(bodies[0]))) for name, bodies in reader.attachments.items()}
    found[path] = {"title": reader.metadata.title, "lang": reader.root_object["/Lang"], "pages": len(reader.pages), "text": text(reader), "attached": attached}
json.dump(found, sys.stdout)
