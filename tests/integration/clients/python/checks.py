"""What the Python clients share: each check is one line of JSON on standard output."""

import json
import os
import traceback

OWNER = os.environ["SEG_CLIENT_OWNER"]
READER = os.environ["SEG_CLIENT_READER"]

#: Parameters of one statement, and what they add up to.
MANY = list(range(1, 301))


class Checks:
    """Runs checks by name, in their order; a check that raises has failed, and the next one runs."""

    def report(self, name, error=None):
        print(json.dumps({"check": name, "ok": error is None, "error": error}), flush=True)

    def run(self, name, check):
        try:
            check()
        except Exception:
            self.report(name, traceback.format_exc(limit=-2))
        else:
            self.report(name)

    async def run_async(self, name, check):
        try:
            await check()
        except Exception:
            self.report(name, traceback.format_exc(limit=-2))
        else:
            self.report(name)


def equal(actual, expected):
    if actual != expected:
        raise AssertionError(f"{actual!r} instead of {expected!r}")


def fails(kind, action):
    try:
        action()
    except kind:
        return
    raise AssertionError(f"no {kind.__name__}")
