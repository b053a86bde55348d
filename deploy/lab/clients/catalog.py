"""pySHACL and rdflib against the catalogue: python catalog.py BASE

Ends with status 0 when /catalog.jsonld is valid by dcat.ttl, a catalogue that lacks what is mandatory is not, and every
distribution is at its address with its media type and, where the catalogue says it, its size and hash.
"""
import hashlib
import json
import sys
import urllib.request

import pyshacl
import rdflib
from rdflib.namespace import DCAT, DCTERMS, RDF

BASE = sys.argv[1]
SPDX = rdflib.Namespace('http://spdx.org/rdf/terms#')


def fetch(address):
    with urllib.request.urlopen(address) as answer:
        return answer.read(), answer.headers


def valid(graph):
    conforms, _, report = pyshacl.validate(graph, shacl_graph='dcat.ttl', advanced=True)
    return conforms, report


def main():
    address = BASE + '/catalog.jsonld'
    body, headers = fetch(address)
    assert headers['Content-Type'] == 'application/ld+json', headers
    graph = rdflib.Graph().parse(data=body, format='json-ld', publicID=address)
    conforms, report = valid(graph)
    assert conforms, report
    for predicate in (DCAT.accessURL, DCTERMS.title, DCAT.startDate, DCTERMS.publisher, DCAT.endpointURL):
        less = rdflib.Graph().parse(data=body, format='json-ld', publicID=address)
        less.remove(next(less.triples((None, predicate, None))))
        assert not valid(less)[0], predicate
    datasets = set(graph.subjects(RDF.type, DCAT.Dataset))
    newest = {}
    for vintage in json.loads(fetch(BASE + '/vintages')[0])['vintages']:
        newest.setdefault(vintage['period'], vintage)
    want = {BASE + v['bundle'] + 'tables/' + t['id'] for v in newest.values() for t in v['tables']}
    assert {str(d) for d in datasets} == want, datasets
    read = hashed = 0
    for distribution in graph.subjects(RDF.type, DCAT.Distribution):
        content, headers = fetch(str(graph.value(distribution, DCAT.downloadURL)))
        kind = str(graph.value(distribution, DCAT.mediaType)).removeprefix('https://www.iana.org/assignments/media-types/')
        assert headers['Content-Type'].split(';')[0] == kind, (distribution, headers['Content-Type'])
        checksum = graph.value(distribution, SPDX.checksum)
        if checksum is not None:
            assert hashlib.sha256(content).digest() == graph.value(checksum, SPDX.checksumValue).toPython(), distribution
            assert len(content) == int(graph.value(distribution, DCAT.byteSize)), distribution
            hashed += 1
        read += 1
    assert read == 5 * len(datasets) and hashed == len(datasets), (read, hashed, len(datasets))
    print('ok', len(datasets), 'datasets', read, 'distributions')


main()
