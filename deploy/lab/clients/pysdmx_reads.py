"""pysdmx, as it comes, reads every dataflow of the SDMX 3.0 service: pysdmx_reads.py BASE WANT"""
import json
import sys
import urllib.request

from pysdmx.api.dc.rest import SdmxConnector
from pysdmx.io import read_sdmx

base, want = sys.argv[1], json.load(open(sys.argv[2]))
connector = SdmxConnector(base + "/sdmx/3.0")


def read(rows):
    """The observations of rows by key: value, status, confidentiality, vintage."""
    out = {}
    for row in rows:
        dimensions = [name for name in list(row)[3:] if name not in ("OBS_VALUE", "OBS_STATUS", "CONF_STATUS", "VINTAGE", "COVERAGE", "BASE", "FREQ")]
        key = frozenset((name, row[name]) for name in dimensions if row[name] != "_T")
        out[key] = (None if row["OBS_VALUE"] == "NaN" else int(row["OBS_VALUE"]), row["OBS_STATUS"], row["CONF_STATUS"], row["VINTAGE"])
    return out


def wanted(flow):
    return {frozenset(o["key"].items()): (o["value"], o["status"], o["conf"], o["vintage"]) for o in want[flow]}


flows = {flow.id: flow for flow in connector.dataflows()}
assert set(want) <= set(flows), set(want) - set(flows)
assert flows["T1"].name == "Retornos registrados por país y vía", flows["T1"]
assert [flow.id for flow in connector.dataflows("municipio")] == ["T8"]
for flow in want:
    told = connector.dataflow(flows[flow])
    assert told.obs_count == len(want[flow]), (flow, told.obs_count)
    assert told.series_count == len({frozenset(k for k in o["key"].items() if k[0] != "TIME_PERIOD") | {("FREQ", len(o["key"]["TIME_PERIOD"]) * ("Q" in o["key"]["TIME_PERIOD"]) or "S" in o["key"]["TIME_PERIOD"])} for o in want[flow]}), (flow, told.series_count)
    components = told.structure.components if hasattr(told.structure, "components") else told.components
    assert len(components.dimensions) == 16 and components["SEX"].enumeration["_T"], flow
    rows = read(connector.data(flows[flow]))
    assert rows == wanted(flow), (flow, set(rows.items()) ^ set(wanted(flow).items()))
    some = read(connector.data(flows[flow], "FREQ = 'S' AND TIME_PERIOD >= '2016'"))
    assert some == {k: v for k, v in rows.items() if ("TIME_PERIOD", "2016-S1") in k}, flow
for address, accept in (
    ("structure/dataflow/CENISS/T1/1.0.0?references=all", "application/vnd.sdmx.structure+json;version=2.0.0"),
    ("data/dataflow/CENISS/T1/1.0.0", "application/vnd.sdmx.data+csv;version=2.0.0"),
    ("data/dataflow/CENISS/T1/1.0.0", "application/vnd.sdmx.data+csv;version=2.1.0"),
):
    with urllib.request.urlopen(urllib.request.Request(base + "/sdmx/3.0/" + address, headers={"Accept": accept})) as response:
        message = read_sdmx(response.read().decode(), validate=True)
    if message.data:
        assert len(message.data[0].data) == len(want["T1"]), accept
    else:
        assert message.get_dataflows() and message.get_codelists() and message.get_data_structure_definitions()
print("ok")
