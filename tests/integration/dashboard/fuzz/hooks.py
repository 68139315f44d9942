"""What the fuzzer cannot guess: how a run stands.

Every second action is asked for as a person would, with what the preview shows, so that many of
them really change something. Requests are counted by status, into the file named by FUZZ_COUNTS.
"""

import collections
import json
import os
import random

import requests
import schemathesis

CSRF = "x-bootstrax-csrf"
RUNS = range(1, int(os.environ["FUZZ_RUNS"]) + 1)
URL = os.environ["FUZZ_URL"]
TOKEN = os.environ["FUZZ_TOKEN"]
TARGETS = json.loads(os.environ["FUZZ_ACTIONS"])  # at what each kind of action is aimed

chance = random.Random(7)
session = requests.Session()
counts = collections.Counter()


@schemathesis.hook
def before_call(context, case, kwargs):
    """Every second action is one that is possible, or nearly."""
    if case.method != "POST" or case.path != "/api/actions" or chance.random() < 0.5:
        return
    kind = chance.choice(list(TARGETS))
    target = target_of(kind)
    answer = session.post(
        f"{URL}api/actions/preview",
        json={"kind": kind, "targets": [target]},
        headers={CSRF: TOKEN},
        timeout=60,
    )
    counts[answer.status_code] += 1
    if answer.status_code != 200:
        return
    seen = answer.json()["effects"][0]["seen"]
    case.body = {"kind": kind, "reason": "fuzzed", "targets": [{**target, "seen": seen}]}
    case.headers[CSRF] = TOKEN
    case.media_type = "application/json"


@schemathesis.hook
def after_call(context, case, response):
    """Counts, and keeps the count on the disk: nobody says when the end has come."""
    counts[response.status_code] += 1
    if sum(counts.values()) % 100 == 0:
        keep()


def target_of(kind):
    """A run, a host or an item, as the kind needs it; sometimes one that is not there."""
    run = chance.choice(RUNS) if chance.random() < 0.9 else 999_999
    if TARGETS[kind] == "host":
        return {"host": chance.choice(["beta", "nowhere"])}
    if TARGETS[kind] == "item":
        return {"item": f"given_up:{run}"}
    return {"run": run}


def keep():
    """Written by rename: whoever looks finds a whole file."""
    path = os.environ["FUZZ_COUNTS"]
    with open(f"{path}.new", "w") as file:
        json.dump(counts, file)
    os.replace(f"{path}.new", path)
