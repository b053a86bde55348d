"""sdmx1, as it comes, reads every dataflow of the SDMX 2.1 service: sdmx1_reads.py BASE WANT"""
import json
import math
import sys
import warnings

import sdmx
import sdmx.reader.xml.v30  # read after messages of 2.1 it is not found: sdmx1 2.26.0

warnings.simplefilter("ignore")
base, want = sys.argv[1], json.load(open(sys.argv[2]))
sdmx.add_source({"id": "CENISS", "url": base + "/sdmx/2.1", "name": "CENISS", "supports": {"availableconstraint": True, "preview": True}})
client = sdmx.Client("CENISS")


def read(message):
    """The observations of a message by key: value, status, confidentiality, vintage."""
    out = {}
    for data_set in message.data:
        for o in data_set.obs:
            values = {k: str(v.value) for k, v in o.key.values.items()}
            key = frozenset((k, v) for k, v in values.items() if v != "_T" and k != "FREQ")
            attributes = {k: str(v.value) for k, v in o.attrib.items()}
            value = None if o.value is None or (isinstance(o.value, float) and math.isnan(o.value)) else int(o.value)
            out[key] = (value, attributes["OBS_STATUS"], attributes["CONF_STATUS"], attributes["VINTAGE"])
    return out


def wanted(flow):
    return {frozenset(o["key"].items()): (o["value"], o["status"], o["conf"], o["vintage"]) for o in want[flow]}


# By SDMX 3.0, whose XML it reads.
accept = {"Accept": "application/xml"}
sdmx.add_source({"id": "CENISS3", "url": base + "/sdmx/3.0", "name": "CENISS", "versions": ["3.0.0"], "headers": {"data": accept, "dataflow": accept}})
newer = sdmx.Client("CENISS3")
told = newer.dataflow("T1", agency_id="CENISS", references="all")
assert len(told.structure["RETURN_MIGRATION"].dimensions) == 16, [d.id for d in told.structure["RETURN_MIGRATION"].dimensions]
for flow in want:
    got = read(newer.data(flow, agency_id="CENISS", context="dataflow", version="1.0.0", dsd=told.structure["RETURN_MIGRATION"]))
    assert got == wanted(flow), (flow, "SDMX 3.0", set(got.items()) ^ set(wanted(flow).items()))
listed = client.dataflow()
assert set(want) <= set(listed.dataflow), set(want) - set(listed.dataflow)
one = client.dataflow("T1")
dsd = one.dataflow["T1"].structure
assert dsd.id == "RETURN_MIGRATION" and len(dsd.dimensions) == 16, (dsd.id, len(dsd.dimensions))
sex = one.codelist["CL_SEX"]
assert sex["F"].name.localizations == {"es": "Mujeres", "en": "Women"} and sex["F"].parent.id == "_T", sex["F"]
for flow in want:
    assert listed.dataflow[flow].structure.id == dsd.id, flow
    message = client.data(flow)
    generic = read(message)
    assert generic == wanted(flow), (flow, set(generic.items()) ^ set(wanted(flow).items()))
    specific = read(client.data(flow, dsd=dsd))
    assert specific == generic, (flow, "structure-specific")
    # A key that is a dict makes it ask for all structures first, which once is enough.
    some = read(client.data(flow, key={"FREQ": ["S"]} if flow == "T1" else "S", params={"startPeriod": "2016"}))
    assert some == {k: v for k, v in generic.items() if ("TIME_PERIOD", "2016-S1") in k}, (flow, "key and startPeriod")
    frame = sdmx.to_pandas(message)
    assert len(frame) == len(generic) and frame.isna().sum() == sum(v[0] is None for v in generic.values()), flow
    assert client.availableconstraint(flow).constraint["CR_" + flow], flow
    assert len(client.preview_data(flow)) > 0
assert client.datastructure("RETURN_MIGRATION").structure["RETURN_MIGRATION"]
assert client.codelist("CL_SEX").codelist["CL_SEX"] and client.conceptscheme("CS_RETURN_MIGRATION").concept_scheme and client.agencyscheme(agency_id="SDMX").organisation_scheme
assert sum(len(o) for o in want.values()) > 1000
print("ok")
