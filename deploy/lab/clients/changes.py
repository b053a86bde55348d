"""feedparser and sseclient-py against what was published: python changes.py BASE

Ends with status 0 when the Atom feed and the stream have each vintage once, and a stream that goes on from an event has
those that are left.
"""
import json
import sys
import urllib.request

import feedparser
import requests
import sseclient

BASE = sys.argv[1]


def fetch(path):
    with urllib.request.urlopen(BASE + path) as answer:
        return json.load(answer)


def events(last, n):
    """The next n events after that id."""
    headers = {'Accept': 'text/event-stream', **({'Last-Event-ID': last} if last else {})}
    with requests.get(BASE + '/changes/stream', stream=True, headers=headers) as answer:
        answer.raise_for_status()
        stream = sseclient.SSEClient(answer).events()
        return [next(stream) for _ in range(n)]


def main():
    vintages = fetch('/vintages')['vintages']
    told = fetch('/changes')
    names = [c['vintage'] for c in told['changes']]
    assert sorted(names) == sorted('%s/%d' % (v['period'], v['vintage']) for v in vintages) and not told['more'], told
    assert fetch(told['links']['next'])['changes'] == []

    feed = feedparser.parse(BASE + '/changes.atom')
    assert not feed.bozo and feed.version == 'atom10', feed.get('bozo_exception')
    assert [e.id for e in feed.entries] == ['urn:uuid:' + v['id'] for v in vintages], feed.entries
    by_id = {'urn:uuid:' + v['id']: v for v in vintages}
    for entry in feed.entries:
        v = by_id[entry.id]
        assert entry.link == BASE + '/revisions/' + v['period'] and entry.links[1].href == BASE + v['bundle'], entry
        assert entry.published == v['published'] and entry.tags[0].term == v['status'], entry
        reasons = next(c['reasons'] for c in told['changes'] if c['address'] == v['bundle'])
        assert [t.term for t in entry.tags[1:]] == reasons, entry

    got, last = [], None
    while len(got) < len(names):
        event = events(last, 1)[0]
        change = json.loads(event.data)
        assert event.event == 'vintage' and change['id'] == event.id, event
        got, last = got + [change['vintage']], event.id
    assert got == names and last == told['next'], (got, last)
    assert [json.loads(e.data)['vintage'] for e in events(None, len(names))] == names
    print('ok', len(names), 'vintages')


main()
